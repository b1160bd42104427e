"""What was answered `ok`, and what came of it, outlive SIGKILL, and are not generated again."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.jupyter import JupyterServer
from tests.fakes.provider_server import Answer, Gate, ProviderServer
from tests.hosts.kit import Run, soon


async def test_a_prompt_that_was_answered_survives_a_kill_and_is_not_generated_again(
    tmp_path: Path,
) -> None:
    with JupyterServer(tmp_path) as server:
        socket = await server.socket()
        first = await socket.prompt("c1", "r1", "Remember me", model="demo/slow")
        server.kill()
        server.start()
        async with await server.socket() as again:
            second = await again.prompt("c1", "r1", "Remember me", model="demo/slow")
            assert second["duplicate"]
            assert second["message"] == first["message"]
            await again.ask(type="open", conversation="c1")
            snapshot = await again.until(lambda frame: frame["type"] == "snapshot")
            assert snapshot["state"]["messages"][0]["parts"][0]["text"] == "Remember me"
            assert snapshot["state"]["runs"]["r1"]["abort_reason"] == "server_lost"


async def test_a_kill_in_mid_stream_keeps_what_came_and_the_run_says_server_lost(
    upstream: ProviderServer, tmp_path: Path
) -> None:
    before, gate = len(upstream.calls), Gate(1)
    deltas = [f"{number} " for number in range(50)]
    upstream.answers.append(Answer(deltas=deltas, gate=gate))
    environ = {"OPENAI_BASE_URL": upstream.openai_url, "OPENAI_API_KEY": "sk-none"}
    with JupyterServer(tmp_path, environ=environ) as server:
        socket = await server.socket()
        run = Run(socket, "openai/fake-1")
        await run.send("Count")
        gate.release(20)
        await run.until("text-delta", count=20)
        # Another load comes after every append before it, so what came is on disk.
        await socket.ask(type="stop", run="nothing")
        server.kill()
        await soon(upstream.calls[before].wait_closed())
        assert upstream.calls[before].sent == 21
        gate.open()
        server.start()
        async with await server.socket() as again:
            await again.ask(type="open", conversation=run.conversation)
            snapshot = await again.until(lambda frame: frame["type"] == "snapshot")
            prompt, answer = snapshot["state"]["messages"]
            assert prompt["parts"][0]["text"] == "Count"
            assert "".join(part["text"] for part in answer["parts"]) == "".join(deltas[:20])
            assert not any(part.get("open") for part in answer["parts"])
            record = snapshot["state"]["runs"][run.id]
            assert (record["state"], record["abort_reason"]) == ("interrupted", "server_lost")
            # Sent again, as a client does whose answer was lost.
            sent = await again.prompt(run.conversation, run.id, "Count", model=run.model)
            assert (sent["duplicate"], sent["message"]) == (True, answer["id"])
            assert (await again.ask(type="stop", run=run.id))["state"] == "interrupted"
    assert len(upstream.calls) == before + 1
