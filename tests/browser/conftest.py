"""One JupyterLab, one browser and one page for all browser tests.

They end with this folder: a browser that nobody listens to for minutes does not close any more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from tests.fakes.jupyter import JupyterServer
from tests.fakes.lab import LabPage, lab_server, launch
from tests.fakes.provider_server import ProviderServer, running_provider_server
from tests.pictures.stage import PERSON, Stage

PATIENCE_MS = 30_000
# The context's own timeout is not that of expectations, which is 5 s.
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="package")
def provider() -> Iterator[ProviderServer]:
    """The provider `paced`; see `kit.Paced`."""
    with running_provider_server() as server:
        yield server


@pytest.fixture(scope="package")
def lab_jupyter(
    provider: ProviderServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[JupyterServer]:
    """A JupyterLab with the relay."""
    providers = {"paced": {"base_url": provider.openai_url}}
    with lab_server(
        tmp_path_factory.mktemp("lab"), config={"StreamChat": {"providers": providers}}
    ) as server:
        yield server


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A Chromium."""
    async with async_playwright() as playwright:
        made = await launch(playwright)
        yield made
        await made.close()


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """One person's browser: tabs share its cookies."""
    made = await browser.new_context(viewport={"width": 1100, "height": 900})
    made.set_default_timeout(PATIENCE_MS)
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def lab_page(lab_jupyter: JupyterServer, context: BrowserContext) -> LabPage:
    """The page that the tests take in turns."""
    return await LabPage(lab_jupyter, await context.new_page()).start()


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def stage(lab_jupyter: JupyterServer, browser: Browser) -> AsyncIterator[Stage]:
    """A place for staged conversations, in a browser context whose media nobody else shares."""
    context = await browser.new_context(**PERSON)
    context.set_default_timeout(PATIENCE_MS)
    yield await Stage(LabPage(lab_jupyter, await context.new_page())).set()
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def lab(lab_page: LabPage) -> AsyncIterator[LabPage]:
    """The page, without what an earlier test opened."""
    yield lab_page
    await lab_page.close()
    # Beside an open panel a notebook is narrow.
    await lab_page.page.evaluate("() => window.jupyterapp.shell.collapseRight()")
