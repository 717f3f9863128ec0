#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Watches by WHEP with aiortc and decodes (Debian: python3-aiortc).

    aiortc_whep.py URL FRAMES

Goes on until so many pictures, as many pieces of sound, and a sound that is not silence have come, or
its patience is at an end. Prints one JSON line: frames and sizes of video, frames and loudest sample of audio."""
import asyncio
import json
import sys

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

import signalling

PATIENCE_S = 60


async def main(url, frames):
    seen = {"video": 0, "audio": 0, "sizes": [], "peak": 0, "first_ms": None}
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    loop = asyncio.get_running_loop()
    started = loop.time()

    async def read(track):
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            seen[track.kind] += 1
            if track.kind == "video":
                if seen["first_ms"] is None:
                    seen["first_ms"] = round((loop.time() - started) * 1000)
                if [frame.width, frame.height] not in seen["sizes"]:
                    seen["sizes"].append([frame.width, frame.height])
            else:
                seen["peak"] = max(seen["peak"], int(abs(frame.to_ndarray()).max()))

    peer.on("track", lambda track: asyncio.ensure_future(read(track)))
    for kind in ("video", "audio"):
        peer.addTransceiver(kind, direction="recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    status, session, head, text = await signalling.post(url, peer.localDescription.sdp)
    if status != 201:
        print(json.dumps({"status": status, "retry": head.get("Retry-After"), "text": text}))
        return 1
    await peer.setRemoteDescription(RTCSessionDescription(text, "answer"))
    while loop.time() < started + PATIENCE_S:
        if min(seen["video"], seen["audio"]) >= frames and seen["peak"] > 100:
            break
        await asyncio.sleep(0.1)
    seen["deleted"] = await signalling.delete(session)
    await peer.close()
    print(json.dumps(seen), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1], int(sys.argv[2]))))
