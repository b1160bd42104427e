"""What was answered `ok` outlives the server's sudden end, and is not generated again."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.jupyter import JupyterServer


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
