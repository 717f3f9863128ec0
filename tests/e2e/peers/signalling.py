# SPDX-License-Identifier: MIT
"""POST of an offer and DELETE of the session, as WHIP and WHEP have them, with the standard library."""
import asyncio
import urllib.error
import urllib.parse
import urllib.request


def _call(method, url, body=None, head=None):
    request = urllib.request.Request(url, data=body, method=method, headers=head or {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read().decode()


async def post(url, sdp):
    """Status, session URL or None, headers, text."""
    status, head, text = await asyncio.to_thread(_call, "POST", url, sdp.encode(), {"Content-Type": "application/sdp"})
    location = head.get("Location")
    return status, location and urllib.parse.urljoin(url, location), head, text


async def delete(session):
    return (await asyncio.to_thread(_call, "DELETE", session))[0]
