"""The page of every command, with its arguments and options."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer

from tools.markdown import note, table


def command_page(app: typer.Typer) -> str:
    """Return the page of every command of ``app``."""
    lead = (
        "Every command but `init`, `demo` and `schema` takes `-C DIR`, the workspace; the default\n"
        "is the current folder. With `--json`, standard output holds only [JSON](json.md);\n"
        "messages and progress go to standard error. How a command ends:\n"
        "[exit codes](workspace.md#exit-codes).\n"
        "`-h` says what a command takes, `rekindle --install-completion` lets the shell\n"
        "complete commands and options, and `python -m rekindle` is the same command."
    )
    root: Any = typer.main.get_command(app)
    return note("Commands", lead) + "\n".join(_sections(root, "rekindle"))


def _sections(command: Any, path: str) -> Iterator[str]:
    words = inspect.cleandoc(command.help or "").split("\f")[0].strip()
    yield f"## `{path}`\n\n{words}\n"
    rows = [_row(parameter) for parameter in command.params if not _is_hidden(parameter)]
    if rows:
        yield table(rows)
    for name, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            yield from _sections(inner, f"{path} {name}")


def _row(parameter: Any) -> dict[str, Any]:
    is_option = parameter.param_type_name == "option"
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    value = parameter.metavar or ("" if is_option else parameter.name.upper())
    return {
        "option": f"{names} {value}".strip() if is_option else value,
        "required": parameter.required,
        "default": _default_text(parameter),
        "meaning": getattr(parameter, "help", None) or "",
    }


def _default_text(parameter: Any) -> str | None:
    value = parameter.default
    if value is None or callable(value) or value is False or "Sentinel" in type(value).__name__:
        return None
    return f"`{value}`"


def _is_hidden(parameter: Any) -> bool:
    return bool(getattr(parameter, "hidden", False)) or parameter.name in {
        "help",
        "install_completion",
        "show_completion",
    }
