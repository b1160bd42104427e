"""Where keys come from: configuration, then the environment, then a file only the user reads."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

import msgspec

from streamchat_relay.model import ProviderAuth
from streamchat_relay.providers.failures import UNREADABLE

KEY_FILE = "streamchat_keys.json"
"""In Jupyter's configuration directory: `{"openai": "…"}`, readable by its owner only."""


class KeyFileProblem(Exception):
    """The file is there and cannot be used; the text says what to do."""


class Keys:
    """Finds the key of a provider, anew at each call, so that a key may come at any time.

    A key never shows in a `repr`, a message or an error.
    """

    def __init__(
        self, configured: Mapping[str, str], environ: Mapping[str, str], config_dir: Path | None
    ) -> None:
        self._configured = configured
        self._environ = environ
        self._file = None if config_dir is None else config_dir / KEY_FILE
        self._read: tuple[tuple[int, int, int], dict[str, str]] | None = None

    def __repr__(self) -> str:
        """Nothing of what is inside."""
        return "Keys(…)"

    def find(self, provider: str, variables: tuple[str, ...], own: str = "") -> str:
        """The key, or empty; raises `ProviderAuth` for one that cannot be a key.

        `own` is what the provider's own entry in the configuration says. Also raises it
        when only the file could hold the key, and the file cannot be used.
        """
        key = self._configured.get(provider, "") or own
        for variable in variables:
            key = key or self._environ.get(variable, "")
        if not key:
            try:
                key = self.from_file().get(provider, "")
            except KeyFileProblem as problem:
                raise ProviderAuth(str(problem)) from None
        key = key.strip()
        if key and not (key.isascii() and key.isprintable() and " " not in key):
            raise ProviderAuth(
                f"The key for {provider} holds spaces or other characters that no key has. "
                "Copy it again."
            )
        return key

    def hint(self, provider: str, variables: tuple[str, ...]) -> str:
        """A sentence that says where a key can be put."""
        places = [variables[0]] if variables else []
        # Without a directory of configuration this is no server: the environment is all there is.
        if self._file is not None:
            places.append(f"c.StreamChat.keys['{provider}'] in jupyter_server_config.py")
            places.append(f"{self._file} (mode 0600)")
        return f"Set {', or '.join(places)}."

    def from_file(self) -> dict[str, str]:
        """The file's keys; empty where there is no file. Raises `KeyFileProblem`."""
        path = self._file
        if path is None:
            return {}
        try:
            with path.open("rb") as file:
                about = os.fstat(file.fileno())
                version = (about.st_mtime_ns, about.st_size, about.st_mode)
                if self._read is not None and self._read[0] == version:
                    return self._read[1]
                # On Windows the mode says nothing, and profiles are private anyway.
                if os.name == "posix" and stat.S_IMODE(about.st_mode) & 0o077:
                    raise KeyFileProblem(
                        f"{path} can be read by others, so its keys are not used. "
                        f"Run: chmod 600 {path}"
                    )
                keys = msgspec.json.decode(file.read(), type=dict[str, str])
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise KeyFileProblem(f"{path} cannot be read: {error.strerror}.") from None
        except UNREADABLE:
            raise KeyFileProblem(
                f'{path} is not a JSON object of texts, like {{"openai": "…"}}. Correct it.'
            ) from None
        self._read = (version, keys)
        return keys
