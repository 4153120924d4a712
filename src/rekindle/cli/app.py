"""The command line: one function a command, each a thin layer over the runtime.

Reports go to standard output, everything else to standard error, so that ``--json``
can be piped. Exit codes: 0 done, 1 the work failed, 2 wrong usage or bad input.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer

from rekindle import __version__
from rekindle.cli import (
    beginning,
    demo,
    doctor,
    facts,
    journeys,
    moving,
    operation,
    outbox,
    persons,
    quarantine,
    questions,
    status,
    steering,
)
from rekindle.cli.console import errors
from rekindle.cli.keeping import (
    alerts,
    billing,
    budget,
    holdout,
    kept,
    keys,
    lift,
    measures,
    moved,
    offers,
    overrule,
    reconcile,
    score,
    starters,
    tasks,
    uplift,
    watch,
)
from rekindle.cli.permission import consents, feedback, hygiene, wishes
from rekindle.cli.process.logs import LogFormat, complain, set_up_logs
from rekindle.cli.process.piping import finish_output, outlive_readers
from rekindle.errors import RekindleError, UsageError


class Room(Protocol):
    """A file of commands."""

    def register(self, app: typer.Typer, /) -> None:
        """Add its commands."""


app = typer.Typer(
    name="rekindle",
    help="Win lapsed customers back, and prove in money what it earned.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
# What the help calls each kind of task, and the files with its commands.
TASKS: Mapping[str, Sequence[Room]] = {
    "Begin": (beginning, demo, facts, billing, quarantine, starters),
    "Ask": (questions, reconcile, score, kept),
    "Try, start and measure journeys": (
        journeys,
        measures,
        holdout,
        budget,
        lift,
        uplift,
        moved,
        offers,
    ),
    "Steer what runs": (steering, overrule),
    "Keep it running": (status, operation, doctor, watch, outbox, moving, alerts),
    "One person": (wishes, persons, tasks),
    "Permission": (consents, hygiene, feedback),
    "Let machines in": (keys,),
}


def _register_all() -> None:
    """Add every command, under the name of its task."""
    for task, rooms in TASKS.items():
        for room in rooms:
            room.register(app)
        known: list[Any] = [*app.registered_commands, *app.registered_groups]
        for one in known:
            if not isinstance(one.rich_help_panel, str):
                one.rich_help_panel = task


_register_all()


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log more.")] = False,
    log: Annotated[
        LogFormat,
        typer.Option(
            "--log", envvar="REKINDLE_LOG", help="How the log is written: for people, or as JSON."
        ),
    ] = LogFormat.TEXT,
) -> None:
    """Win lapsed customers back, and prove in money what it earned."""
    set_up_logs(log, is_verbose=verbose)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit; every known error is one message and its code."""
    outlive_readers()
    code = _run(arguments)
    if (error := finish_output()) and code == 0:
        complain(str(error))
        code = 1
    sys.exit(code)


@cache
def _command() -> Any:
    """Return the command line as it is run: Typer reads every command's signature for it."""
    return typer.main.get_command(app)


def _run(arguments: list[str] | None) -> int:
    try:
        _command()(arguments, prog_name="rekindle")
    except SystemExit as stopped:
        return stopped.code if isinstance(stopped.code, int) else int(stopped.code is not None)
    except RekindleError as error:
        complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        errors.print("stopped")
        return 130
    except UnicodeEncodeError as error:  # bytes that are no text arrive as half characters
        complain(f"{error.object!r} is no UTF-8 text; write it in letters and digits")
        return 2
    except OSError as error:
        complain(str(error))
        return 1
    return 0


__all__ = ["Path", "UsageError", "app", "main"]
