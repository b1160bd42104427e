"""OpenAI's client, pointed at the relay: code that speaks its API runs without a key of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jupyter_streamchat.connect import connect
from jupyter_streamchat.errors import RelayNotFound

if TYPE_CHECKING:
    import openai

IN_KERNEL = (
    "`openai_client` and `openai_settings` need the relay of a Jupyter server, and here the relay "
    "runs in this kernel, which has no address. Use `Chat(…)`, or make the client yourself, as in "
    "`openai.OpenAI()`: it takes OPENAI_API_KEY from this kernel's environment."
)


def openai_client(**options: Any) -> openai.OpenAI:
    """A client of the openai SDK whose requests go through this notebook's relay.

    They use the server's keys and keep to its limits, and models are named `provider/model`.
    `options` are those of `openai.OpenAI`. Raises `RelayNotFound` where there is no relay.

    >>> client = openai_client()
    >>> asked = [{"role": "user", "content": "Hello!"}]
    >>> answer = client.chat.completions.create(model="demo/echo", messages=asked)
    >>> "Hello!" in answer.choices[0].message.content
    True
    """
    import openai  # noqa: PLC0415 - takes a second

    return openai.OpenAI(**{**openai_settings(), **options})


def async_openai_client(**options: Any) -> openai.AsyncOpenAI:
    """The same for `await`: an `openai.AsyncOpenAI`."""
    import openai  # noqa: PLC0415 - takes a second

    return openai.AsyncOpenAI(**{**openai_settings(), **options})


def openai_settings() -> dict[str, str]:
    """`base_url` and `api_key` for whatever else speaks OpenAI's API, such as LangChain.

    The key is this server's capability for its own kernels: it opens nothing elsewhere, and ends
    with the server.

    >>> sorted(openai_settings())
    ['api_key', 'base_url']
    """
    client = connect()
    if client.relay is not None:
        raise RelayNotFound(IN_KERNEL)
    at = client.address()
    if at is None:
        raise RelayNotFound("The relay of this notebook is gone. Is the Jupyter server running?")
    parts = urlsplit(at.url)
    kernel = parts.query.removeprefix("kernel_id=")
    _, _, capability = at.headers["Authorization"].partition(" ")
    return {
        "base_url": f"http://{parts.netloc}/kernel/{kernel}/streamchat/openai/v1",
        "api_key": capability,
    }
