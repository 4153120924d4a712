"""Takes pictures of pages by a browser that is there, and does without where none is."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
HEIGHT = 1400
PATIENCE_SECONDS = 60
# A browser's window is never narrower than this; a phone is a frame within it.
NARROWEST = 500


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture to take: of which page, into which file, how wide the page is."""

    page: Path
    picture: Path
    width: int


def find_browser() -> str | None:
    """Return the browser that takes the pictures, or None."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def take_pictures(browser: str, shots: Iterable[Shot]) -> list[Path]:
    """Return the pictures that could be taken."""
    with tempfile.TemporaryDirectory() as profile:
        return [shot.picture for shot in shots if _take(browser, shot, Path(profile))]


def _take(browser: str, shot: Shot, profile: Path) -> bool:
    page = shot.page.resolve()
    if shot.width < NARROWEST:
        frame = profile / "frame.html"
        style = f"width:{shot.width}px;height:{HEIGHT}px;border:0;display:block"
        source = escape(page.as_uri(), quote=True)
        frame.write_text(
            f'<body style="margin:0"><iframe src="{source}" style="{style}"></iframe>', "utf-8"
        )
        page = frame
    command = [
        browser,
        "--headless",
        "--disable-gpu",
        "--hide-scrollbars",
        "--no-first-run",
        f"--user-data-dir={profile / 'browser'}",
        f"--window-size={shot.width},{HEIGHT}",
        f"--screenshot={shot.picture.resolve()}",
        # Root has no sandbox to run it in.
        *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
        page.as_uri(),
    ]
    shot.picture.unlink(missing_ok=True)
    try:
        subprocess.run(command, check=False, capture_output=True, timeout=PATIENCE_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return shot.picture.is_file()
