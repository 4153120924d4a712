"""Every picture of the documentation is there, is shown, is said in words, and is small."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.pictures.png import write_png
from tools.source_tree import ROOT, files

IMAGES = ROOT / "docs" / "images"
PICTURES = [path for path in files(IMAGES) if path.is_file()]
PAGES = [path for path in [*files(ROOT / "docs"), ROOT / "README.md"] if path.suffix == ".md"]
SHOWN = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
MOST_BYTES = 2_000_000
FEWEST_LETTERS = 20  # fewer name a thing and do not say what is to be seen


def shown() -> list[tuple[Path, str, Path]]:
    """Return where which picture is shown, with its words."""
    return [
        (page, " ".join(words.split()), (page.parent / target).resolve())
        for page in PAGES
        for words, target in SHOWN.findall(page.read_text(encoding="utf-8"))
    ]


def test_every_picture_a_page_shows_is_there() -> None:
    assert [f"{page.name}: {at}" for page, _, at in shown() if not at.is_file()] == []


def test_every_picture_is_shown_somewhere() -> None:
    assert {one.name for one in PICTURES} - {at.name for _, _, at in shown()} == set()


def test_every_picture_says_in_words_what_it_shows() -> None:
    assert [
        f"{page.name}: {at.name}" for page, words, at in shown() if len(words) < FEWEST_LETTERS
    ] == []


def test_pictures_are_small() -> None:
    assert sum(one.stat().st_size for one in PICTURES) < MOST_BYTES


@pytest.mark.parametrize("width", [1, 3])
def test_a_picture_is_written_as_the_format_asks(width: int) -> None:
    # Two colours in two lines: https://www.w3.org/TR/png-3/#5PNG-file-signature
    told = write_png(width, 2, b"\xff\x00\x00\x00\x00\xff", b"\x00" * width + b"\x01" * width)
    assert told.startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
    assert told[16:24] == width.to_bytes(4, "big") + (2).to_bytes(4, "big")
    assert told.endswith(b"IEND\xaeB`\x82")  # the chunk's well-known check sum
