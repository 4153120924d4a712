"""Commands that ask: ``audit``, ``audience`` and ``explain``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from rekindle.cli.console import (
    AsJson,
    AsOf,
    CsvFile,
    Directory,
    HtmlFile,
    ParquetFile,
    check_page,
    check_writable,
    errors,
    open_at,
    output,
    parse_as_of,
    progress_bar,
    show_json,
    show_table,
    show_warning,
    warn_of_refused,
    write_page,
    write_rows,
)
from rekindle.config import write_duration
from rekindle.consent import PendingState
from rekindle.vocabulary import Answer, Arm
from rekindle.wording import amount, counted, day, moment, numbered

if TYPE_CHECKING:
    from rekindle.desk import Asked, Explanation, StepVerdict, Verdict
    from rekindle.insights import Audit, TargetStanding, TextTable
    from rekindle.ledger import DecisionEntry, MessageEntry, StayEntry
    from rekindle.vocabulary import Reason

NEWEST = 20
PENDING = {
    PendingState.OPEN: "it waits for that",
    PendingState.REFUSED: "they said no",
    PendingState.OVER: "the time to confirm it is over",
}


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("audit")(audit)
    app.command("audience")(audience)
    app.command("explain")(explain)


def audit(
    directory: Directory = Path(),
    as_of: AsOf = None,
    definition: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Who counts as a subscriber, like chartmogul; see `reconcile`."
        ),
    ] = "ours",
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Keep what the measures are as a new baseline.")
    ] = False,
    as_json: AsJson = False,
    html: HtmlFile = None,
) -> None:
    """Say who drifted away, what they were worth, and what could be proven."""
    from rekindle.desk import find_kept_tables, judge_workspace, keep_baseline
    from rekindle.insights import audit_page

    check_page(html)
    workspace = open_at(directory, None)
    at = None if as_of is None else parse_as_of(as_of, workspace)
    warn_of_refused(workspace)
    with progress_bar() as bar:
        bar.add_task("auditing", total=None)
        found = workspace.audit(at, definition)
        told = ""
        if baseline or at is None:
            told = keep_baseline(workspace, found, is_asked=baseline)
        targets = judge_workspace(workspace, found, keeps=at is None)
        kept = find_kept_tables(workspace) if at is None else ()
        page = audit_page(found, workspace.config.workspace.name, targets, kept) if html else ""
    if told:
        errors.print(told, markup=False, soft_wrap=True)
    if html:
        write_page(html, page)
    if as_json:
        aimed = {"targets": [one.to_json() for one in targets]} if targets else {}
        show_json(found.to_json() | aimed)
        return
    _show_audit(found, targets, kept)


def _show_audit(found: Audit, targets: Sequence[TargetStanding], kept: Sequence[TextTable]) -> None:
    from rekindle.insights import (
        audit_tables,
        past_send_tables,
        subscription_tables,
        target_table,
    )

    subscribed = subscription_tables(found.subscriptions) if found.subscriptions else ()
    # Where nothing was ever sold once, there is nothing to say of orders.
    sold = audit_tables(found) if found.orders or not subscribed else ()
    sent = past_send_tables(found.past_sends) if found.past_sends else ()
    aimed = (target_table(targets, found.currency),) if targets else ()
    for table in (*subscribed, *kept, *sold, *sent, *aimed):
        show_table(table.title, table.headers, table.rows, notes=table.notes)


def audience(
    predicate: Annotated[str, typer.Argument(help="A condition over the profile.")],
    directory: Directory = Path(),
    as_of: AsOf = None,
    sample: Annotated[int, typer.Option(min=0, max=1000, help="How many to show.")] = 10,
    csv: CsvFile = None,
    parquet: ParquetFile = None,
    as_json: AsJson = False,
) -> None:
    """Count the people who match a predicate and show the worthiest, or write all to a file."""
    from rekindle.desk import count_audience, export_audience
    from rekindle.profiles import say_column

    check_writable(csv, "--csv")
    check_writable(parquet, "--parquet")
    workspace = open_at(directory, None)
    at = workspace.latest() if as_of is None else parse_as_of(as_of, workspace)
    found = count_audience(workspace, predicate, at, sample=sample)
    for text in found.warnings:
        show_warning(text)
    if csv or parquet:
        write_rows(export_audience(workspace, predicate, at), csv=csv, parquet=parquet)
    if as_json:
        show_json(found.to_json())
        return
    value = amount(found.value, workspace.config.workspace.currency)
    title = (
        f"{counted(found.customers, 'customer')}, {value} {found.told}, "
        f"as of {day(at, workspace.zone)} ({workspace.zone})"
    )
    currency = workspace.config.workspace.currency
    rows = [
        [say_column(name, v, currency=currency, zone=workspace.zone) for name, v in row.items()]
        for row in found.sample
    ]
    headers = [name.replace("_", " ") for name in (found.sample[0] if found.sample else {})]
    more = found.customers > len(rows) > 0
    notes = [f"The worthiest {len(rows):,}; --csv FILE writes everyone."] if more else []
    show_table(title, headers, rows, notes=notes)


def explain(
    customer: Annotated[str, typer.Argument(help="The customer's id, as the source writes it.")],
    directory: Directory = Path(),
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Show the profile and every decision made about one person, with reasons."""
    from rekindle.desk import explain_customer

    workspace = open_at(directory, None)
    at = workspace.clock.now() if as_of is None else parse_as_of(as_of, workspace)
    found = explain_customer(workspace, customer, at)
    if as_json:
        show_json(found.to_json())
        return
    zone = workspace.zone
    output.print(f"Times by the clock of {zone}.\n", style="dim", markup=False)
    _show_person(found, workspace.config.workspace.currency, zone)
    _show_deeds(found, zone)
    _show_decisions(found, zone)
    _show_offers(found, workspace.config.workspace.currency)
    _show_stays(found, workspace.zone)
    _show_belongings(found, workspace.zone)
    _show_sent(found, zone)


def _show_person(found: Explanation, currency: str, zone: ZoneInfo) -> None:
    from rekindle.profiles import say_column

    rows = [
        [name.replace("_", " "), say_column(name, value, currency=currency, zone=zone)]
        for name, value in found.profile.items()
    ]
    if rows:
        show_table(f"Customer {found.person}", ["profile", ""], rows)
    else:
        output.print(f"{found.person} is in no facts yet, only in the ledger.\n", markup=False)
    if found.card is None and found.profile.get("has_email"):
        show_warning(
            f"{found.person} is in the facts, and no pass has carried their card and permissions "
            "into the ledger yet: what follows is judged without them until `rekindle tick`"
        )
    for verdict in found.verdicts:
        output.print(_say(verdict, zone), markup=False)
    for step in found.steps:
        output.print(_say_step(step, currency), markup=False)
    for line in _against(found, zone):
        output.print(line, markup=False)
    output.print()


def _say(verdict: Verdict, zone: ZoneInfo) -> str:
    """Return what the gate would do about a marketing message now, and why."""
    from rekindle.channels import word_for

    decision = verdict.decision
    reason = decision.reason.value.replace("_", " ") if decision.reason else ""
    why = verdict.detail if verdict.detail.startswith("rule") else f"{reason} {verdict.detail}"
    if decision.until is not None:
        answer = f"not before {moment(decision.until, zone)}"
    else:
        is_sent = decision.answer is Answer.SEND
        answer = "may be written to" if is_sent else "may not be written to"
    return f"Marketing by {word_for(verdict.channel)}: {answer} ({why.strip()})"


def _say_step(step: StepVerdict, currency: str) -> str:
    """Return what a step of a journey asks for beside the gate."""
    from rekindle.channels import word_for

    asked = []
    if step.send.when is not None:
        met = {True: "is met", False: "is not met", None: "cannot be judged"}[step.is_met]
        asked.append(f"`{step.send.when}` {met}")
    if step.left_micros is not None:
        left = amount(step.left_micros / 1_000_000, currency)
        asked.append(f"{left} is left of its budget this month")
    where = f"{step.journey}, step {step.send.key} by {word_for(step.send.channel)}"
    return f"In {where}: {'; '.join(asked)}"


def _against(found: Explanation, zone: ZoneInfo) -> Iterator[str]:
    """Yield what stands against writing to a person, and where their clock is."""
    from rekindle.channels import word_for

    for yes, state in found.pending:
        if state is not PendingState.CONFIRMED:
            yield (
                f"A yes to {word_for(yes.channel)} of {day(yes.at, zone)} that nobody confirmed "
                f"permits nothing: {PENDING[state]}"
            )
    for suppression in found.suppressions:
        where = word_for(suppression.channel) if suppression.channel else "any channel"
        what = f"{suppression.purpose} " if suppression.purpose else ""
        yield f"Never again {what}by {where}: {suppression.reason}, {day(suppression.at, zone)}"
    if found.drawn is not None and found.drawn.arm is Arm.HOLDOUT:
        yield (
            "Held out of all marketing journeys since "
            f"{day(found.drawn.at, zone)}, for as long as there is such a holdout"
        )
    wishes = found.preferences
    if wishes.snoozed_until is not None and wishes.snoozed_until > found.as_of:
        yield f"Asked for nothing before {moment(wishes.snoozed_until, zone)}"
    if wishes.at_most_every is not None:
        yield f"Asked for at most one message in {write_duration(wishes.at_most_every)}"
    if wishes.muted_topics:
        yield f"Asked for nothing about {', '.join(sorted(wishes.muted_topics))}"
    for exclusion in found.exclusions:
        until = f"until {day(exclusion.until, zone)}" if exclusion.until else "for good"
        yield f"Excluded {until}: {exclusion.kind.value}"
    yield f"Quiet hours by the clock of {', '.join(found.zones)}"


def _show_deeds(found: Explanation, zone: ZoneInfo) -> None:
    if not found.signals:
        return
    rows = [[moment(one.at, zone), one.event] for one in found.signals[-NEWEST:]]
    older = len(found.signals) - len(rows)
    notes = [f"and {older:,} before; --json has them"] if older else []
    show_table("What they did", ["when", "what"], rows, notes=notes)


def _show_decisions(found: Explanation, zone: ZoneInfo) -> None:
    from rekindle.desk import MEANINGS

    for one in found.enrolments:
        end = f"ended {moment(one.ended_at, zone)} ({one.ended_reason})" if one.ended_at else "open"
        output.print(
            f"{one.journey} v{one.version}: entered {moment(one.entered_at, zone)}, "
            f"{one.arm.value}, {end}",
            markup=False,
        )
    if found.enrolments:
        output.print()
    if not found.decisions:
        errors.print("No decision was made about this person yet.")
        return
    rows = [
        [
            moment(one.at, zone),
            one.journey,
            one.step,
            one.answer.value,
            one.reason.value if one.reason else "",
            _why(one, MEANINGS, zone),
        ]
        for one in found.decisions
    ]
    show_table("Decisions", ["when", "journey", "step", "answer", "reason", "why"], rows)
    sent = [
        [moment(m.created_at, zone), m.template, m.variant, m.state.value, _note(m, zone)]
        for m in found.messages
    ]
    show_table("Messages", ["decided", "template", "variant", "state", "note"], sent)


def _note(message: MessageEntry, zone: ZoneInfo) -> str:
    """Return why a message did not leave, or what was heard of it since."""
    if found := message.reason or message.error:
        return found
    heard = [
        f"{one.kind.value}{' by a machine' if one.is_machine else ''} {moment(one.at, zone)}"
        for one in message.heard
    ]
    if message.kept_until is not None:
        heard.append(f"kept until {moment(message.kept_until, zone)}")
    return ", ".join(heard)


def _show_offers(found: Explanation, currency: str) -> None:
    """Show what the person was given, with what became of it and its code."""
    if not found.offers:
        return
    rows = [
        [
            one.offer + (f", rung {one.rung} of {one.ladder}" if one.ladder else ""),
            one.text,
            one.code,
            one.ends_on.isoformat(),
            one.fate,
            amount(one.cost_micros / 1_000_000, currency),
        ]
        for one in found.offers
    ]
    headers = ["offer", "terms", "code", "until", "what became of it", "cost if redeemed"]
    show_table("Offers", headers, rows)


def _show_belongings(found: Explanation, zone: ZoneInfo) -> None:
    """Show what is kept for the person since they left, and what became of it."""
    from rekindle.desk import say_belongings

    rows = [
        [
            ", ".join(one.what),
            one.ended_on.isoformat(),
            one.kept_until.isoformat(),
            say_belongings(one, found.today, found.zone),
            "not yet" if one.told_at is None else moment(one.told_at, zone),
        ]
        for one in found.belongings
    ]
    if rows:
        headers = ["kept", "since", "until", "what became of it", "your system was asked"]
        show_table("Kept for who left", headers, rows)


def _show_stays(found: Explanation, zone: ZoneInfo) -> None:
    """Show on which lists the person is or was, and what became of their removal."""
    _show_called_back([one for one in found.stays if not one.destination], zone)
    on_lists = [one for one in found.stays if one.destination]
    if not on_lists:
        return
    rows = [
        [
            one.destination,
            one.outlet,
            "not yet" if one.told_at is None else moment(one.told_at, zone),
            moment(one.until, zone),
            "" if one.requested_at is None else f"{moment(one.requested_at, zone)}, {one.reason}",
            "" if one.effective_at is None else moment(one.effective_at, zone),
        ]
        for one in on_lists
    ]
    headers = ["list", "outlet", "on it since", "at most until", "removal asked for", "off since"]
    show_table("Lists", headers, rows)


def _show_called_back(stays: Sequence[StayEntry], zone: ZoneInfo) -> None:
    """Show which messages could be called back once handed over, and what came of it."""
    rows = [
        [
            one.outlet,
            moment(one.at, zone),
            moment(one.until, zone),
            ""
            if one.reason in ("", "finished") or one.requested_at is None
            else f"{moment(one.requested_at, zone)}, {one.reason}",
            one.request or one.last_error or ("it left" if one.effective_at else ""),
        ]
        for one in stays
    ]
    if rows:
        headers = ["outlet", "handed over", "until it leaves", "called back", "what came of it"]
        show_table("Messages that can be called back", headers, rows)


def _asked(questions: Iterable[Asked]) -> str:
    """Name the questions that have one answer: the first of them to the last."""
    names = [one.asked.value.replace("_", " ") for one in questions]
    return " to ".join(dict.fromkeys((names[0], names[-1])))


def _show_sent(found: Explanation, zone: ZoneInfo) -> None:
    """Show of the newest messages what the gate asked before they were sent."""
    for one in found.sent:
        rows = [["entered", one.entered]]
        rows += [
            [_asked(each), found] for found, each in groupby(one.findings, attrgetter("found"))
        ]
        title = f"Why {one.step} of {one.journey} was sent, {moment(one.at, zone)}"
        show_table(title, ["asked", "found"], rows)
    if found.sent:
        note = (
            "Each line is a question of the gate that would have kept the message back. "
            "Profiles are by the facts, and rules by rekindle.toml, as they are today."
        )
        sent = sum(one.answer is Answer.SEND for one in found.decisions)
        if (older := sent - len(found.sent)) > 0:
            note += f" {counted(older, 'message')} sent before {numbered(older, 'is')} not told."
        output.print(note, style="dim", markup=False)


def _why(decision: DecisionEntry, meanings: Mapping[Reason, str], zone: ZoneInfo) -> str:
    """Return the reason's meaning, and what it was about this time."""
    if decision.reason is None:
        return decision.detail
    until = f" Until {moment(decision.until, zone)}." if decision.until else ""
    detail = f" ({decision.detail})" if decision.detail else ""
    return f"{meanings.get(decision.reason, '')}{detail}{until}"
