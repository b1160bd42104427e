"""A refusal: what a provider's error says, in the shapes of both wires and of those like them."""

from __future__ import annotations

import email.utils
import math
import re
import time
from collections.abc import Mapping
from typing import Any

import msgspec

_DAY = 86_400.0

_CODE = re.compile(r"[a-z][a-z_.-]{2,47}")


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider's error says, from its body and its status (0 within a stream)."""

    status: int = 0
    code: str = ""
    kind: str = ""
    message: str = ""
    param: str = ""
    retry_after: float | None = None

    @property
    def shown(self) -> str:
        """Status and code for a person, in brackets; only what cannot be a secret."""
        code = next((code for code in (self.code, self.kind) if _CODE.fullmatch(code)), "")
        words = " ".join(filter(None, [str(self.status) if self.status else "", code]))
        return f" ({words})" if words else ""


def refusal_from(
    body: object, status: int = 0, headers: Mapping[str, str] | None = None
) -> Refusal:
    """Read an error body of either wire, or of the many that are nearly like them.

    >>> refusal_from({"error": {"code": "model_not_found", "message": "no"}}, 404).code
    'model_not_found'
    """
    error: Any = body
    if isinstance(error, list) and error:
        error = error[0]  # Gemini's compatible endpoint wraps its error in a list.
    if isinstance(error, Mapping):
        error = error.get("error") or error
    if isinstance(error, str):
        error = {"message": error}
    if not isinstance(error, Mapping):
        error = {}
    code = error.get("code")
    if not status and isinstance(code, int):
        status = code
    return Refusal(
        status=status,
        code=code if isinstance(code, str) else str(error.get("status") or "").lower(),
        kind=str(error.get("type") or ""),
        message=str(error.get("message") or "")[:4000],
        param=str(error.get("param") or ""),
        retry_after=retry_after(headers or {}),
    )


def refusal_within(event: object) -> Refusal | None:
    """The error that an event of a stream is, wrapped or bare; None for any other event.

    >>> refusal_within({"object": "error", "message": "Too many requests", "code": 429}).status
    429
    """
    entry = event[0] if isinstance(event, list) and event else event
    if not isinstance(entry, Mapping):
        return None
    kinds = [entry[name] for name in ("type", "object") if name in entry]
    named = any(str(kind).lower().endswith("error") for kind in kinds)
    # An event of a kind that is new may bring a message of its own.
    bare = isinstance(entry.get("message"), str) and ("code" in entry or not kinds)
    return refusal_from(entry) if entry.get("error") or named or bare else None


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds to wait, from `retry-after-ms` or else `Retry-After` (seconds or a date).

    >>> retry_after({"retry-after": "7"}), retry_after({"retry-after-ms": "1500"})
    (7.0, 1.5)
    """
    lower = {name.lower(): value for name, value in headers.items()}
    seconds = _number(lower.get("retry-after-ms", "")) / 1000
    if not math.isfinite(seconds):
        seconds = _number(lower.get("retry-after", ""))
    if not math.isfinite(seconds):
        try:
            date = email.utils.parsedate_to_datetime(lower.get("retry-after", ""))
        except (ValueError, OverflowError):
            return None
        seconds = date.timestamp() - (time.time() if now is None else now)
    return min(max(seconds, 0.0), _DAY)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
