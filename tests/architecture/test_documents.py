"""The documents say what is there: the map, the settings, the commands, the licence."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from rekindle.config import config_model
from tools.source_tree import ROOT, files, rooms

# Places of one person's machine and names of package hosts; both differ for the reader.
STRANGE = re.compile(
    r"(?<![\w.~-])/(?:work|opt|root|tmp|home/\w+)/"
    r"|\b(?:pypi\.org|pythonhosted\.org|npmjs\.(?:com|org)|anaconda\.org)\b"
)
TEXT = frozenset(
    {".cfg", ".html", ".json", ".liquid", ".lock", ".md", ".mjml", ".py", ".sh", ".sql", ".toml",
     ".txt", ".yaml", ".yml", ""}
)  # fmt: skip
ROW = re.compile(r"^\| `(?:src/rekindle/)?([a-z_]+)(?:/|\.py)` \|", re.MULTILINE)


def keys(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield name
        for inner in models(field.annotation):
            yield from keys(inner)


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from models(part)


def test_the_readme_map_is_the_folder() -> None:
    rows = ROW.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert sorted(rows) == sorted(rooms())


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs/reference/configuration.md").read_text(encoding="utf-8")
    model = config_model()
    assert {key for key in keys(model) if not re.search(rf"[`.\[]{key}[`.\]]", page)} == set()


def test_the_licence_travels_with_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"] == "Apache-2.0"
    assert all((ROOT / name).is_file() for name in project["license-files"])
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_borrowed_data_is_attributed() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    assert "Daqing Chen" in notice
    assert "10.24432/C5CG6D" in notice
    assert "CC BY 4.0" in notice


def test_no_text_names_a_machine_or_a_package_host() -> None:
    texts = [path for path in files() if path.suffix in TEXT and path.name != "test_documents.py"]
    assert [
        f"{path.relative_to(ROOT)}: {found.group()}"
        for path in texts
        if (found := STRANGE.search(path.read_text(encoding="utf-8")))
    ] == []


def test_decisions_are_numbered_once() -> None:
    numbers = [path.name[:4] for path in files(ROOT / "docs/decisions") if path.name[0].isdigit()]
    assert len(numbers) == len(set(numbers))
