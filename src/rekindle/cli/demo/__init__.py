"""``rekindle demo``: the whole loop on real orders, then a club on subscriptions, in commands."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from rekindle.cli.demo.shop import ShopAct
from rekindle.cli.demo.showing import Show, make_folder


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("demo")(demo)


def demo(
    context: typer.Context,
    directory: Annotated[
        Path, typer.Argument(help="The folder to make; one that an earlier demo made is replaced.")
    ] = Path("demo"),
) -> None:
    """Run the whole loop on a real shop's orders, then on a club's subscriptions.

    Nothing leaves this machine: the messages go to a folder, and the biller is made up.
    """
    from rekindle.desk import find_sample

    perform(context, directory, find_sample())
    perform_club(context, directory)


def perform(context: typer.Context, directory: Path, orders: Path) -> None:
    """Show the loop in ``directory``, on a file laid out like the sample orders.

    Raises:
        WorkspaceError: the folder holds something else, or cannot be written.
        typer.Exit: one of the commands failed.
    """
    make_folder(directory)
    show = Show(context)
    act = ShopAct(show, directory)
    act.import_shop(orders)
    act.ask()
    act.go_live()
    show.say(
        f"Look around in {directory}/: rekindle.toml, journeys/, templates/, reports/*.html, "
        "state/outbox/*.eml"
    )


def perform_club(context: typer.Context, directory: Path, *, people: int = 120) -> None:
    """Show a business that lives by subscriptions, in a workspace beneath ``directory``.

    Raises:
        RekindleError: its biller or its pages did not answer.
        typer.Exit: one of the commands failed.
    """
    show = Show(context)
    if find_spec("stripe") is None:
        show.say(
            "There is a second act, a club that a made-up Stripe bills. It takes the library by "
            "which Stripe is asked: pip install 'rekindle[stripe]'"
        )
        return
    from rekindle.cli.demo.club import ClubAct

    ClubAct(show, directory, people=people).perform()
