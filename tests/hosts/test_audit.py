"""What an administrator reads of runs, in a real server's log and metrics."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from pathlib import Path

from tests.fakes.jupyter import JupyterServer
from tests.hosts.kit import Run


def metrics_of(server: JupyterServer) -> str:
    headers = {"Authorization": f"token {server.token}"}
    asked = urllib.request.Request(f"{server.url}metrics", headers=headers)
    with urllib.request.urlopen(asked) as answer:
        return str(answer.read(), "utf-8")


async def test_a_run_leaves_a_line_and_numbers_but_nothing_that_was_said(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    logging = {
        "handlers": {"audit": {"class": "logging.FileHandler", "filename": str(file)}},
        "loggers": {"streamchat.audit": {"level": "INFO", "handlers": ["audit"]}},
    }
    with JupyterServer(tmp_path, config={"ServerApp": {"logging_config": logging}}) as server:
        async with await server.socket() as socket:
            await Run(socket, "demo/echo", "talk").answer("my secret words")
        metrics = await asyncio.to_thread(metrics_of, server)
    (line,) = file.read_text("utf-8").splitlines()
    said = json.loads(line)
    assert said["user"] == "owner"
    assert (said["conversation"], said["model"]) == ("talk", "demo/echo")
    assert (said["outcome"], said["reason"]) == ("finish", "stop")
    assert said["output"] > 0
    assert "secret" not in line
    assert 'streamchat_runs_total{outcome="finish",provider="demo",reason="stop"} 1.0' in metrics
    assert "streamchat_runs_going_on 0.0" in metrics
    assert 'streamchat_first_token_seconds_count{provider="demo"} 1.0' in metrics
