"""Every module introduces itself and postpones its annotations."""

from __future__ import annotations

import ast

from tools.source_tree import Module, modules

FUTURE = "__future__.annotations"


def has_code(module: Module) -> bool:
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.AnnAssign)
        for node in ast.walk(module.tree)
    )


def test_every_module_says_why_it_exists() -> None:
    own = [m for m in modules("src", "tools", "bench") if "migrations" not in m.path.parts]
    assert [module.place for module in own if not ast.get_docstring(module.tree)] == []


def test_annotations_are_postponed() -> None:
    assert [
        module.place
        for module in modules()
        if has_code(module)
        and "migrations" not in module.path.parts
        and FUTURE not in {name for _, name in module.imports()}
    ] == []
