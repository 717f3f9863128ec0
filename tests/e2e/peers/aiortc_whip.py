#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Publishes a file by WHIP with aiortc, a WebRTC stack that is not Chromium's (Debian: python3-aiortc).

    aiortc_whip.py URL FILE [CODEC]

Goes on until its standard input ends. Prints one JSON line when connected, one at the end; exits 0 when the session was made and ended well."""
import asyncio
import json
import sys

from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer

import signalling


async def main(url, path, codec):
    player = MediaPlayer(path, loop=True)
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connected = asyncio.Event()
    peer.on("connectionstatechange", lambda: peer.connectionState == "connected" and connected.set())
    video = peer.addTransceiver(player.video, direction="sendonly")
    wanted = [c for c in RTCRtpSender.getCapabilities("video").codecs if c.mimeType.lower() == f"video/{codec}".lower()]
    video.setCodecPreferences(wanted)
    if player.audio:
        peer.addTransceiver(player.audio, direction="sendonly")
    await peer.setLocalDescription(await peer.createOffer())
    status, session, _, text = await signalling.post(url, peer.localDescription.sdp)
    if status != 201:
        print(json.dumps({"status": status, "text": text}), flush=True)
        return 1
    await peer.setRemoteDescription(RTCSessionDescription(text, "answer"))
    await asyncio.wait_for(connected.wait(), 20)
    print(json.dumps({"connected": True}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    stats = await peer.getStats()
    lost = [s.packetsLost for s in stats.values() if s.type == "remote-inbound-rtp"]
    sent = [s.packetsSent for s in stats.values() if s.type == "outbound-rtp"]
    gone = await signalling.delete(session)
    print(json.dumps({"deleted": gone, "sent": sent, "lost": lost}), flush=True)
    await peer.close()
    return 0 if gone == 200 else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "H264")))
