"""Every module introduces itself, postpones its annotations and has what it shows."""

from __future__ import annotations

import ast
from importlib import import_module

from tools.source_tree import PACKAGE, Module, modules

FUTURE = "__future__.annotations"
CODE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.AnnAssign)


def has_code(module: Module) -> bool:
    return any(isinstance(node, CODE) for node in module.nodes)


def test_every_module_says_why_it_exists() -> None:
    own = [m for m in modules("src", "tools", "bench") if "migrations" not in m.path.parts]
    assert [module.place for module in own if not ast.get_docstring(module.tree)] == []


def test_annotations_are_postponed() -> None:
    assert [
        module.place
        for module in modules()
        if has_code(module)
        and "migrations" not in module.path.parts
        and FUTURE not in {name for _, name in module.imports}
    ] == []


def test_every_name_a_room_shows_is_there() -> None:
    """One that is loaded when it is asked for is missed by nobody else until then."""
    rooms = [module.path.parent for module in modules("src") if module.path.stem == "__init__"]
    faces = [import_module(".".join(room.relative_to(PACKAGE.parent).parts)) for room in rooms]
    lost = [
        f"{face.__name__}.{name}"
        for face in faces
        for name in getattr(face, "__all__", ())
        if not hasattr(face, name)
    ]
    assert lost == []
