"""Installs packages from outside for the length of a test, as the how-to pages show them."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from rekindle.facts import CONTRACTS
from rekindle.facts.sources.discovery import discover, discover_presets
from rekindle.offers import find_kinds
from rekindle.profiles import FAMILIES

PAGES = Path(__file__).parents[2] / "docs" / "how-to" / "add"
# A file's name in backticks, a colon, and its text in a fence.
SHOWN = re.compile(r"`([\w./-]+)`:\n\n( *)```\w*\n(.*?)^\2```$", re.MULTILINE | re.DOTALL)
Install = Callable[[Mapping[str, str]], None]


def files_of(page: str) -> dict[str, str]:
    """Return the files a how-to page tells people to write, by name."""
    text = (PAGES / page).read_text(encoding="utf-8")
    return {name: dedent(shown) for name, _, shown in SHOWN.findall(text)}


def look_again() -> None:
    """Forget what was found of tables, kinds of files and families."""
    FAMILIES.look_again()
    CONTRACTS.look_again()
    discover.cache_clear()
    discover_presets.cache_clear()
    find_kinds.cache_clear()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Yield a function that installs a package of a ``pyproject.toml`` and modules."""
    site = tmp_path / "site"
    brought: list[str] = []

    def installed(files: Mapping[str, str]) -> None:
        project = tomllib.loads(files["pyproject.toml"])["project"]
        info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        info.mkdir(parents=True)
        named = f"Name: {project['name']}\nVersion: {project['version']}\n"
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\n{named}", encoding="utf-8")
        points = [
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in named.items())
            for group, named in project.get("entry-points", {}).items()
        ]
        (info / "entry_points.txt").write_text("\n".join(points), encoding="utf-8")
        for name, text in files.items():
            if name.endswith(".py"):
                (site / name).parent.mkdir(exist_ok=True)
                (site / name).write_text(text, encoding="utf-8")
                brought.append(name.removesuffix(".py").replace("/", ".").removesuffix(".__init__"))
        monkeypatch.syspath_prepend(str(site))
        look_again()

    yield installed
    monkeypatch.undo()
    for name in brought:
        sys.modules.pop(name, None)
    look_again()
