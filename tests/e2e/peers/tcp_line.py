#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""TCP connections to a server that can be made to take nothing more.

    tcp_line.py PORT

Prints the port it listens on, and carries each connection there on to PORT. After a line on its input it reads
nothing more of what the server sends. Its receive buffer is small, so that the server soon sees that."""
import os
import selectors
import socket
import sys

RECEIVE_BUFFER = 16 << 10


def connect(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)  # before connecting: it bounds the window
    s.connect(("127.0.0.1", port))
    return s


def main(port):
    waiting = selectors.DefaultSelector()
    front = socket.create_server(("127.0.0.1", 0))
    print(front.getsockname()[1], flush=True)
    waiting.register(front, selectors.EVENT_READ, None)
    waiting.register(sys.stdin, selectors.EVENT_READ, None)
    backs = []

    def end(*both):
        for s in both:
            if s in backs:
                backs.remove(s)
            if s in waiting.get_map():
                waiting.unregister(s)
            s.close()

    while True:
        for key, _ in waiting.select():
            if key.fileobj is front:
                peer, _ = front.accept()
                back = connect(port)
                backs.append(back)
                waiting.register(peer, selectors.EVENT_READ, back)
                waiting.register(back, selectors.EVENT_READ, peer)
            elif key.fileobj is sys.stdin:
                if not os.read(0, 4096):
                    return
                for back in backs:
                    waiting.unregister(back)
            elif key.fileobj.fileno() >= 0:
                try:
                    data = key.fileobj.recv(65536)
                    if data:
                        key.data.sendall(data)
                        continue
                except OSError:
                    pass
                end(key.fileobj, key.data)


main(int(sys.argv[1]))
