"""The repository as the checks see it: its files, its rooms and their parsed modules.

Architecture tests and generators ask the same questions of the tree; they are answered
here once, from the files alone, so that they also hold in an unpacked archive.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "rekindle"
CODE_FOLDERS = ("src", "tests", "tools", "bench", "examples")
NOT_OURS = frozenset({".git", ".venv", ".hypothesis", "__pycache__", "build", "dist"})
WRITTEN = frozenset({ROOT / "demo", ROOT / "bench" / "work", ROOT / "bench" / "results.json"})


@dataclass(frozen=True)
class Module:
    """One Python file. ``name`` is dotted; ``room`` is the part after ``rekindle``."""

    path: Path

    @property
    def place(self) -> str:
        """Return the path from the root of the repository."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def name(self) -> str:
        """Return the dotted name, ``rekindle.facts.contracts``."""
        base = ROOT / "src" if self.path.is_relative_to(PACKAGE) else ROOT
        parts = self.path.relative_to(base).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def room(self) -> str:
        """Return the room it lives in, or "" for the package itself and other folders."""
        parts = self.name.split(".")
        return parts[1] if parts[0] == "rekindle" and len(parts) > 1 else ""

    @cached_property
    def text(self) -> str:
        """Return the source."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """Return the parsed source."""
        return ast.parse(self.text, str(self.path))

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Return every node of the parsed source; each check walks over all of them."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def bindings(self) -> Mapping[str, str]:
        """Return what each imported name stands for: ``{"dt": "datetime.datetime"}``."""
        return dict(self._bind())

    @cached_property
    def imports(self) -> tuple[tuple[ast.stmt, str], ...]:
        """Return each import with the dotted name it makes available."""
        return tuple(self._import())

    @cached_property
    def references(self) -> tuple[tuple[ast.expr, str], ...]:
        """Return each use of an imported name, spelled out: ``datetime.datetime.now``."""
        named = (node for node in self.nodes if isinstance(node, (ast.Attribute, ast.Name)))
        return tuple((node, name) for node in named if (name := self.spell(node)))

    def spell(self, node: ast.expr) -> str:
        """Return the dotted name an expression stands for, or "" if it is not imported."""
        tail: list[str] = []
        while isinstance(node, ast.Attribute):
            tail.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self.bindings:
            return ""
        return ".".join([self.bindings[node.id], *reversed(tail)])

    def _import(self) -> Iterator[tuple[ast.stmt, str]]:
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from ((node, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._absolute(node)
                yield from ((node, f"{base}.{alias.name}") for alias in node.names)

    def _bind(self) -> Iterator[tuple[str, str]]:
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.split(".")[0]
                    yield (alias.asname, alias.name) if alias.asname else (first, first)
            elif isinstance(node, ast.ImportFrom):
                base = self._absolute(node)
                for alias in node.names:
                    yield alias.asname or alias.name, f"{base}.{alias.name}"

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        drop = node.level - (self.path.name == "__init__.py")
        base = parts[: len(parts) - drop]
        return ".".join([*base, node.module] if node.module else base)


def files(folder: Path = ROOT) -> Iterator[Path]:
    """Yield every file of the project below ``folder``, in a stable order."""
    for entry in entries(folder):
        if entry.is_dir():
            yield from files(entry)
        else:
            yield entry


def entries(folder: Path) -> list[Path]:
    """Return what a folder of the project holds, without caches and what demo and benches write."""
    return sorted(entry for entry in folder.iterdir() if _is_ours(entry))


@cache
def module_of(path: Path) -> Module:
    """Return the module of a file, parsed once for all who ask."""
    return Module(path)


def modules(*folders: str) -> list[Module]:
    """Return the Python modules below the given folders of the repository."""
    roots = [ROOT / folder for folder in folders or CODE_FOLDERS]
    return [
        module_of(path)
        for root in roots
        if root.is_dir()
        for path in files(root)
        if path.suffix == ".py"
    ]


def rooms() -> dict[str, Path]:
    """Return the rooms of the package by name: its folders and its single modules."""
    found = {}
    for entry in entries(PACKAGE):
        if entry.is_dir() and any(entry.glob("*.py")):
            found[entry.name] = entry
        elif entry.suffix == ".py" and entry.stem != "__init__":
            found[entry.stem] = entry
    return found


def _is_ours(entry: Path) -> bool:
    name = entry.name
    return not (
        name in NOT_OURS
        or entry in WRITTEN
        or name.endswith((".egg-info", "_cache", ".log"))
        or name.startswith(".coverage")
    )
