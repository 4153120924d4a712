"""The ledger's migrations are one chain, in the order of their numbers."""

from __future__ import annotations

from importlib import import_module

from tools.source_tree import PACKAGE


def test_each_migration_follows_the_one_before_it() -> None:
    names = sorted(path.stem for path in (PACKAGE / "ledger" / "migrations").glob("[0-9]*.py"))
    modules = {name: import_module(f"rekindle.ledger.migrations.{name}") for name in names}
    follows = {name: module.Migration.dependencies for name, module in modules.items()}
    before = [None, *names[:-1]]
    assert follows == {
        name: [] if earlier is None else [("ledger", earlier)]
        for name, earlier in zip(names, before, strict=True)
    }
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
