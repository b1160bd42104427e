"""The catalog: which models can be asked, and which providers cannot be reached."""

from __future__ import annotations

import msgspec


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A model as a person picks it. `id` is `provider/name`; names may hold slashes and colons.

    `capabilities` are words like `text`, `reasoning`, `image`; a client ignores those it does not
    know, and where there are none they are not known. `context` is how many tokens it reads at
    once, where its provider says so.
    """

    id: str
    provider: str
    name: str
    capabilities: tuple[str, ...] = ()
    context: int | None = None


class ProviderProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a provider's models are missing, and what a person can do."""

    provider: str
    message: str


class Catalog(msgspec.Struct, frozen=True, kw_only=True):
    """All models that can be asked now."""

    models: tuple[ModelInfo, ...]
    default: str
    problems: tuple[ProviderProblem, ...] = ()
