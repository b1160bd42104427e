"""A peer: aiohttp as the server and as the client."""

from __future__ import annotations

import json
import os
import sys

from aiohttp import ClientSession, TCPConnector, web

BASE = os.environ["OPENAI_BASE_URL"]


async def relay(request):
    socket = web.WebSocketResponse(compress=False, protocols=("streamchat.v1",))
    await socket.prepare(request)
    session = request.app["session"]
    async for message in socket:
        body = {
            "model": "bench",
            "stream": True,
            "messages": [{"role": "user", "content": message.data}],
        }
        async with session.post(BASE + "/chat/completions", json=body) as answer:
            async for line in answer.content:
                if not line.startswith(b"data: ") or line.startswith(b"data: [DONE]"):
                    continue
                choices = json.loads(line[6:])["choices"]
                delta = choices[0]["delta"].get("content") if choices else None
                if delta:
                    await socket.send_str(json.dumps({"type": "text-delta", "delta": delta}))
        await socket.send_str('{"type":"finish"}')
    return socket


async def session(app):
    app["session"] = ClientSession(connector=TCPConnector(limit=0))
    yield
    await app["session"].close()


app = web.Application()
app.cleanup_ctx.append(session)
app.add_routes([web.get("/peer/ws", relay)])
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
