"""Has this environment's JupyterLab load the plugin from this tree, as the last build made it.

An editable install copies the plugin once; what is built later would not be seen.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


def main() -> None:
    """Put a link, or where links are not allowed a copy, in the place of what is installed."""
    built = Path(__file__).resolve().parent.parent / "jupyter_streamchat" / "labextension"
    place = Path(sys.prefix, "share", "jupyter", "labextensions", "jupyter-streamchat")
    if place.is_symlink():
        place.unlink()
    elif place.exists():
        shutil.rmtree(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        place.symlink_to(built, target_is_directory=True)
    except OSError:
        shutil.copytree(built, place)


if __name__ == "__main__":
    main()
