"""Streaming LLM chat for notebooks."""

from importlib.metadata import version

from jupyter_streamchat.chat import Chat
from jupyter_streamchat.errors import AnswerMismatch, FrontEndMissing, RelayLost, RelayNotFound
from jupyter_streamchat.functions import Context, Ended, Thought, ToolCall, ToolResult
from jupyter_streamchat.magic import load_ipython_extension, unload_ipython_extension
from jupyter_streamchat.models import Models
from jupyter_streamchat.openai import async_openai_client, openai_client, openai_settings
from jupyter_streamchat.reply import Reply
from jupyter_streamchat.tools import Called, Tool
from streamchat_relay.model import (
    BadRequest,
    BudgetExhausted,
    ContentFiltered,
    ContextLength,
    Forbidden,
    Internal,
    Message,
    ModelUnknown,
    NotFound,
    ProviderAuth,
    ProviderError,
    ProviderOverloaded,
    ProviderRateLimited,
    RateLimited,
    Stalled,
    StreamChatError,
    TimedOut,
    Timing,
    TooLarge,
    Truncated,
    Unauthorized,
    Usage,
)

__version__ = version("jupyter-streamchat")

__all__ = [
    "AnswerMismatch",
    "BadRequest",
    "BudgetExhausted",
    "Called",
    "Chat",
    "ContentFiltered",
    "Context",
    "ContextLength",
    "Ended",
    "Forbidden",
    "FrontEndMissing",
    "Internal",
    "Message",
    "ModelUnknown",
    "Models",
    "NotFound",
    "ProviderAuth",
    "ProviderError",
    "ProviderOverloaded",
    "ProviderRateLimited",
    "RateLimited",
    "RelayLost",
    "RelayNotFound",
    "Reply",
    "Stalled",
    "StreamChatError",
    "Thought",
    "TimedOut",
    "Timing",
    "TooLarge",
    "Tool",
    "ToolCall",
    "ToolResult",
    "Truncated",
    "Unauthorized",
    "Usage",
    "__version__",
    "async_openai_client",
    "load_ipython_extension",
    "openai_client",
    "openai_settings",
    "unload_ipython_extension",
]
