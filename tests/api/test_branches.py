"""Branches, batches and exports, against a real relay in a real kernel."""

from __future__ import annotations

from tests.api.kernel import RunningKernel
from tests.fakes.jupyter import JupyterServer


def run(jupyter: JupyterServer, code: str) -> str:
    with RunningKernel(jupyter) as kernel:
        outcome = kernel.run(code)
    assert outcome.error == "", outcome.error
    return outcome.text


def test_regenerate_edit_and_fork_make_branches_and_lose_nothing(jupyter: JupyterServer) -> None:
    assert "all well" in run(
        jupyter,
        """
from jupyter_streamchat import BadRequest, Chat
said = lambda chat: [one.text for one in chat.messages if one.role == "user"]
chat = Chat("demo/echo")
try:
    chat.regenerate()
except BadRequest as error:
    assert "no prompt yet" in error.message
first = chat.send("one").wait()
chat.send("two").wait()
again = chat.regenerate().wait()
assert said(chat) == ["one", "two"], said(chat)
assert "two" in again.text
again = chat.regenerate(chat.messages[1], model="demo/fast").wait()
assert said(chat) == ["one"], said(chat)
assert again.model == "demo/fast"
prompt = chat.messages[0]
chat.edit(prompt, "another one", model="demo/echo").wait()
assert said(chat) == ["another one"], said(chat)
assert len(chat._state().messages) == 8
try:
    chat.edit(chat.messages[-1], "no")
except BadRequest as error:
    assert "Only prompts" in error.message
left, right = chat.fork(), chat.fork()
l1, r1 = left.send("l1"), right.send("r1")
l2, r2 = left.send("l2"), right.send("r2")
for reply in (l1, r1, l2, r2):
    reply.wait()
assert said(left) == ["another one", "l1", "l2"], said(left)
assert said(right) == ["another one", "r1", "r2"], said(right)
assert Chat("demo/echo").fork().messages == ()
old = chat.conversation
chat.clear()
assert chat.messages == () and chat.conversation != old
assert Chat.from_dict(left.to_dict()).conversation == old
print("all well")
""",
    )


def test_map_asks_many_at_once_in_their_order_and_a_failure_is_among_the_replies(
    jupyter: JupyterServer,
) -> None:
    assert "all well" in run(
        jupyter,
        """
import asyncio
from jupyter_streamchat import BadRequest, Chat
chat = Chat("demo/echo")
chat.send("context").wait()
replies = chat.map([f"prompt {n}" for n in range(12)], concurrency=3, progress=False)
assert all(f"prompt {n}" in reply.text for n, reply in enumerate(replies))
assert len(chat.fork().messages) and replies[0].state == "done"
wrong = chat.map(["a", "b"], model="demo/nobody", progress=False)
assert [reply.state for reply in wrong] == ["error", "error"]
for bad in (dict(prompts="text"), dict(prompts=["a"], concurrency=0)):
    try:
        chat.map(**bad)
    except BadRequest:
        pass
    else:
        raise AssertionError(bad)
try:
    chat.map(["left alone", None], model="demo/slow", progress=False)
except BadRequest:
    pass
while "left alone" not in {message.text for message in chat._state().messages}:
    await asyncio.sleep(0)
while chat.unfinished():
    await asyncio.sleep(0)
assert [run.state for run in chat._state().runs.values()][-1] == "interrupted"
one, two = await asyncio.gather(chat.send("x"), chat.send("y"))
assert "x" in one.text and "y" in two.text
frame = one.to_dataframe()
assert frame.delta.sum() == one.text and frame.t.is_monotonic_increasing
assert frame.characters.iloc[-1] == len(one.text)
kinds = [type(event).__name__ for event in one.events()]
assert kinds[0] == "Start" and kinds[-1] == "Finish", kinds
axes = one.plot()
assert axes.get_ylabel() == "characters" and axes.lines
print("all well")
""",
    )


def test_a_chat_is_exported_to_read_to_process_and_to_run(jupyter: JupyterServer) -> None:
    assert "all well" in run(
        jupyter,
        """
import json, nbformat, pathlib, tempfile
from jupyter_streamchat import BadRequest, Chat
where = pathlib.Path(tempfile.mkdtemp())
chat = Chat("demo/echo")
chat.send("Run:\\n```python\\nx = 1\\n```\\nand read\\n```sql\\nSELECT 1\\n```").wait()
assert "SELECT 1" in chat.export(where / "chat.md").read_text()
text = chat.export(str(where / "chat.jsonl")).read_text()
lines = [json.loads(line) for line in text.splitlines()]
assert [line["role"] for line in lines] == ["user", "assistant"]
assert lines[1]["model"] == "demo/echo" and lines[0]["content"].startswith("Run:")
book = nbformat.read(chat.export(where / "chat.ipynb"), as_version=4)
nbformat.validate(book)
assert [cell.source for cell in book.cells if cell.cell_type == "code"] == ["x = 1"]
try:
    chat.export("chat.pdf")
except BadRequest as error:
    assert ".md, .jsonl, .ipynb" in error.message
print("all well")
""",
    )
