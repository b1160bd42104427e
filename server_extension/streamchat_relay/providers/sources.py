"""Sources: the pages that a provider says its model has read for the answer, in all their forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamchat_relay.model import SourceOutput

MOST_URL = 2048
MOST_TITLE = 300
"""Characters of each that are kept."""


def cited(found: Any) -> list[SourceOutput]:
    """What can be linked to of a list of sources, or of one.

    OpenAI's annotations, Anthropic's citations, and the plain addresses of Perplexity and xAI.

    >>> cited([{"url_citation": {"url": "https://a.example", "title": "A"}}])
    [SourceOutput(url='https://a.example', title='A')]
    >>> cited(["https://b.example", "javascript:alert(1)"])
    [SourceOutput(url='https://b.example', title='')]
    """
    sources: list[SourceOutput] = []
    for one in found if isinstance(found, list) else [found]:
        source: Any = one
        if isinstance(one, Mapping):
            inner = one.get("url_citation")
            source = inner if isinstance(inner, Mapping) else one
        url = source.get("url") if isinstance(source, Mapping) else source
        title = source.get("title") if isinstance(source, Mapping) else ""
        if isinstance(url, str) and url.startswith(("https://", "http://")):
            sources.append(
                SourceOutput(url[:MOST_URL], title[:MOST_TITLE] if isinstance(title, str) else "")
            )
    return sources
