"""Audits, reports and models' cards, composed into pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from rekindle.experiments import Lift
from rekindle.insights import charts, tables
from rekindle.insights.lifting.estimating import CONFIDENCE
from rekindle.insights.lifting.reaching import GoalReached
from rekindle.insights.measures import TargetStanding, target_table
from rekindle.insights.model import Audit
from rekindle.insights.pages.clubs import NOTES, TITLE, club_figures, club_lead, club_sections
from rekindle.insights.pages.kept import kept_section
from rekindle.insights.pages.layout import PageFigure, PageSection, WholePage, render
from rekindle.insights.past_sends.tables import past_send_tables
from rekindle.insights.report import JourneyReport
from rekindle.insights.subscribers.model import SubscriptionAudit
from rekindle.insights.tables import TextTable
from rekindle.insights.words import (
    say_amount,
    say_count,
    say_day,
    say_days,
    say_expected,
    say_money,
    say_points,
    say_share,
)
from rekindle.predictions import ModelCard
from rekindle.vocabulary import Answer, Arm, Tier, Unknown
from rekindle.wording import counted, numbered, percent

CARD_TITLES = {"return": "Who comes back unasked", "lapse": "Who is about to lapse"}


def audit_page(
    audit: Audit,
    shop: str = "",
    targets: Sequence[TargetStanding] = (),
    kept: Sequence[TextTable] = (),
) -> str:
    """Return an audit as one self-contained HTML page that names the business.

    ``kept`` are the tables of the register of belongings. A business without orders gets no word
    of any.
    """
    if audit.subscriptions is not None and not audit.orders:
        return _club_page(audit, audit.subscriptions, shop, targets, kept)
    return render(
        WholePage(
            shop=shop,
            title="Who drifted away, and what they are worth",
            about=(
                f"{counted(audit.buyers, 'buyer')}, {counted(audit.orders, 'order')}, "
                f"as of {say_day(audit.as_of, audit.zone)} ({audit.zone})"
            ),
            lead=_audit_lead(audit),
            figures=_audit_figures(audit),
            sections=(
                _tier_section(audit),
                _gap_section(audit),
                _return_section(audit),
                _valuable_section(audit),
                _proof_section(audit),
                *(club_sections(audit.subscriptions) if audit.subscriptions else ()),
                *kept_section(kept),
                *_past_send_section(audit),
                *_target_section(audit, targets),
            ),
            notes=(*_history_notes(audit), *audit.notes),
        )
    )


def _club_page(
    audit: Audit,
    found: SubscriptionAudit,
    shop: str,
    targets: Sequence[TargetStanding],
    kept: Sequence[TextTable],
) -> str:
    """Return the page of a business that lives by subscriptions alone."""
    return render(
        WholePage(
            shop=shop,
            title=TITLE,
            about=(
                f"{counted(found.active, 'subscriber')}, as of "
                f"{say_day(audit.as_of, audit.zone)} ({audit.zone})"
            ),
            lead=club_lead(found),
            figures=club_figures(found),
            sections=(
                *club_sections(found),
                *kept_section(kept),
                *_past_send_section(audit),
                *_target_section(audit, targets),
            ),
            notes=NOTES,
        )
    )


def report_page(report: JourneyReport, shop: str = "") -> str:
    """Return a report as one self-contained HTML page that names the business."""
    kind, did = "Live journey", "earned"
    if report.is_replay:
        kind, did = "Replay over past orders, nobody was contacted", "would have done"
    return render(
        WholePage(
            shop=shop,
            title=f"What {report.journey} {did}",
            about=(
                f"{kind}, {say_day(report.started_at, report.zone)} to "
                f"{say_day(report.until, report.zone)} ({report.zone})"
            ),
            lead=report.finding,
            figures=_report_figures(report),
            sections=(
                _lift_section(report),
                _funnel_section(report),
                *_subgroup_sections(report),
                _touch_section(report),
                *_parting_section(report),
                *_test_sections(report),
                *_attribution_section(report),
            ),
            notes=(*report.notes, *_lift_notes(report)),
        )
    )


def card_page(card: ModelCard, shop: str = "") -> str:
    """Return the card of a model as one self-contained HTML page that names the business."""
    learned, *judged, weights = tables.card_tables(card)
    drawn = "" if isinstance(card.judged, Unknown) else charts.draw_calibration(card.judged)
    return render(
        WholePage(
            shop=shop,
            title=CARD_TITLES[card.kind],
            about=f"Learned from orders of {card.first_on} to {card.last_on}",
            lead=f"It says {card.is_for}. It does not say {card.is_not_for}.",
            figures=tuple(
                PageFigure(label, value, detail)
                for label, value, detail in (judged[0].rows if len(judged) > 1 else ())
            ),
            sections=(
                PageSection(
                    "How well it foresees",
                    f"A model learned of what was known by {card.cut_on} alone, beside what came "
                    "in the time since. Points on the dashed line are right.",
                    drawn,
                    tuple(judged),
                ),
                PageSection("What it was learned from", "", "", (learned, weights)),
            ),
            notes=card.warnings,
        )
    )


def card_markdown(card: ModelCard) -> str:
    """Return the card of a model as Markdown, without its picture."""
    lines = [f"# {CARD_TITLES[card.kind]}", ""]
    lines += [f"It says {card.is_for}. It does not say {card.is_not_for}.", ""]
    for table in tables.card_tables(card):
        lines += [f"## {table.title}", ""]
        if table.rows:
            lines.append("| " + " | ".join(table.headers) + " |")
            lines.append("|" + "---|" * len(table.headers))
            lines += ["| " + " | ".join(row) + " |" for row in table.rows]
            lines.append("")
        lines += [f"{note}\n" for note in table.notes]
    return "\n".join(lines)


def _audit_lead(audit: Audit) -> str:
    drifted, base = audit.drifted, audit.proof.base
    if not audit.buyers:
        return "Nobody has bought yet, so nobody can have drifted away."
    told = (
        f"{say_count(drifted.customers)} of {say_count(audit.buyers)} buyers "
        f"({say_share(drifted.customers / audit.buyers)}) have drifted away: silent for so long "
        "that something must have changed. "
        f"Together they have spent {say_money(drifted.lifetime_value)} so far."
    )
    if isinstance(base.share, Unknown):
        return told
    return (
        f"{told} Some come back on their own: of those who had drifted away "
        f"{audit.horizon.days} days earlier, {say_share(base.share)} have bought since. A "
        "win-back has to beat that, which is why some people are held out."
    )


def _audit_figures(audit: Audit) -> tuple[PageFigure, ...]:
    drifted, days = audit.drifted, audit.horizon.days
    share = drifted.customers / audit.buyers if audit.buyers else Unknown("nobody has bought")
    return (
        PageFigure(
            "Drifted away",
            say_count(drifted.customers),
            f"lapsed or dormant, {say_share(share)} of buyers",
        ),
        PageFigure(
            "Spent so far",
            say_money(drifted.lifetime_value),
            f"of {say_money(audit.net_revenue)} net revenue from known customers",
        ),
        PageFigure(
            "Return unprompted",
            say_share(audit.proof.base.share),
            f"within {days} days, measured on those who had drifted away {days} days ago",
        ),
        PageFigure(
            "A typical gap",
            f"{say_days(audit.gap_days.median)} days",
            "between two purchases of one customer; of those who bought again, 95 % did within "
            f"{say_days(audit.gap_days.p95)} days",
        ),
    )


def _tier_section(audit: Audit) -> PageSection:
    return PageSection(
        "Where your customers stand",
        "The tiers say how far a customer's silence has gone beyond what is normal. Lapsed and "
        "dormant customers, in orange, are those who drifted away.",
        charts.draw_tiers(audit),
        (tables.tier_table(audit),),
    )


def _gap_section(audit: Audit) -> PageSection:
    return PageSection(
        "How long is a normal pause",
        "Days between one customer's purchases. The dashed lines show the silence at which the "
        "median buyer becomes at risk, lapsed and so on. If a line stands where many gaps still "
        "end, it comes too early.",
        charts.draw_gaps(audit),
        (tables.gap_table(audit),),
    )


def _return_section(audit: Audit) -> PageSection:
    lapsed = audit.tier_lines[Tier.LAPSED]
    return PageSection(
        "Who still comes back on their own",
        f"The longer the silence, the fewer return within the next {audit.horizon.days} days. "
        f"Of those who are lapsed now, {say_expected(lapsed.returning)} are expected to do so "
        "without being asked.",
        charts.draw_returns(audit),
        (tables.curve_table(audit),),
    )


def _valuable_section(audit: Audit) -> PageSection:
    return PageSection(
        "The most valuable who drifted away",
        "Ranked by what they have spent here, net of refunds. Worth a personal call before any "
        "campaign.",
        charts.draw_most_valuable(audit),
        (tables.most_valuable_table(audit),),
    )


def _proof_section(audit: Audit) -> PageSection:
    proof = audit.proof
    words = " ".join((proof.sentence, *audit.warnings))
    if not isinstance(proof.revenue, Unknown) and not isinstance(proof.return_rate, Unknown):
        words += (
            f" A journey to everyone on this list is likely to be told from chance if it adds "
            f"{say_amount(proof.revenue, audit.currency)} of net revenue per customer, or "
            f"{say_points(proof.return_rate)} to the return rate. Smaller effects may be there "
            "and not show."
        )
    return PageSection("What a win-back could prove", words, "", (tables.proof_table(audit),))


def _past_send_section(audit: Audit) -> Iterable[PageSection]:
    found = audit.past_sends
    if found is not None:
        words = (
            f"{counted(found.sends, 'message')} of other systems, as their exports tell it. Where "
            "people were kept out by lot there is an experiment; of all others the figures say "
            "what followed, not what the message did."
        )
        yield PageSection("What was sent before", words, "", past_send_tables(found))


def _target_section(audit: Audit, targets: Sequence[TargetStanding]) -> Iterable[PageSection]:
    if targets:
        words = "What the measures were when the baseline was taken, and how far they have come."
        yield PageSection("Targets", words, "", (target_table(targets, audit.currency),))


def _history_notes(audit: Audit) -> Iterable[str]:
    rows = audit.rows
    if audit.rates_told:
        yield audit.rates_told
    if isinstance(rows, Unknown):
        yield f"Rows read: unknown, because {rows.reason}."
    else:
        yield (
            f"{counted(rows.read, 'row')} {numbered(rows.read, 'was')} read, "
            f"{say_count(rows.quarantined)} {numbered(rows.quarantined, 'is')} in "
            f"quarantine, {say_count(rows.anonymous)} without a customer."
        )
    yield (
        f"Sales without a customer came to {say_money(audit.anonymous_revenue)} and are in no "
        f"other figure here. Gross revenue of known customers: {say_money(audit.gross_revenue)}."
    )


def _report_figures(report: JourneyReport) -> tuple[PageFigure, ...]:
    treatment, holdout = report.arms[Arm.TREATMENT], report.arms[Arm.HOLDOUT]
    currency = report.currency
    return (
        PageFigure(
            "Net revenue per customer",
            say_amount(treatment.revenue_per_assigned, currency),
            f"treatment; {say_amount(holdout.revenue_per_assigned, currency)} in the holdout",
        ),
        PageFigure("Lift per customer", _lift_value(report), _lift_range(report)),
        _reached_figure(report),
        PageFigure(
            "Would have been sent" if report.is_replay else "Messages sent",
            say_count(report.touches[Answer.SEND]),
            f"for {say_money(report.cost, digits=2)}; "
            f"{say_count(report.sent_after_return)} after a known return",
        ),
    )


def _reached_figure(report: JourneyReport) -> PageFigure:
    """Return how many did what the journey is for; where nobody can say, how many returned."""
    name, shares = "Returned", [report.arms[arm].return_rate for arm in Arm]
    if isinstance(report.goal, GoalReached):
        name, shares = f"Goal: {report.goal.event}", [report.goal.share(arm) for arm in Arm]
    treatment, holdout = (say_share(share, digits=1) for share in shares)
    return PageFigure(name, treatment, f"of the treatment arm; {holdout} of the holdout")


def _lift_value(report: JourneyReport) -> str:
    lift = report.lift
    return say_amount(lift.difference if isinstance(lift, Lift) else lift, report.currency)


def _lift_range(report: JourneyReport) -> str:
    lift = report.lift
    if isinstance(lift, Unknown):
        return lift.reason
    low, high = (say_amount(end, report.currency) for end in (lift.low, lift.high))
    shown = "nothing is shown" if lift.low <= 0 <= lift.high else "0 is outside"
    return f"from {low} to {high}: {shown}"


def _lift_section(report: JourneyReport) -> PageSection:
    # The finding is the page's lead already.
    table = tables.lift_table(report)
    more = [] if report.earnings is None else [tables.earnings_table(report, report.earnings)]
    return PageSection(
        "Did it work",
        "The holdout shows what people do when nobody writes to them. Only what the treatment arm "
        "did beyond that was earned, and only an interval that leaves out 0 shows it.",
        charts.draw_lifts(report),
        (replace(table, notes=table.notes[1:]), *more, tables.word_table(report)),
    )


def _attribution_section(report: JourneyReport) -> Iterable[PageSection]:
    return _section_of(
        tables.attribution_tables(report),
        "What attribution would say",
        "Attribution credits a message with the purchases that follow it, whether or not they "
        "would have come without it. It tells which messages people met before they bought; "
        "what was earned is above.",
    )


def _section_of(found: Iterable[tables.TextTable], title: str, text: str) -> Iterable[PageSection]:
    """Yield a section of these tables, none where there are none."""
    if shown := tuple(found):
        yield PageSection(title, text, "", shown)


def _funnel_section(report: JourneyReport) -> PageSection:
    return PageSection(
        "The arms side by side",
        f"{_held_out(report)} held out by lot before anything was sent. Everyone counts in the "
        "arm they were drawn into, whether a message reached them or not.",
        charts.draw_funnel(report),
        (tables.arm_table(report),),
    )


def _subgroup_sections(report: JourneyReport) -> Iterable[PageSection]:
    return _section_of(
        tables.subgroup_tables(report),
        "Whom it moved",
        "The same difference in parts of the people, told apart by what they were as they "
        "entered. Nobody drew these parts by lot.",
    )


def _held_out(report: JourneyReport) -> str:
    """Return how many were held out, and which share of them that was to be."""
    held, treated = (report.arms[arm].assigned for arm in (Arm.HOLDOUT, Arm.TREATMENT))
    people = held + treated
    planned = f"planned were {percent(report.holdout_share)}"
    share = percent(held / people) if people else percent(0)
    return f"{held:,} of {counted(people, 'person')} ({share}; {planned}) {numbered(held, 'was')}"


def _touch_section(report: JourneyReport) -> PageSection:
    return PageSection(
        "What was held back, and whether it stopped in time",
        "Every touch is asked for at one gate and every answer is written down. Held out, in "
        "green, are those who would have been written to but for the measurement. A message "
        "after a known return would be a broken promise.",
        charts.draw_reasons(report),
        (
            tables.touch_table(report),
            tables.reason_table(report),
            # The page says these notes at its end.
            replace(tables.promise_table(report), notes=()),
        ),
    )


def _parting_section(report: JourneyReport) -> Iterable[PageSection]:
    return _section_of(
        tables.parting_tables(report),
        "Whom it cost",
        "Messages also cost people who may be written to. Both arms are counted from their "
        "entry on, with the share of everyone assigned: what the treatment arm has beyond the "
        "holdout, and beyond chance, the journey brought about.",
    )


def _test_sections(report: JourneyReport) -> Iterable[PageSection]:
    if report.tests:
        yield PageSection(
            "Which wording did better",
            "Each person was drawn into a variant and stays in it. A comparison is read when "
            "enough people did what is measured, and again at twice as many, so that looking "
            "often finds nothing that is not there.",
            "",
            tuple(tables.variant_tables(report)),
        )


def _lift_notes(report: JourneyReport) -> Iterable[str]:
    if isinstance(report.lift, Lift):
        yield (
            f"Intervals: {CONFIDENCE * 100:g} %, {report.lift.method}, "
            f"{report.lift.interval.value}. {report.reading.told}"
        )
