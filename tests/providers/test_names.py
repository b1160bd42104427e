from __future__ import annotations

import subprocess
import sys

from streamchat_relay import providers


def test_the_public_names_are_these() -> None:
    assert providers.__all__ == ["DemoProvider", "ProviderRegistry", "RegistrySettings"]


def test_importing_the_providers_imports_no_sdk() -> None:
    # They take seconds, and Jupyter's start must not.
    code = (
        "import sys; from streamchat_relay.providers import ProviderRegistry as R; R(environ={});"
        "print([name for name in ('openai', 'anthropic', 'httpx2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
