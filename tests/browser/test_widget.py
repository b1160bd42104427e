"""The widget in a real JupyterLab: what a person sees and may rely on."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from streamchat_relay.providers.demo_text import ECHO
from tests.browser.kit import FINISHED, PACED, Paced, ask, chat_cell, finished, stop
from tests.fakes.lab import LabPage
from tests.fakes.provider_server import ProviderServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_typed_prompt_streams_and_ends_with_its_figures(lab: LabPage) -> None:
    await lab.open([chat_cell("demo/echo")])
    await lab.run_done(0)
    chat = lab.output(0)
    await ask(chat, "Say **this** back")
    await expect(chat.get_by_role("article", name="Answer")).to_contain_text("Say this back")
    await expect(chat.locator(".streamchat-figures")).to_contain_text(FINISHED)
    await expect(chat.locator(".streamchat-content strong").last).to_have_text("this")
    await expect(chat.get_by_role("textbox", name="Prompt")).to_have_value("")


async def test_while_the_kernel_sleeps_a_prompt_streams_and_stop_stops_it(lab: LabPage) -> None:
    await lab.open([chat_cell("demo/slow"), "import time\ntime.sleep(60)"])
    await lab.run_done(0)
    await lab.run(1)
    await lab.started(1)
    chat = lab.output(0)
    await ask(chat, "Are you there?")
    await expect(chat.locator(".streamchat-content")).to_contain_text("demo")
    await stop(chat)
    await lab.started(1)
    await lab.interrupt()
    await lab.ran(1)
    await expect(lab.output(1)).to_contain_text("KeyboardInterrupt")


async def test_widget_and_kernel_share_the_conversation(lab: LabPage) -> None:
    await lab.open(
        [
            chat_cell("demo/echo"),
            "print(chat.send('from the kernel').wait().state)",
            "print([message.text for message in chat.messages if message.role == 'user'])",
        ]
    )
    await lab.run_done(0)
    chat = lab.output(0)
    await ask(chat, "from the page")
    await finished(chat, 1)
    await lab.run_done(1)
    await expect(lab.output(1)).to_contain_text("done")
    await expect(chat.locator(".streamchat-prompt")).to_have_text(
        ["from the page", "from the kernel"]
    )
    await lab.run_done(2)
    await expect(lab.output(2)).to_contain_text("['from the page', 'from the kernel']")


async def test_a_reload_in_mid_answer_loses_nothing(lab: LabPage, provider: ProviderServer) -> None:
    await lab.open([chat_cell(PACED), "print(repr(chat.messages[-1].text))"])
    await lab.run_done(0)
    answer = Paced(provider)
    await ask(lab.output(0), "Go on and on")
    answer.say(20)
    await expect(lab.output(0).locator(".streamchat-content")).to_have_text(answer.text)
    await lab.save()
    answer.say(20)
    await lab.reload()
    chat = lab.output(0)
    content = chat.locator(".streamchat-content")
    await expect(content).to_have_text(answer.text)
    await expect(chat.locator(".streamchat-prompt")).to_have_text("Go on and on")
    answer.say(20)
    await expect(content).to_have_text(answer.text)
    await stop(chat)
    await lab.run_done(1)
    assert (await lab.text(1)).strip() == repr(answer.text)
    assert await content.inner_text() == answer.text.strip()


async def test_a_kernel_restart_in_mid_answer_loses_nothing(lab: LabPage) -> None:
    await lab.open([chat_cell("demo/slow")])
    await lab.run_done(0)
    chat = lab.output(0)
    await ask(chat, "Outlive the kernel")
    content = chat.locator(".streamchat-content")
    await expect(content).to_contain_text("demo")
    await lab.restart_kernel()
    before = len(await content.inner_text())
    await lab.page.wait_for_function(
        "before => document.querySelector('.streamchat-content').innerText.length > before + 20",
        arg=before,
    )
    await stop(chat)


async def test_interrupting_a_loop_stops_the_run_and_keeps_the_text(lab: LabPage) -> None:
    await lab.open(
        [
            "from jupyter_streamchat import Chat\nchat = Chat('demo/slow')",
            "reply = chat.send('Count')\nfor delta in reply:\n    print(delta, end='')",
            "reply.wait()\nprint('state', reply.state, 'kept', len(reply.text) > 0)",
        ]
    )
    await lab.run_done(0)
    await lab.run(1)
    await expect(lab.output(1)).to_contain_text("demo")
    await lab.interrupt()
    await lab.ran(1)
    await expect(lab.output(1)).to_contain_text("KeyboardInterrupt")
    await lab.run_done(2)
    await expect(lab.output(2)).to_contain_text("state interrupted kept True")


async def test_a_reply_shows_itself_streaming_and_is_saved_as_markdown(lab: LabPage) -> None:
    await lab.open(
        [
            """
            from jupyter_streamchat import Chat
            reply = Chat('demo/echo').send('A **bold** word')
            reply
            """
        ]
    )
    await lab.run_done(0)
    await expect(lab.output(0).locator("strong").last).to_have_text("bold")
    # The widget has the look of Markdown, too, until that takes its place.
    await expect(lab.output(0).locator(".streamchat")).to_have_count(0)
    await expect(lab.output(0).locator(".jp-RenderedMarkdown")).to_be_visible()
    await lab.save()
    output = lab.saved().cells[0].outputs[0]
    assert "A **bold** word" in output.data["text/markdown"]
    assert not any("widget" in kind for kind in output.data)


async def test_the_magics_stream_into_the_cell(lab: LabPage) -> None:
    await lab.open(
        [
            "%load_ext jupyter_streamchat",
            "%%streamchat demo/echo\nKeep {these} braces and $this",
            "%streamchat one more line",
            "%streamchat",
        ]
    )
    for number in range(4):
        await lab.run_done(number)
    await expect(lab.output(1)).to_contain_text("Keep {these} braces and $this")
    await expect(lab.output(2)).to_contain_text("one more line")
    await expect(lab.output(3).locator(".streamchat-prompt")).to_have_count(2)


async def test_two_tabs_show_the_same_and_either_can_stop(lab: LabPage) -> None:
    await lab.open([chat_cell("demo/slow")])
    await lab.run_done(0)
    await lab.save()
    async with await lab.page.context.new_page() as page:
        other = await LabPage(lab.server, page).start("other")
        other.path = lab.path
        await other.reopen()
        await ask(lab.output(0), "To both of you")
        contents = [tab.output(0).locator(".streamchat-content") for tab in (lab, other)]
        for content in contents:
            await expect(content).to_contain_text("demo")
        await stop(other.output(0))
        await expect(lab.output(0).locator(".streamchat-ending")).to_have_text("Stopped")
        one, two = [await content.inner_text() for content in contents]
        assert one == two


async def test_an_answer_runs_no_script_and_fetches_nothing(lab: LabPage) -> None:
    await lab.open([chat_cell("demo/echo")])
    await lab.run_done(0)
    asked: list[str] = []
    lab.page.on("request", lambda request: asked.append(request.url))
    await lab.page.evaluate("() => { window.hurt = 0; }")
    hostile = (
        "<img src=x onerror=window.hurt=1> <script>window.hurt=1</script> "
        "[click](javascript:window.hurt=1) ![seen](http://127.0.0.1:9/leak.png?secret) "
        "<iframe src=javascript:parent.hurt=1></iframe> <a href='javascript:window.hurt=1'>x</a>"
    )
    chat = lab.output(0)
    await ask(chat, hostile)
    await finished(chat, 1)
    answer = chat.get_by_role("article", name="Answer")
    assert await answer.locator("img, script, iframe, [onerror]").count() == 0
    links = await answer.locator("a").evaluate_all("all => all.map(one => one.href)")
    assert not any(link.startswith("javascript") for link in links)
    assert await lab.page.evaluate("() => window.hurt") == 0
    assert not any("leak.png" in url for url in asked)
    await expect(answer).to_contain_text("http://127.0.0.1:9/leak.png?secret")


async def test_a_reader_who_scrolled_up_is_left_there(
    lab: LabPage, provider: ProviderServer
) -> None:
    await lab.open([chat_cell(PACED)])
    await lab.run_done(0)
    chat = lab.output(0)
    answer = Paced(provider, (f"Paragraph {number}.\n\n" for number in range(100)))
    await ask(chat, "A long one")
    answer.say(50)
    content = chat.locator(".streamchat-content")
    await expect(content).to_contain_text("Paragraph 49.")
    list_ = chat.get_by_role("region", name="Conversation")
    await list_.hover()
    await lab.page.mouse.wheel(0, -5000)
    await lab.page.wait_for_function(
        "() => document.querySelector('.streamchat-list').scrollTop === 0"
    )
    answer.say(40)
    await expect(content).to_contain_text("Paragraph 89.")
    # It still runs, and what came since did not move the reader.
    await expect(chat.get_by_role("button", name="Stop")).to_be_visible()
    assert await list_.evaluate("list => list.scrollTop") == 0
    answer.finish()
    await finished(chat, 1)
    assert await list_.evaluate("list => list.scrollTop") == 0
    await chat.locator(".streamchat-latest").click()
    await lab.page.wait_for_function(
        """() => { const list = document.querySelector('.streamchat-list');
                   return list.scrollHeight - list.clientHeight - list.scrollTop < 4; }"""
    )


async def test_an_unknown_model_is_named_and_the_prompt_is_not_lost(lab: LabPage) -> None:
    await lab.open([chat_cell("dmo/fast")])
    await lab.run_done(0)
    chat = lab.output(0)
    await ask(chat, "Please keep me")
    await expect(chat).to_contain_text("demo")
    await expect(chat.get_by_role("textbox", name="Prompt")).to_have_value("Please keep me")


async def test_a_provider_without_a_key_says_which_variable_and_can_be_retried(
    lab: LabPage,
) -> None:
    await lab.open([chat_cell("openai/some-model")])
    await lab.run_done(0)
    chat = lab.output(0)
    await ask(chat, "Hello")
    await expect(chat.locator(".streamchat-ending")).to_contain_text("OPENAI_API_KEY")
    await chat.get_by_role("button", name=re.compile("retry|again", re.IGNORECASE)).click()
    await expect(chat.locator(".streamchat-prompt")).to_have_count(1)
    await expect(chat.locator(".streamchat-ending")).to_contain_text("OPENAI_API_KEY")


async def test_a_saved_chat_without_its_kernel_leaves_a_static_transcript(lab: LabPage) -> None:
    await lab.open([chat_cell("demo/echo"), "chat.send('for the record').wait()\nchat"])
    await lab.run_done(0)
    await lab.run_done(1)
    await lab.save()
    data = lab.saved().cells[1].outputs[0].data
    assert "for the record" in data["text/markdown"]
    assert "for the record" in data["text/plain"]


async def test_an_answer_is_copied_as_the_markdown_that_the_model_wrote(lab: LabPage) -> None:
    await lab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await lab.open([chat_cell("demo/echo")])
    await lab.run_done(0)
    chat = lab.output(0)
    prompt = "# A **strong** [link](https://jupyter.org)\n\n| a |\n|--:|\n| `1` |"
    await ask(chat, prompt)
    await finished(chat, 1)
    await lab.page.evaluate("() => navigator.clipboard.writeText('nothing yet')")
    await chat.get_by_role("button", name="Copy answer as Markdown").click()
    await lab.page.wait_for_function(
        "async () => await navigator.clipboard.readText() !== 'nothing yet'"
    )
    copied = await lab.page.evaluate("() => navigator.clipboard.readText()")
    assert copied == ECHO.format(text=prompt)


STOPPED_CASSETTE = """
    from jupyter_streamchat import Chat
    recorded = Chat("demo/slow")
    recorded.record("stopped.jsonl")
    reply = recorded.send("Hello")
    next(iter(reply))
    reply.stop()
    reply.wait()
    Chat.replay("stopped.jsonl", speed=float("inf"))
"""


async def test_a_recorded_stop_is_shown_as_a_stop(lab: LabPage) -> None:
    await lab.open([STOPPED_CASSETTE])
    await lab.run_done(0)
    chat = lab.output(0)
    await ask(chat, "Play it")
    await expect(chat.locator(".streamchat-ending")).to_have_text("Stopped")
    await expect(chat.locator(".streamchat-content").last).not_to_be_empty()
