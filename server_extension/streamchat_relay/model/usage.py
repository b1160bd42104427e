"""What a run cost and how long it took."""

from __future__ import annotations

import msgspec


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tokens of one run, as the provider counted them.

    `input` includes `cached`; `output` includes `reasoning`. `estimated` is true where the
    provider gave no count and the relay guessed from the text's length.
    """

    input: int
    output: int
    reasoning: int | None = None
    cached: int | None = None
    estimated: bool = False

    def __add__(self, other: Usage) -> Usage:
        """Both together.

        >>> Usage(input=1, output=2) + Usage(input=3, output=4, cached=1)
        Usage(input=4, output=6, reasoning=None, cached=1, estimated=False)
        """
        return Usage(
            input=self.input + other.input,
            output=self.output + other.output,
            reasoning=_sum(self.reasoning, other.reasoning),
            cached=_sum(self.cached, other.cached),
            estimated=self.estimated or other.estimated,
        )


class Timing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Durations of one run: milliseconds from acceptance, output tokens per second.

    `ttft_ms` (time to first token) is absent when no token came; `output_per_s` counts from the
    first token to the last and is absent when that span has no length.
    """

    total_ms: float
    ttft_ms: float | None = None
    output_per_s: float | None = None


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None and other is None else (one or 0) + (other or 0)
