"""Audits and reports as plain tables: what the terminal prints and the pages repeat.

Every cell is text already; who shows it decides on colours and lines alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from rekindle.experiments import Against, Lift
from rekindle.gate import REASONS
from rekindle.insights.lifting import Earnings, tell_earnings, tell_power, tell_words
from rekindle.insights.lifting.attribution import WINDOWS, Attribution, tell_attribution
from rekindle.insights.lifting.budgeting import BudgetAdvice, UnitEarned
from rekindle.insights.lifting.estimating import CONFIDENCE, NET_REVENUE, RETURN_RATE
from rekindle.insights.lifting.parting import MEANINGS, PartingCount
from rekindle.insights.lifting.programme import Programme, ProgrammePart
from rekindle.insights.lifting.reaching import GOAL_RATE, GoalReached
from rekindle.insights.lifting.variants import METRICS, VariantTest
from rekindle.insights.model import Audit, GapDays
from rekindle.insights.report import ArmResult, JourneyReport
from rekindle.insights.survival import Interval
from rekindle.insights.words import (
    UNKNOWN,
    say_amount,
    say_buyers,
    say_count,
    say_day,
    say_days,
    say_expected,
    say_interval,
    say_money,
    say_points,
    say_share,
    say_value,
    say_word,
)
from rekindle.journeys import Measure
from rekindle.predictions import ModelCard
from rekindle.vocabulary import Answer, Arm, Tier, Unknown
from rekindle.wording import counted

MOST_CATEGORIES = 12
CURVE_ROWS_PER_HORIZON = 3


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table of text. The first ``text_columns`` read from the left, the rest are figures."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    text_columns: int = 1


def audit_tables(audit: Audit) -> tuple[TextTable, ...]:
    """Return the audit as tables, the most telling first."""
    return (
        history_table(audit),
        tier_table(audit),
        gap_table(audit),
        curve_table(audit),
        most_valuable_table(audit),
        proof_table(audit),
    )


def report_tables(report: JourneyReport) -> tuple[TextTable, ...]:
    """Return the report as tables, the most telling first."""
    return (
        lift_table(report),
        *([] if report.earnings is None else [earnings_table(report, report.earnings)]),
        word_table(report),
        *attribution_tables(report),
        arm_table(report),
        *subgroup_tables(report),
        touch_table(report),
        reason_table(report),
        promise_table(report),
        *parting_tables(report),
        *variant_tables(report),
    )


def programme_tables(programme: Programme) -> tuple[TextTable, ...]:
    """Return what all marketing journeys earned together, and the shares there were."""
    zone = programme.zone
    history = TextTable(
        "The holdout of all marketing journeys",
        ("share", "since"),
        tuple((say_share(one.share, digits=1), say_day(one.since, zone)) for one in
              reversed(programme.shares)),
        (programme.told,),
        text_columns=2,
    )  # fmt: skip
    return (history, *(_programme_part(part, programme) for part in programme.parts))


def _programme_part(part: ProgrammePart, programme: Programme) -> TextTable:
    days, currency = say_days(programme.within.days), programme.currency
    notes = [
        f"People count once {days} days have passed since they were drawn, with what they bought "
        "in these; the interval is right whenever you look."
    ]
    if part.left_out:
        notes.append(
            f"{counted(part.left_out, 'person')} left out, for there was no holdout during a part "
            "of their time."
        )
    rows = [
        _arm_row("drawn", part.drawn, say_count),
        _arm_row("their time is over", part.over, say_count),
        _arm_row("bought", part.bought, say_count),
        _arm_row("net revenue", part.revenue, lambda net: say_amount(net, currency, digits=0)),
    ]
    for name, lift, say in (
        ("net revenue more, per person", part.lift, lambda x: say_amount(x, currency)),
        ("buyers more", part.return_lift, say_points),
    ):
        if isinstance(lift, Unknown):
            notes.append(f"{name}: unknown, because {lift.reason}.")
            rows.append((name, UNKNOWN, ""))
        else:
            rows.append((name, say(lift.difference), f"{say(lift.low)} to {say(lift.high)}"))
    if not isinstance(part.total, Unknown):
        low, high = (
            UNKNOWN if end is None else say_amount(end, currency, digits=0)
            for end in (part.total.low, part.total.high)
        )
        value = say_amount(part.total.value, currency, digits=0)
        rows.append(("earned in total", value, f"{low} to {high}"))
    return TextTable(
        f"Drawn while {say_share(part.share, digits=1)} were held out",
        ("", "written to", "held out, or from to"),
        tuple(rows),
        tuple(notes),
    )


def _arm_row(name: str, of: Mapping[Arm, float], say: Callable[[Any], str]) -> tuple[str, str, str]:
    return name, say(of[Arm.TREATMENT]), say(of[Arm.HOLDOUT])


def history_table(audit: Audit) -> TextTable:
    """Return what the history holds."""
    rows = audit.rows
    read, refused, nobody = (
        (UNKNOWN, UNKNOWN, UNKNOWN)
        if isinstance(rows, Unknown)
        else (say_count(rows.read), say_count(rows.quarantined), say_count(rows.anonymous))
    )
    return TextTable(
        "The history",
        ("", f"until {say_day(audit.as_of, audit.zone)}"),
        (
            ("rows read", read),
            ("rows in quarantine", refused),
            ("rows without a customer", nobody),
            ("buyers", say_count(audit.buyers)),
            ("orders", say_count(audit.orders)),
            ("gross revenue", say_money(audit.gross_revenue, digits=2)),
            ("net revenue", say_money(audit.net_revenue, digits=2)),
            ("anonymous revenue", say_money(audit.anonymous_revenue, digits=2)),
        ),
        (*_reasons_of(rows), *filter(None, [audit.rates_told])),
    )


def tier_table(audit: Audit) -> TextTable:
    """Return who is in which tier, and where the tiers begin for the median buyer."""
    lines = audit.tier_lines
    return TextTable(
        "Where customers stand",
        ("tier", "customers", "lifetime value", "from day", "still return"),
        tuple(
            (
                say_word(tier),
                say_count(total.customers),
                say_money(total.lifetime_value),
                say_days(lines[tier].after_days) if tier in lines else "",
                say_expected(lines[tier].returning) if tier in lines else "",
            )
            for tier, total in audit.tiers.items()
        ),
        (
            "From day: of silence, for the median buyer. Still return: of those in the tier now, "
            f"unprompted, within {audit.horizon.days} days; in brackets the range that holds four "
            "outcomes in five.",
            *audit.warnings,
            *_early_line(audit),
            *_prospects(audit),
        ),
    )


def gap_table(audit: Audit) -> TextTable:
    """Return how many days lie between purchase days, overall and by category."""
    named = list(audit.gap_days_by_category.items())
    left_out = len(named) - MOST_CATEGORIES
    notes = (f"{left_out} more categories are in the JSON.",) if left_out > 0 else ()
    return TextTable(
        "Days between purchases",
        ("", "gaps", "median", "75 %", "90 %", "95 %"),
        (
            _gap_row("all customers", audit.gap_days),
            *(_gap_row(name, gaps) for name, gaps in named[:MOST_CATEGORIES]),
        ),
        (*_reasons_of(audit.gap_days.median), *notes),
    )


def curve_table(audit: Audit) -> TextTable:
    """Return the return curve at a few lengths of silence, as far as it is known."""
    step = max(1, audit.horizon.days // CURVE_ROWS_PER_HORIZON)
    known = [point for point in audit.return_curve if not isinstance(point.share, Unknown)]
    first = next((p.share for p in audit.return_curve if isinstance(p.share, Unknown)), None)
    return TextTable(
        f"Who still returns within {audit.horizon.days} days",
        ("silent for days", "silences", "return", "95 % interval"),
        tuple(
            (
                say_count(point.silence_days),
                say_count(point.at_risk),
                say_value(point.share),
                say_interval(point.share),
            )
            for point in known
            if point.silence_days % step == 0
        ),
        () if first is None else (f"Beyond that: {first.reason}.",),
    )


def most_valuable_table(audit: Audit) -> TextTable:
    """Return the most valuable customers who drifted away."""
    return TextTable(
        "Most valuable who drifted away",
        ("customer", "lifetime value", "orders", "silent days", "last order", "tier"),
        tuple(
            (
                one.customer_id,
                say_money(one.lifetime_value, digits=2),
                say_count(one.orders_count),
                say_count(one.silence_days),
                one.last_order_on.isoformat(),
                say_word(one.tier),
            )
            for one in audit.most_valuable
        ),
    )


def proof_table(audit: Audit) -> TextTable:
    """Return how large a holdout is needed, and what this list could prove."""
    proof, currency = audit.proof, audit.currency
    base = proof.base
    return TextTable(
        "What this list could prove",
        ("", f"within {audit.horizon.days} days"),
        (
            ("customers who drifted away", say_count(audit.drifted.customers)),
            ("returned unprompted, at an earlier date", say_share(base.share)),
            ("spent each, at that date", say_amount(base.revenue, currency)),
            ("share to hold out", say_share(proof.holdout.share, digits=1)),
            ("customers held out", say_count(proof.holdout.held_out_count)),
            ("buyers to expect among them", say_buyers(proof.buyers)),
            ("provable lift in net revenue each", say_amount(proof.revenue, currency)),
            ("provable lift in return rate", say_points(proof.return_rate)),
        ),
        (
            f"The earlier date is {say_day(base.as_of, audit.zone)}, when "
            f"{counted(base.people, 'customer')} had drifted away. A provable lift is one that "
            "four journeys in five would show, if it is made by more buyers with the same baskets.",
            *_reasons_of(base.share, proof.buyers, proof.revenue, proof.return_rate),
        ),
    )


def lift_table(report: JourneyReport) -> TextTable:
    """Return the differences between the arms, with their intervals."""
    money, points = _speakers(report)
    lifts = [(NET_REVENUE, report.lift, money), (RETURN_RATE, report.return_rate_lift, points)]
    if isinstance(report.goal, GoalReached):
        lifts.append((GOAL_RATE, report.goal.lift, points))
    known = [lift for _, lift, _ in lifts if isinstance(lift, Lift)]
    method = [f"{CONFIDENCE * 100:g} % {one.method}, {one.interval.value}." for one in known[:1]]
    return TextTable(
        "Lift: treatment − holdout",
        ("per assigned customer", "difference", "from", "to", "p"),
        tuple(
            (metric.removesuffix(" per assigned customer"), *_lift_cells(lift, say))
            for metric, lift, say in lifts
        ),
        (
            report.finding,
            *_reasons_of(*(lift for _, lift, _ in lifts[1:])),
            *method,
            *report.told_of_stopping,
        ),
    )


def earnings_table(report: JourneyReport, earnings: Earnings) -> TextTable:
    """Return what the difference adds up to, and what this list can prove at all."""
    say = _speakers(report)[0]
    figures = (earnings.total, earnings.relative, earnings.on_spend, earnings.per_return)
    return TextTable(
        "What it adds up to",
        ("over everyone treated", "value", "from", "to"),
        tuple(tell_earnings(earnings, say)),
        (*_reasons_of(*figures), *tell_power(earnings, say)),
    )


def word_table(report: JourneyReport) -> TextTable:
    """Return when the figures may be believed, in the words that tell it."""
    return TextTable(
        "May it be believed yet?",
        ("", "what it says now"),
        tuple(tell_words(report.reading, report.coming_back, report.zone)),
        text_columns=2,
    )


def attribution_tables(report: JourneyReport) -> Iterable[TextTable]:
    """Yield what attribution credits the messages with, beside what was earned; of no replay."""
    told = report.attribution
    if not isinstance(told, Attribution):
        return
    yield TextTable(
        "Attributed, beside what was earned",
        ("net revenue", "last touch", "first touch", "linear"),
        tuple(tell_attribution(told, _speakers(report)[0])),
        (
            WINDOWS,
            f"{told.credited:,} of {counted(told.purchases, 'purchase')} of the treated followed "
            "such a touch. What would have come without it is what the holdout says.",
            *_reasons_of(told.earned),
        ),
    )


def arm_table(report: JourneyReport) -> TextTable:
    """Return the arms side by side."""
    arms = [report.arms[arm] for arm in Arm]

    def row(name: str, say: Callable[[ArmResult], str]) -> tuple[str, ...]:
        return (name, *(say(arm) for arm in arms))

    currency = report.currency
    return TextTable(
        "The arms side by side",
        ("", *(say_word(arm) for arm in Arm)),
        (
            row("assigned", lambda arm: say_count(arm.assigned)),
            row("exposed", lambda arm: say_count(arm.exposed)),
            row("returned", lambda arm: say_count(arm.returned)),
            row("return rate", lambda arm: say_share(arm.return_rate, digits=1)),
            *_goal_rows(report.goal),
            row("net revenue", lambda arm: say_amount(arm.revenue, currency)),
            row("net revenue each", lambda arm: say_amount(arm.revenue_per_assigned, currency)),
        ),
        (
            "Exposed: the gate let at least one message pass, or in the holdout its ghost. "
            f"Returned and revenue: within {report.within.days} days of entry.",
            *([f"The goal: {report.goal.reason}."] if isinstance(report.goal, Unknown) else []),
        ),
    )


def _goal_rows(goal: GoalReached | Unknown | None) -> Iterable[tuple[str, ...]]:
    """Yield how many of each arm reached a goal that is no purchase."""
    if isinstance(goal, GoalReached):
        yield (f"goal: {goal.event}", *(say_count(goal.reached[arm]) for arm in Arm))
        yield ("goal rate", *(say_share(goal.share(arm), digits=1) for arm in Arm))


def touch_table(report: JourneyReport) -> TextTable:
    """Return what the gate answered, and what the messages cost."""
    said = {Answer.SEND: "messages sent", Answer.HOLD: "touches held", Answer.SKIP: "skipped"}
    return TextTable(
        "What the gate decided",
        ("", "count"),
        (
            *((said[answer], say_count(count)) for answer, count in report.touches.items()),
            ("cost of the messages", say_money(report.cost, digits=2)),
        ),
    )


def reason_table(report: JourneyReport) -> TextTable:
    """Return why touches were held or skipped, the most frequent first."""
    meanings = {note.reason: note.meaning for note in REASONS}
    return TextTable(
        "Held and skipped, by reason",
        ("reason", "meaning", "count"),
        tuple(
            (say_word(reason), meanings[reason], say_count(count))
            for reason, count in report.reasons.items()
        ),
        text_columns=2,
    )


def variant_tables(report: JourneyReport) -> Iterable[TextTable]:
    """Yield the variants of each tested message, side by side."""
    for test in report.tests:
        against = {one.variant: one for one in test.comparison.against}

        def mean(value: float, test: VariantTest = test) -> str:
            is_money = test.measure is Measure.REVENUE
            return say_amount(value, test.currency) if is_money else say_share(value, digits=1)

        ended = ", which is over" if test.is_over else ""
        yield TextTable(
            f"The variants of {test.step}, by {METRICS[test.measure]}{ended}",
            ("variant", "given", "left", "time over", "did", "each", "difference", "p"),
            tuple(
                (
                    one.name,
                    say_count(one.given),
                    say_count(one.left),
                    say_count(one.over),
                    say_count(one.doers),
                    UNKNOWN if isinstance(one.mean, Unknown) else mean(one.mean),
                    *_against_cells(test, against.get(one.name)),
                )
                for one in test.results
            ),
            (
                test.finding,
                f"Each person counts once, within {test.within.days} days of their first message, "
                "whether it left or not. A difference is to the first variant, over the people of "
                "the latest reading; p is adjusted for the number of variants.",
            ),
        )


def subgroup_tables(report: JourneyReport) -> Iterable[TextTable]:
    """Yield the lift in each part of the people, where they were told apart."""
    if report.subgroups is None:
        return
    say = _speakers(report)[0]
    rows = tuple(
        (
            part.name,
            *(say_count(part.assigned[arm]) for arm in Arm),
            *(say_share(part.return_rate(arm), digits=1) for arm in Arm),
            *_lift_cells(part.lift, say)[:3],
        )
        for part in report.subgroups.subgroups
    )
    yield TextTable(
        f"By {report.subgroups.by}, as they entered",
        ("", "treated", "held out", "returned", "held out", "each earned", "from", "to"),
        rows,
        (*report.subgroups.told, *_reasons_of(*(part.lift for part in report.subgroups.subgroups))),
    )


def budget_tables(advice: BudgetAdvice) -> tuple[TextTable, ...]:
    """Return what each unit of money earned, place by place, and what to move."""
    say = partial(say_amount, currency=advice.currency)
    rows = tuple(
        (place.name, say_count(place.treated), say(place.cost), *_unit_cells(place.per_unit, say))
        for place in advice.places
    )
    reasons = _reasons_of(*(place.per_unit for place in advice.places))
    note = (
        f"Each interval is at {advice.confidence * 100:.4g} %, so that all pairs of places hold "
        "together in 19 of 20 such tables."
    )
    return (
        TextTable(
            "What each unit of money earned",
            ("where it was spent", "treated", "spent", "earned by each", "from", "to"),
            rows,
            (*advice.told, note, *reasons),
        ),
    )


def _unit_cells(earned: UnitEarned | Unknown, say: Callable[[float], str]) -> tuple[str, ...]:
    if isinstance(earned, Unknown):
        return (UNKNOWN, "", "")
    return (say(earned.value), say(earned.low), say(earned.high))


def promise_table(report: JourneyReport) -> TextTable:
    """Return what shows whether the journey stopped in time."""
    return TextTable(
        "Promises",
        ("", "count"),
        (
            ("messages after a known return (must be 0)", say_count(report.sent_after_return)),
            ("messages after a return not imported yet", say_count(report.sent_before_known)),
            ("returned before the first touch", say_count(report.returned_before_first_touch)),
            ("goal windows still open", say_count(report.still_open_windows)),
        ),
        report.notes,
    )


def parting_tables(report: JourneyReport) -> Iterable[TextTable]:
    """Yield why people of a journey said they left, and why some are suppressed; of no replay."""
    partings = report.partings
    if partings is None:
        return

    def cell(one: PartingCount, arm: Arm) -> str:
        people, assigned = one.people[arm], report.arms[arm].assigned
        share = f" ({say_share(people / assigned, digits=1)})" if people and assigned else ""
        return f"{say_count(people)}{share}"

    def table(title: str, counts: Iterable[PartingCount], notes: Iterable[str]) -> TextTable:
        rows = tuple((_say_parting(one.reason), *(cell(one, arm) for arm in Arm)) for one in counts)
        none = () if rows else ("Nobody since they entered.",)
        return TextTable(title, ("", *(say_word(arm) for arm in Arm)), rows, (*none, *notes))

    yield table("Why people said they left", partings.answers, partings.told_of_answers)
    yield table("Who can be reached less", partings.stops, partings.told_of_stops)


def _say_parting(reason: str) -> str:
    return MEANINGS.get(reason, reason.replace("_", " "))


def _gap_row(name: str, gaps: GapDays) -> tuple[str, ...]:
    quantiles = (gaps.median, gaps.p75, gaps.p90, gaps.p95)
    return (name, say_count(gaps.count), *(say_days(days) for days in quantiles))


def _early_line(audit: Audit) -> Iterable[str]:
    returning = audit.tier_lines[Tier.LAPSED].returning
    if isinstance(returning, Interval) and returning.low > 0.5:
        yield (
            f"Of the lapsed {say_share(returning.value)} still return unprompted: most would "
            "be written to for nothing. A later line (lifecycle.lapsed in rekindle.toml) suits "
            "this shop better."
        )


def _prospects(audit: Audit) -> Iterable[str]:
    if audit.tiers[Tier.PROSPECT].lifetime_value.amount < 0:
        yield "A prospect with a negative value was refunded a purchase older than the history."


def _speakers(report: JourneyReport) -> tuple[Callable[[float], str], Callable[[float], str]]:
    return (lambda amount: say_amount(amount, report.currency)), say_points


def _against_cells(test: VariantTest, one: Against | None) -> tuple[str, str]:
    if one is None:
        return "", ""
    if isinstance(one.lift, Unknown) or isinstance(one.p_value, Unknown):
        return UNKNOWN, ""
    return test.say(one.lift.difference), f"{one.p_value:.3f}"


def _lift_cells(lift: Lift | Unknown, say: Callable[[float], str]) -> tuple[str, ...]:
    if isinstance(lift, Unknown):
        return (UNKNOWN, "", "", "")
    return (say(lift.difference), say(lift.low), say(lift.high), f"{lift.p_value:.3f}")


def _reasons_of(*values: object) -> tuple[str, ...]:
    """Return why the unknown ones among ``values`` are so, each reason once."""
    reasons = dict.fromkeys(value.reason for value in values if isinstance(value, Unknown))
    return tuple(f"Unknown: {reason}." for reason in reasons)


def card_tables(card: ModelCard) -> tuple[TextTable, ...]:
    """Return the card of a model: what it was learned from, how it did, and what it weighs."""
    learned = TextTable(
        "Learned from",
        ("what", ""),
        (
            ("orders", f"{card.first_on} to {card.last_on}"),
            ("people", f"{card.people:,}"),
            ("of them written to before", f"{card.sent_to:,}"),
            ("rows", f"{card.rows:,}"),
        ),
        card.warnings,
    )
    weights = TextTable(
        "What it goes by",
        ("feature", "weight"),
        tuple((name, f"{weight:+.2f}") for name, weight in card.weights.items()),
        ("What one standard deviation more adds to the log-odds of an order.",),
    )
    return (learned, *_judged_tables(card), weights)


def _judged_tables(card: ModelCard) -> tuple[TextTable, ...]:
    judged, title = card.judged, f"Learned by {card.cut_on}, judged by what came since"
    if isinstance(judged, Unknown):
        return (TextTable(title, ("what", ""), (), (f"Not judged: {judged.reason}.",)),)
    figures = (
        ("people", f"{judged.people:,}", ""),
        (card.outcome, say_share(judged.came, digits=1), ""),
        ("AUC", f"{judged.auc:.3f}", f"{judged.recency_auc:.3f} by recency alone"),
        ("Brier", f"{judged.brier:.3f}", f"{judged.base_brier:.3f} of one chance for all"),
        ("foreseen ÷ came", f"{judged.ratio:.2f}", "1 is right"),
    )
    bins = tuple(
        (f"{one.people:,}", say_share(one.foreseen, digits=1), say_share(one.came, digits=1))
        for one in judged.bins
    )
    return (
        TextTable(title, ("what", "model", "beside"), figures),
        TextTable("By tenths of the people", ("people", "foreseen", "came"), bins),
    )
