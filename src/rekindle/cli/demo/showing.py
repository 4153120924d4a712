"""Shows one command after the other, each as it would be typed, in a folder of the demo's own."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

import typer

from rekindle.cli.console import output
from rekindle.errors import RekindleError, WorkspaceError
from rekindle.wording import shell_word

OURS = ".rekindle-demo"


class Show:
    """Runs one command after the other, and shows each as it would be typed here."""

    def __init__(self, context: typer.Context) -> None:
        self._program = context.find_root().command
        self._name = _typed()

    def run(self, *arguments: str) -> None:
        """Show a command and run it.

        Raises:
            typer.Exit: it failed.
        """
        line = " ".join(("$", self._name, *map(shell_word, arguments)))
        output.print(line, style="dim", markup=False, soft_wrap=True)
        try:
            code = self._program.main(list(arguments), "rekindle", standalone_mode=False)
        except RekindleError as error:
            output.print(f"error: {error}", style="bold red", markup=False, soft_wrap=True)
            code = error.exit_code
        if code:
            self.tell("The demo stopped, because this command failed.")
            raise typer.Exit(code)

    def say(self, title: str, *texts: str) -> None:
        """Begin a step, after an empty line."""
        output.print()
        output.print(title, style="bold", markup=False)
        for text in texts:
            self.tell(text)

    def tell(self, text: str) -> None:
        """Say what no command shows."""
        output.print(text, markup=False)

    def name(self, command: str) -> None:
        """Show a command that goes on beside the others."""
        output.print(f"$ {command}", style="dim", markup=False, soft_wrap=True)

    def shown(self, *arguments: str) -> str:
        """Return how this program is called with these arguments."""
        return " ".join((self._name, *map(shell_word, arguments)))


def make_folder(directory: Path) -> None:
    """Make the folder anew; only one that a demo made is taken away for it.

    Raises:
        WorkspaceError: something else is there, or it cannot be written.
    """
    mark = directory / OURS
    try:
        if directory.exists() and not mark.exists() and any(directory.iterdir()):
            raise WorkspaceError(
                f"{directory} is there already, and no demo made it; name another folder: "
                "rekindle demo DIR"
            )
        if mark.exists():
            _empty(directory)
        directory.mkdir(parents=True, exist_ok=True)
        mark.write_text("Made by `rekindle demo`, which may take this folder away.\n")
    except OSError as error:
        raise WorkspaceError(f"{directory} cannot be made: {error}") from error


def _empty(directory: Path) -> None:
    """Take away what is in a folder, which may be the present one or a link, but for the mark."""
    for entry in directory.iterdir():
        if entry.name == OURS:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _typed() -> str:
    """Return how this program is called from the present folder."""
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        return f"{shlex.quote(near(Path(sys.executable)))} -m rekindle"
    found = shutil.which(program.name)
    if found and program.exists() and os.path.samefile(found, program):
        return shlex.quote(program.name)
    return shlex.quote(near(program))


def near(path: Path) -> str:
    """Return a path as short as it can be written from the present folder."""
    whole, here = Path(os.path.abspath(path)), Path.cwd()  # a link stays the link it is
    return str(whole.relative_to(here)) if whole.is_relative_to(here) else str(whole)
