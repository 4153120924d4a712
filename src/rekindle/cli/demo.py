"""``rekindle demo``: the whole loop on a year of real orders, each step a command to copy."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from rekindle.cli.console import output
from rekindle.errors import RekindleError, UsageError, WorkspaceError
from rekindle.wording import shell_word

# By day: at night, on the clock of the person it is for, nothing leaves.
MORNING = "2010-12-10T10:00+00:00"
OURS = ".rekindle-demo"
NOBODYS = 'postal_address = ""'
MADE_UP = 'postal_address = "1 Example Street, London"'
RECIPIENT = re.compile(rb"^To:.*customer-(\d+)@example\.com", re.MULTILINE)


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("demo")(demo)


def demo(
    context: typer.Context,
    directory: Annotated[
        Path, typer.Argument(help="The folder to make; one that an earlier demo made is replaced.")
    ] = Path("demo"),
) -> None:
    """Run the whole loop on a real shop's orders: import, audit, replay, start, report.

    Nothing leaves this machine: the messages go to a folder.
    """
    from rekindle.desk import find_sample

    perform(context, directory, find_sample())


def perform(context: typer.Context, directory: Path, orders: Path) -> None:
    """Show the loop in ``directory``, on a file laid out like the sample orders.

    Raises:
        WorkspaceError: the folder holds something else, or cannot be written.
        typer.Exit: one of the commands failed.
    """
    _make_folder(directory)
    show = Show(context, directory)
    show.import_shop(orders)
    show.ask()
    show.go_live()
    show.say(
        f"Look around in {directory}/: rekindle.toml, journeys/, templates/, reports/*.html, "
        "state/outbox/*.eml"
    )


class Show:
    """Runs one command after the other, and shows each as it would be typed here."""

    def __init__(self, context: typer.Context, directory: Path) -> None:
        self._program = context.find_root().command
        self._name, self._directory = _typed(), directory

    def import_shop(self, orders: Path) -> None:
        """Make the workspace: a year of orders, and cards for those who gave them."""
        from rekindle.desk import write_cards

        cards = self._directory / "customers.csv"
        self.say(
            "1. A year of a British gift wholesaler's orders",
            "Daqing Chen, Online Retail II, UCI Machine Learning Repository, CC BY 4.0. It has no "
            "addresses: the demo makes some up under example.com, which reaches nobody.",
        )
        write_cards(orders, cards)
        shop = ("--name", "Gift Shop", "--timezone", "Europe/London", "--currency", "GBP")
        files = ("--orders", _near(orders), "--customers", str(cards))
        self.run("init", str(self._directory), *files, *shop, "--yes")
        settings = self._directory / "rekindle.toml"
        text = settings.read_text(encoding="utf-8")
        settings.write_text(text.replace(NOBODYS, MADE_UP, 1), encoding="utf-8")
        self.tell(f"Every message has to carry a postal address: one was made up in {settings}.")

    def ask(self) -> None:
        """Ask about the people, and replay the starter journey over their history."""
        reports = self._directory / "reports"
        self.say("2. Who drifted away, and what were they worth?")
        self.run("audit", *self._here, "--html", str(reports / "audit.html"))
        self.say("3. Any question about the customers is an audience")
        lapsed = "tier = 'lapsed' and lifetime_value > 500"
        self.run("audience", lapsed, *self._here, "--sample", "5")
        self.say(
            "4. The starter journey, replayed over history before a single message leaves",
            "Nobody in this data was ever contacted, so the true lift is zero; the report has to "
            "say so.",
        )
        year = ("--from", "2010-03-01", "--to", "2010-12-09")
        page = str(reports / "replay.html")
        self.run("replay", "lapsed-buyers", *self._here, *year, "--html", page)

    def go_live(self) -> None:
        """Start the journey, send its first messages to a folder, and say why one was sent."""
        self.say("5. Live, on the morning after the last day; mail goes to a folder")
        at = (*self._here, "--as-of", MORNING)
        self.run("start", "lapsed-buyers", *at, "--yes")
        self.run("tick", *at)
        page = str(self._directory / "reports" / "live.html")
        self.run("report", "lapsed-buyers", *at, "--html", page)
        customer = _first_recipient(self._directory / "state" / "outbox")
        self.say(f"6. Why did customer {customer} get a message?")
        self.run("explain", customer, *at)

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

    @property
    def _here(self) -> tuple[str, str]:
        return "-C", str(self._directory)


def _make_folder(directory: Path) -> None:
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


def _first_recipient(outbox: Path) -> str:
    for path in sorted(outbox.rglob("*.eml")):
        if found := RECIPIENT.search(path.read_bytes()):
            return found[1].decode()
    raise UsageError(f"no message was written to {outbox}")


def _typed() -> str:
    """Return how this program is called from the present folder."""
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        return f"{shlex.quote(_near(Path(sys.executable)))} -m rekindle"
    found = shutil.which(program.name)
    if found and program.exists() and os.path.samefile(found, program):
        return shlex.quote(program.name)
    return shlex.quote(_near(program))


def _near(path: Path) -> str:
    """Return a path as short as it can be written from the present folder."""
    whole, here = Path(os.path.abspath(path)), Path.cwd()  # a link stays the link it is
    return str(whole.relative_to(here)) if whole.is_relative_to(here) else str(whole)
