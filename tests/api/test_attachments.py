"""What a prompt takes besides text, in what form it travels, and what is said of all else."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.display import Audio
from matplotlib.figure import Figure
from PIL import Image

from jupyter_streamchat.attachments import MAX_PROMPT_BYTES, part_of, parts_of
from jupyter_streamchat.tables import MAX_SUMMARY, summary
from streamchat_relay.model import BadRequest, FilePart, TextPart
from tests.fakes.recordings import MP3, wav

mpl.use("agg")


def png(size: int = 4) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (size, size), "red").save(file, "PNG")
    return file.getvalue()


def sent(piece: object) -> tuple[str, bytes]:
    """The media type of a file's part and what it holds."""
    part = part_of(piece)
    assert isinstance(part, FilePart)
    kind, _, data = part.url.removeprefix("data:").partition(";base64,")
    assert kind == part.media_type
    return kind, base64.b64decode(data)


class Shown:
    """An object that shows itself, as Jupyter has it."""

    def __init__(self, **bundle: Any) -> None:
        self.bundle = {name.replace("_", "/"): value for name, value in bundle.items()}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return self.bundle, {}


def test_pictures_of_all_kinds_travel_as_pictures(tmp_path: Path) -> None:
    (tmp_path / "seen.bin").write_bytes(png())
    figure = Figure()
    axes = figure.subplots()
    axes.plot([1, 2])
    for piece in (
        png(),
        bytearray(png()),
        tmp_path / "seen.bin",
        Image.new("L", (3, 3)),
        figure,
        axes,
        Shown(image_png=base64.b64encode(png()).decode(), text_plain="a picture"),
        Shown(image_png=png()),
    ):
        kind, data = sent(piece)
        assert kind == "image/png"
        assert Image.open(io.BytesIO(data)).size[0] > 0
    assert sent(b"%PDF-1.7 and so on")[0] == "application/pdf"
    assert sent(b"RIFF0000WEBPVP8 ")[0] == "image/webp"


def test_recordings_travel_as_audio_whatever_their_names_say(tmp_path: Path) -> None:
    (tmp_path / "note.bin").write_bytes(MP3)
    assert sent(wav(0.1))[0] == "audio/wav"
    assert sent(tmp_path / "note.bin") == ("audio/mpeg", MP3)
    assert sent(b"ID3\x04" + bytes(20))[0] == "audio/mpeg"
    kind, data = sent(Audio(np.sin(np.arange(800.0)), rate=8000))
    assert (kind, data[:4], data[8:12]) == ("audio/wav", b"RIFF", b"WAVE")
    assert part_of(b"ID3 is a tag") == TextPart(text="ID3 is a tag")
    (tmp_path / "song.mp3").write_bytes(b"OggS\xff\x00")
    with pytest.raises(BadRequest, match=r"song\.mp3 cannot .* audio \(WAV, MP3\)"):
        part_of(tmp_path / "song.mp3")


def test_a_file_of_text_keeps_its_name_and_its_kind(tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text("a,b\n1,2\n")
    part = part_of(tmp_path / "points.csv")
    assert isinstance(part, FilePart)
    assert (part.name, part.media_type) == ("points.csv", "text/csv")
    assert part_of(b"plain words") == TextPart(text="plain words")


def test_the_best_form_of_an_object_is_taken() -> None:
    assert part_of(Shown(text_plain="p", text_markdown="**m**")) == TextPart(text="**m**")
    assert part_of(Shown(text_plain="p", text_html="<b>")) == TextPart(text="p")


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_a_frame_travels_as_its_schema_its_first_rows_and_its_figures(make: Any) -> None:
    frame = make({"height": [1.5, None, 3.25], "name": ["ann", "b|b", "long " * 50]})
    text = summary(frame)
    assert part_of(frame) == TextPart(text=text)
    assert "3 rows and 2 columns" in text
    assert "| height | " in text
    assert "b\\|b" in text
    assert "2.375" in text
    assert "long " * 20 not in text


@given(st.integers(0, 20), st.integers(0, 300), st.sampled_from([pd.DataFrame, pl.DataFrame]))
def test_the_summary_of_a_frame_is_bounded_whatever_it_holds(
    rows: int, columns: int, make: Any
) -> None:
    frame = make({f"column {number}" * 9: np.arange(rows) for number in range(columns)})
    assert len(summary(frame)) <= MAX_SUMMARY + 20


def test_names_that_are_there_twice_and_columns_of_lists_do_no_harm() -> None:
    frame = pd.DataFrame([[1, [2]], [3, [4]]], columns=["x", "x"])
    text = summary(frame)
    assert "| x | int64 | 0 |" in text
    assert "| x | object | 0 |" in text
    assert "| 3 | [4] |" in text


def test_a_prompt_may_be_of_many_pieces(tmp_path: Path) -> None:
    parts = parts_of(["Look", png()], files=[pd.DataFrame({"a": [1]})])
    assert [type(part) for part in parts] == [TextPart, FilePart, TextPart]


@pytest.mark.parametrize(
    ("piece", "words"),
    [
        (3, "A int cannot be put into a prompt"),
        (object, "A type cannot be put into a prompt"),
        (b"\xff\x00", "it is none of these"),
        (Path("nowhere/at all.png"), "cannot be read: No such file"),
        (Shown(application_x="?"), "A Shown cannot be put into a prompt"),
        ("cut \ud83d", "half a character at position 4"),
    ],
)
def test_what_no_model_can_read_is_named_with_what_to_do(piece: object, words: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parts_of(["Look:", piece])
    assert words in refused.value.message


def test_what_is_too_large_is_refused_with_the_bound_before_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"takes 13\.\d MiB.*at most 9\.9 MiB.*set_dpi"):
        parts_of(["Look", png() + bytes(10 * 2**20)])
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(BadRequest, match=r"huge\.csv has 1048576\.0 MiB"):
        part_of(path)
    assert MAX_PROMPT_BYTES < 10 * 2**20


def test_a_figure_that_cannot_be_drawn_says_why() -> None:
    figure = Figure()
    figure.text(0.5, 0.5, r"$\frac{$")
    with pytest.raises(BadRequest, match="Figure cannot be drawn"):
        part_of(figure)
