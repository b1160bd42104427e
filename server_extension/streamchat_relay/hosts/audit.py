"""The audit: a line of the log for each run, and numbers for Prometheus; never what was said."""

from __future__ import annotations

import logging

import msgspec
from prometheus_client import Counter, Gauge, Histogram

from streamchat_relay.relay.report import RunReport

LOGGER = "streamchat.audit"
"""Its records have the report in `record.streamchat`, a dictionary."""

_log = logging.getLogger(LOGGER)
_encode = msgspec.json.Encoder().encode

# In the process's own registry, which Jupyter's `/metrics` shows. Users are not in it: their number
# has no bound, and who may read the metrics need not know them.
RUNNING = Gauge("streamchat_runs_going_on", "Answers that are asked for and have not ended")
RUNS = Counter("streamchat_runs", "Answers that have ended", ["provider", "outcome", "reason"])
TOKENS = Counter("streamchat_tokens", "Tokens of finished answers", ["provider", "kind"])
FIRST = Histogram(
    "streamchat_first_token_seconds", "From asking a provider to its first token", ["provider"]
)


class Audit:
    """Tells of each run, in both ways."""

    def began(self) -> None:
        """A run was accepted."""
        RUNNING.inc()

    def ended(self, report: RunReport) -> None:
        """A run has ended."""
        RUNNING.dec()
        RUNS.labels(report.provider, report.outcome, report.reason).inc()
        for kind, tokens in (("input", report.input), ("output", report.output)):
            if tokens:
                TOKENS.labels(report.provider, kind).inc(tokens)
        if report.ttft_ms is not None:
            FIRST.labels(report.provider).observe(report.ttft_ms / 1000)
        if _log.isEnabledFor(logging.INFO):
            said = msgspec.to_builtins(report)
            _log.info("%s", _encode(report).decode(), extra={"streamchat": said})
