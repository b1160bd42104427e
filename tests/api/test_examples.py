"""Every example in a docstring of the kernel's half runs, with the demo model, in a real kernel."""

from __future__ import annotations

import pkgutil

import pytest

import jupyter_streamchat
from tests.api.kernel import RunningKernel
from tests.fakes.jupyter import JupyterServer

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(jupyter_streamchat.__path__, "jupyter_streamchat.")
)


@pytest.mark.timeout(90)
def test_the_examples_run(jupyter: JupyterServer) -> None:
    code = (
        "import doctest, importlib\n"
        f"for name in {MODULES!r}:\n"
        "    result = doctest.testmod(importlib.import_module(name))\n"
        "    print(name, result.failed, result.attempted)"
    )
    with RunningKernel(jupyter) as kernel:
        outcome = kernel.run(code)
    assert outcome.error == ""
    results = [line.split() for line in outcome.text.splitlines() if line.startswith("jupyter_")]
    assert [name for name, *_ in results] == MODULES, outcome.text
    assert sum(int(failed) for _, failed, _ in results) == 0, outcome.text
    assert sum(int(attempted) for *_, attempted in results) >= 10
