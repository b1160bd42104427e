"""The models that a chat can ask, as a list that reads well in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from streamchat_relay.model import Catalog
from streamchat_relay.model.markdown import safe_markdown
from streamchat_relay.model.visible import visible


class Models(Sequence[str]):
    """The ids of all models, `provider/model`, as a read-only list.

    `default` is the one that is asked when a chat names none; `catalog` has the capabilities, and
    the problems that keep other providers from being listed.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.default = catalog.default
        self._ids = tuple(model.id for model in catalog.models)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self._ids[index]

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        lines = [f"{one} (default)" if one == self.default else one for one in self._ids]
        lines += [f"no {one.provider}: {one.message}" for one in self.catalog.problems]
        return visible("\n".join(lines))

    def _repr_markdown_(self) -> str:
        lines = [
            f"- {_code(one)}{' (default)' if one == self.default else ''}" for one in self._ids
        ]
        lines += [
            f"- *no {one.provider}: {safe_markdown(one.message)}*" for one in self.catalog.problems
        ]
        return "\n".join(lines)


def _code(name: str) -> str:
    # A provider names its models as it likes.
    line = " ".join(visible(name).split())
    return safe_markdown(line) if "`" in line else f"`{line}`"
