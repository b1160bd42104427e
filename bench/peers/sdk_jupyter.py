"""A peer: the openai SDK's stream in a handler of a Jupyter server, as one would write it."""

from __future__ import annotations

import json

from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from openai import AsyncOpenAI
from tornado.websocket import WebSocketHandler


class Handler(WebSocketMixin, WebSocketHandler, JupyterHandler):
    client = None

    def set_default_headers(self):
        pass

    def select_subprotocol(self, subprotocols):
        return subprotocols[0] if subprotocols else None

    @ws_authenticated
    async def get(self, *args, **kwargs):
        await super().get(*args, **kwargs)

    def open(self):
        self.set_nodelay(True)

    def get_compression_options(self):
        return None

    async def on_message(self, message):
        if Handler.client is None:
            Handler.client = AsyncOpenAI(max_retries=0)
        stream = await Handler.client.chat.completions.create(
            model="bench", messages=[{"role": "user", "content": message}], stream=True
        )
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                delta = chunk.choices[0].delta.content
                await self.write_message(json.dumps({"type": "text-delta", "delta": delta}))
        await self.write_message('{"type":"finish"}')


def _load_jupyter_server_extension(server):
    base = server.web_app.settings["base_url"]
    server.web_app.add_handlers(".*", [(base + "peer/ws", Handler)])


def _jupyter_server_extension_points():
    return [{"module": "bench.peers.sdk_jupyter"}]
