#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A real mail server on loopback that keeps what it takes: aiosmtpd. Lines of JSON on standard output: {"port"}, then
each mail. Options as JSON in argv[1]: cert, key (STARTTLS, required), user, password (log-in required), port. Lines
on standard input say how the next messages are answered: {"say": "451 later", "times": 2, "at": "rcpt" or "data"}."""
import asyncio
import base64
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    def __init__(self):
        self.says = []

    def answer(self, at):
        if not self.says or self.says[0]["at"] != at:
            return None
        say = self.says[0]
        say["times"] -= 1
        if say["times"] <= 0:
            self.says.pop(0)
        tell({"said": say["say"]})
        return say["say"]

    async def handle_MAIL(self, server, session, envelope, address, options):
        refused = self.answer("mail")
        if refused:
            return refused
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        refused = self.answer("rcpt")
        if refused:
            return refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        refused = self.answer("data")
        if refused:
            return refused
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = mail.get_body(("plain",))
        tell({"mail": {"from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None,
                       "user": getattr(session.auth_data, "login", b"").decode() if session.auth_data else None,
                       "subject": mail["subject"], "headers": [[k, str(v)] for k, v in mail.items()],
                       "defects": [str(d) for d in mail.defects],
                       "text": body.get_content().replace("\r\n", "\n") if body else None,
                       "raw": base64.b64encode(envelope.content).decode()}})
        return "250 OK"


def tell(what):
    print(json.dumps(what), flush=True)


def main():
    options = json.loads(sys.argv[1])
    handler = Handler()
    context = None
    if options.get("cert"):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options["cert"], options["key"])

    def authenticate(server, session, envelope, mechanism, data):
        ok = data.login.decode() == options["user"] and data.password.decode() == options["password"]
        return AuthResult(success=ok, handled=ok, auth_data=data if ok else None)

    class Server(Controller):
        def factory(self):
            return SMTP(self.handler, tls_context=context, require_starttls=context is not None,
                        authenticator=authenticate if options.get("user") else None,
                        auth_required=bool(options.get("user")), auth_require_tls=context is not None)

    async def serve():
        loop = asyncio.get_running_loop()
        controller = Server(handler, hostname="127.0.0.1", port=1)
        server = await loop.create_server(controller.factory, "127.0.0.1", options.get("port", 0))
        tell({"port": server.sockets[0].getsockname()[1]})
        lines = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while line := await lines.readline():
            handler.says.append(json.loads(line))
            tell({"told": True})

    asyncio.run(serve())


main()
