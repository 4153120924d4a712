"""Commands about one person's wishes: ``prefer``, ``exclude``, ``include`` and ``erase``."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from rekindle.cli.console import Directory, errors, open_at
from rekindle.cli.steering import By, Yes, remember, whoever
from rekindle.config import parse_duration, write_duration
from rekindle.errors import UsageError
from rekindle.wording import counted, moment

NONE = "none"
Customer = Annotated[str, typer.Argument(help="The customer's id.")]
Lasting = Annotated[
    str | None,
    typer.Option("--for", metavar="DURATION", help="Like '90 days'; default for good."),
]


class ExclusionName(StrEnum):
    """Why someone is left out by hand."""

    BAD_ACTOR = "bad_actor"
    POOR_FIT = "poor_fit"
    COOLING_OFF = "cooling_off"


Because = Annotated[ExclusionName, typer.Option("--because", help="Why.")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    people = typer.Typer(
        name="people", help="Who customers are, and where they are reached.", no_args_is_help=True
    )
    people.command("restore-address")(restore)
    app.add_typer(people)
    app.command("prefer")(prefer)
    app.command("exclude")(exclude)
    app.command("include")(include)
    app.command("erase")(erase)


def prefer(
    customer: Customer,
    directory: Directory = Path(),
    snooze: Annotated[
        str | None, typer.Option("--snooze", help="Nothing for so long, like '30 days'; or none.")
    ] = None,
    at_most_every: Annotated[
        str | None,
        typer.Option("--at-most-every", help="One message in so long, like '30 days'; or none."),
    ] = None,
    mute: Annotated[list[str] | None, typer.Option("--mute", help="A topic not wanted.")] = None,
    unmute: Annotated[list[str] | None, typer.Option("--unmute", help="A topic again.")] = None,
    by: By = "",
) -> None:
    """Keep what a customer asked for: not now, less often, fewer topics."""
    from rekindle.desk import PreferenceChange, change_preferences

    wish = PreferenceChange(_duration(snooze), _duration(at_most_every), mute or (), unmute or ())
    if wish == PreferenceChange():
        raise UsageError("say what they asked for: --snooze, --at-most-every, --mute or --unmute")
    workspace = open_at(directory, None)
    now = change_preferences(workspace, customer, wish, who=whoever(by))
    remember(workspace)
    parts = []
    if now.snoozed_until is not None:
        parts.append(
            f"nothing before {moment(now.snoozed_until, workspace.zone)} ({workspace.zone})"
        )
    if now.at_most_every is not None:
        parts.append(f"at most one message in {write_duration(now.at_most_every)}")
    if now.muted_topics:
        parts.append(f"nothing about {', '.join(sorted(now.muted_topics))}")
    errors.print(f"{customer}: {'; '.join(parts) or 'no wishes'}", markup=False)


def exclude(
    customer: Customer,
    because: Because,
    directory: Directory = Path(),
    lasting: Lasting = None,
    by: By = "",
) -> None:
    """Write no marketing to a customer, by the business's own decision."""
    from rekindle.consent import Exclusion
    from rekindle.desk import exclude_person

    duration = _duration(lasting)
    exclusion = Exclusion(because.value)
    workspace = open_at(directory, None)
    exclude_person(workspace, customer, exclusion, who=whoever(by), lasting=duration)
    remember(workspace)
    errors.print(f"{customer} is excluded ({because.value})", markup=False)


def include(
    customer: Customer, because: Because, directory: Directory = Path(), by: By = ""
) -> None:
    """Take back an exclusion."""
    from rekindle.consent import Exclusion
    from rekindle.desk import include_person

    workspace = open_at(directory, None)
    include_person(workspace, customer, Exclusion(because.value), who=whoever(by))
    remember(workspace)
    errors.print(f"{customer} is not excluded for {because.value}", markup=False)


def erase(customer: Customer, directory: Directory = Path(), yes: Yes = False, by: By = "") -> None:
    """Forget a customer in the ledger; their address stays suppressed where it was."""
    from rekindle.desk import erase_person

    workspace = open_at(directory, None)
    if not yes and not typer.confirm(f"Erase {customer}? This cannot be undone.", err=True):
        raise UsageError("nothing was erased")
    ended = erase_person(workspace, customer, who=whoever(by))
    remember(workspace)
    errors.print(
        f"{customer} is erased from the ledger and {counted(ended, 'journey')} ended; remove the "
        "customer from the source of the facts too, and the files that outlets wrote of them",
        markup=False,
        soft_wrap=True,
    )


def _duration(text: str | None) -> timedelta | None:
    if text is None:
        return None
    if text == NONE:
        return timedelta(0)
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(str(error)) from error


def restore(
    customer: Customer,
    because: Annotated[str, typer.Option("--because", help="How you know the address is good.")],
    directory: Directory = Path(),
    channel: Annotated[
        str | None, typer.Option("--channel", help="Of this channel alone; default all.")
    ] = None,
    by: By = "",
) -> None:
    """Lift a wrong suppression: a bounce, or what was entered by hand.

    An opt-out or a complaint is lifted only where the customer consented since.
    """
    from rekindle.desk import restore_address

    workspace = open_at(directory, None)
    done = restore_address(workspace, customer, because=because, who=whoever(by), channel=channel)
    for one in done.lifted:
        where = one.channel or "any channel"
        errors.print(f"{customer}: {one.reason} on {where} is lifted", markup=False)
    for one in done.kept:
        where = one.channel or "any channel"
        errors.print(
            f"{customer}: {one.reason} on {where} stays; only a consent of their own since "
            "takes it back",
            markup=False,
        )
    if not done.lifted:
        raise UsageError(f"nothing was lifted for {customer}")
