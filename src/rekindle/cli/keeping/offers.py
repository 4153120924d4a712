"""Commands about offers: ``offers list``, ``offers show`` and those that bring codes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rekindle.cli.console import (
    AsJson,
    AsOf,
    Directory,
    errors,
    open_at,
    output,
    show_json,
    show_table,
)
from rekindle.vocabulary import Unknown
from rekindle.wording import amount, counted, percent

if TYPE_CHECKING:
    from rekindle.desk import Anyway, OfferReport, OfferStanding

SCHEMA_VERSION = 1
MOST_CODES = 1_000_000
ANYWAY = (
    "Bought is any purchase in the time of the offer, of the first offer of each way through a "
    "journey; who redeemed it may be one of those who would have bought anyway."
)

OfferName = Annotated[str, typer.Argument(help="The offer's name in offers.yaml.")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(
        name="offers", help="See what is offered, and bring codes for it.", no_args_is_help=True
    )
    group.command("list")(list_offers)
    group.command("show")(show)
    group.command("load-codes")(load_codes)
    group.command("make-codes")(make_codes)
    group.command("stock")(stock)
    group.command("report")(report)
    group.command("judge")(judge)
    app.add_typer(group)


def list_offers(directory: Directory = Path(), as_json: AsJson = False) -> None:
    """List every offer with its codes, what is open and what was redeemed."""
    from rekindle.desk import load_forgotten, load_standing

    workspace = open_at(directory, None)
    found = load_standing(workspace, workspace.clock.now())
    gone = load_forgotten(workspace, workspace.clock.now())
    if as_json:
        show_json({"version": SCHEMA_VERSION, "offers": [_as_json(one) for one in found]})
        return
    show_table(
        "Offers",
        ["offer", "terms", "codes left", "given", "open", "redeemed", "lapsed", "set aside"],
        [
            [
                one.name,
                one.words,
                _codes(one),
                f"{one.tally.given:,}",
                f"{one.tally.open:,}",
                f"{one.tally.redeemed:,}",
                f"{one.tally.lapsed:,}",
                _set_aside(one),
            ]
            for one in found
        ],
        notes=[
            f"{name}, which offers.yaml does not have any more: {one.given:,} given, "
            f"{one.open:,} open, {one.redeemed:,} redeemed"
            for name, one in gone.items()
        ],
    )


def show(name: OfferName, directory: Directory = Path(), as_json: AsJson = False) -> None:
    """Show one offer: its terms, its ladders, and how it stands."""
    from rekindle.desk import find_offer, load_standing

    workspace = open_at(directory, None)
    find_offer(workspace, name)
    (one,) = (o for o in load_standing(workspace, workspace.clock.now()) if o.name == name)
    ladders = [
        ladder
        for ladder, rungs in sorted(workspace.offers.ladders.items())
        if any(rung.offer == name for rung in rungs)
    ]
    if as_json:
        show_json({"version": SCHEMA_VERSION, **_as_json(one), "ladders": ladders})
        return
    terms = one.terms
    rows = [
        ["terms", one.words],
        ["kind", terms.kind],
        ["lasts", f"{counted(terms.lasts.days, 'day')}, to the end of that day"],
        ["for", terms.when or "everybody whom a step gives it to"],
        ["tied to", "" if terms.tied_to is None else terms.tied_to.value.replace("_", " ")],
        ["on the ladders", ", ".join(ladders)],
        ["codes left", _codes(one)],
        ["set aside", _set_aside(one)],
        ["given", f"{one.tally.given:,}"],
        ["open", f"{one.tally.open:,}"],
        ["redeemed", f"{one.tally.redeemed:,}"],
        ["lapsed", f"{one.tally.lapsed:,}"],
        ["expected to be redeemed", percent(one.expected_share)],
    ]
    show_table(name, ["", ""], [row for row in rows if row[1]])


def load_codes(
    name: OfferName,
    file: Annotated[Path, typer.Argument(help="One code a line, or CSV with a column `code`.")],
    directory: Directory = Path(),
) -> None:
    """Load codes that the shop made: all of the file, or nothing if one is known already."""
    from rekindle.desk import add_codes
    from rekindle.offers import read_codes

    workspace = open_at(directory, None)
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{file} is no UTF-8 text") from error
    count = add_codes(workspace, name, read_codes(text, file=str(file)))
    errors.print(f"loaded {counted(count, 'code')} for {name}", markup=False)


def make_codes(
    name: OfferName,
    count: Annotated[int, typer.Argument(min=1, max=MOST_CODES, help="How many.")],
    to: Annotated[Path, typer.Option("--to", help="The file to write; give it to the shop.")],
    directory: Directory = Path(),
) -> None:
    """Make codes that nobody guesses, write them to a file for the shop, and load them."""
    from rekindle.desk import add_codes, require_loaded_codes
    from rekindle.ledger import make_codes as draw

    workspace = open_at(directory, None)
    require_loaded_codes(workspace, name)
    if to.exists():
        raise typer.BadParameter(f"{to} is there already; name another file")
    codes = draw(count)
    # Written before they are loaded: none is given to anybody that the shop was not told of.
    to.write_text("code\n" + "".join(f"{code}\n" for code in codes), encoding="utf-8")
    add_codes(workspace, name, codes)
    errors.print(
        f"made {counted(count, 'code')} for {name}; load {to} into the shop before a message "
        "leaves, each to be used once",
        markup=False,
    )


def stock(directory: Directory = Path()) -> None:
    """Have the shops make the codes that lack, and end those of offers that are over."""
    from rekindle.worker import stock_codes

    workspace = open_at(directory, None)
    done = stock_codes(workspace)
    errors.print(str(done) or "every offer has its codes", markup=False)
    if done.troubles:
        raise typer.Exit(1)


def report(directory: Directory = Path(), as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Say of each offer what became of it, what it cost, and who would have bought anyway."""
    from rekindle.desk import report_offers

    workspace = open_at(directory, as_of)
    found = report_offers(workspace, workspace.clock.now())
    if as_json:
        rows = [one.to_json() for one in found]
        show_json({"version": SCHEMA_VERSION, "offers": rows})
        return
    for one in found:
        show_table(one.standing.name, ["", ""], _report_rows(one), notes=[ANYWAY])


def judge(
    ladder: Annotated[str, typer.Argument(help="The ladder's name in offers.yaml.")],
    rule: Annotated[
        str,
        typer.Option(
            "--rule",
            metavar="RULE",
            help="least, strongest, or an offer: that one where it might have been given.",
        ),
    ],
    directory: Directory = Path(),
    as_of: AsOf = None,
    days: Annotated[
        int,
        typer.Option("--within", metavar="DAYS", min=1, max=730, help="How long it counts."),
    ] = 30,
    as_json: AsJson = False,
) -> None:
    """Say what another rule of a ladder would have earned, by what was given by chance."""
    from rekindle.desk import judge_ladder

    workspace = open_at(directory, as_of)
    within = timedelta(days=days)
    found = judge_ladder(workspace, ladder, rule, within=within, at=workspace.clock.now())
    if as_json:
        show_json(found.to_json())
        return
    if isinstance(found.found, Unknown):
        output.print(f"Nothing can be said of {rule}: {found.found.reason}.", markup=False)
        return
    told, currency = found.found, found.currency
    values = (told.logged, *told.values, told.gain)
    show_table(
        f"Margin of a choice of {ladder}, had {rule} been the rule",
        ["by", "value", "from", "to"],
        [
            [one.method, *(amount(x, currency) for x in (one.value, one.low, one.high))]
            for one in values
        ],
        notes=[
            f"{told.choices:,} choices, {told.agreeing:,} as the rule would have made them, worth "
            f"{told.effective:,.0f} in effect; the largest weight is {told.largest_weight:.1f}.",
            f"Margin of what people bought within {days} days, less what came off or a gift cost.",
        ],
    )


def _report_rows(one: OfferReport) -> list[list[str]]:
    tally = one.standing.tally
    others = f", {tally.by_others:,} by somebody else's order" if tally.by_others else ""
    return [
        ["terms", one.standing.words],
        ["given", f"{tally.given:,}"],
        ["open", f"{tally.open:,}"],
        ["redeemed", f"{tally.redeemed:,}{others}"],
        ["lapsed", f"{tally.lapsed:,}"],
        ["taken back, as the message did not leave", f"{tally.released:,}"],
        ["cost of the redeemed", str(one.cost)],
        ["margin of their orders, after it", str(one.left)],
        ["expected to be redeemed", percent(one.standing.expected_share)],
        *_anyway_rows(one.anyway),
    ]


def _anyway_rows(anyway: Anyway | Unknown) -> list[list[str]]:
    if isinstance(anyway, Unknown):
        return [["bought anyway", str(anyway)]]
    given, held_out, lift = anyway.given, anyway.held_out, anyway.lift
    rows = [
        [f"bought, {who}", f"{int(arm.total):,} of {arm.assigned:,} ({percent(arm.mean)})"]
        for who, arm in (("of whom it was for", given), ("of the held out, anyway", held_out))
    ]
    if isinstance(lift, Unknown):
        told = str(lift)
    else:
        low, high = percent(lift.low), percent(lift.high)
        told = f"{percent(lift.difference)}, between {low} and {high} (95 %)"
    return [*rows, ["difference it made", told]]


def _codes(one: OfferStanding) -> str:
    if one.pool is not None:
        return f"{one.pool.free:,} of {one.pool.loaded:,}"
    return f"one for all ({one.terms.code})" if one.terms.code else "needs none"


def _set_aside(one: OfferStanding) -> str:
    limit = one.terms.budget
    currency = one.reserved.currency
    return str(one.reserved) + ("" if limit is None else f" of {amount(limit, currency)}")


def _as_json(one: OfferStanding) -> dict[str, Any]:
    tally = one.tally
    return {
        "offer": one.name,
        "kind": one.terms.kind,
        "terms": one.words,
        "codes": one.terms.codes.value,
        "codes_loaded": None if one.pool is None else one.pool.loaded,
        "codes_free": None if one.pool is None else one.pool.free,
        "lasts_days": one.terms.lasts.days,
        "tied_to": None if one.terms.tied_to is None else one.terms.tied_to.value,
        "given": tally.given,
        "open": tally.open,
        "redeemed": tally.redeemed,
        "lapsed": tally.lapsed,
        "released": tally.released,
        "expected_share": one.expected_share,
        "reserved": float(one.reserved.amount),
        "budget": None if one.terms.budget is None else float(one.terms.budget),
        "currency": one.reserved.currency,
    }
