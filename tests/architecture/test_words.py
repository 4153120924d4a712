"""One noun, one class, and the words of the glossary: in names as in text."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tools.source_tree import PACKAGE, ROOT, Module, files, modules

GLOSSARY = (ROOT / "docs/reference/glossary.md").read_text(encoding="utf-8")
WORDS = [
    word
    for row in re.findall(r"^\| (\*\*.+?) \|", GLOSSARY, re.MULTILINE)
    for word in re.findall(r"\*\*(.+?)\*\*", row)
]
BANNED = re.findall(r"^\| ([a-z]+) \|", GLOSSARY.partition("## Words not used")[2], re.MULTILINE)
TEXTS = frozenset({".py", ".sql", ".html", ".yaml", ".mjml", ".txt"})
BY_FILE = {"Migration"}  # Django finds a migration by its file, and wants this name
SHIPPED = [module for module in modules("src") if module.room != "testing"]


def is_rows(module: Module) -> bool:
    """Return whether a module holds the ledger's tables: each stores the noun of its name."""
    return module.room == "ledger" and module.path.stem.endswith("models")


def classes(module: Module) -> Iterator[str]:
    for node in module.tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.name


def defined(*, rows: bool) -> dict[str, list[str]]:
    """Return where each public class is, of the ledger's rows or of everything else."""
    found: dict[str, list[str]] = defaultdict(list)
    for module in SHIPPED:
        if is_rows(module) == rows:
            for name in classes(module):
                found[name].append(module.place)
    return found


def parts(name: str) -> set[str]:
    """Return the words of a name in camel or snake case, plurals as one of them."""
    words = {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}
    return words | {word.removesuffix("s") for word in words}


def spelt(word: str) -> str:
    """Return a pattern of a noun as code has it: joined, and one or several."""
    joined = "[ _-]*".join(map(re.escape, re.split("[ -]", word)))
    return re.sub("y$", "(?:y|ies)", joined)


@pytest.mark.parametrize("rows", [True, False])
def test_a_noun_is_one_class(rows: bool) -> None:
    assert {
        name: places
        for name, places in defined(rows=rows).items()
        if len(places) > 1 and name not in BY_FILE
    } == {}


def test_the_nouns_of_the_glossary_are_in_the_code() -> None:
    paths = [path for path in files(PACKAGE) if path.suffix in TEXTS]
    text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    assert [word for word in WORDS if not re.search(spelt(word), text, re.IGNORECASE)] == []
    assert len(WORDS) > 90


def test_a_noun_of_the_glossary_is_explained_once() -> None:
    assert sorted(WORDS) == sorted(set(WORDS))


def test_no_class_or_module_goes_by_a_word_that_is_not_used() -> None:
    assert len(BANNED) > 10
    named = [module for module in SHIPPED if "/migrations/" not in module.place]  # kept for ever
    names = [(module.place, module.path.stem) for module in named]
    names += [(module.place, name) for module in SHIPPED for name in classes(module)]
    assert [f"{place}: {name}" for place, name in names if parts(name) & set(BANNED)] == []
