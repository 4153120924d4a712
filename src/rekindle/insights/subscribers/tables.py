"""A subscription audit as plain tables, for the terminal and the page."""

from __future__ import annotations

from rekindle.insights.subscribers.model import MonthLine, SubscriptionAudit
from rekindle.insights.subscribers.recovering import Recovery
from rekindle.insights.subscribers.retaining import Retention
from rekindle.insights.tables import TextTable
from rekindle.insights.wire import Figure
from rekindle.insights.words import (
    UNKNOWN,
    say_amount,
    say_count,
    say_interval,
    say_money,
    say_share,
    say_value,
)
from rekindle.subscriptions import HourChoice, Movement, say_hour
from rekindle.vocabulary import Money, Unknown
from rekindle.wording import counted, numbered

LAST_MONTHS = 12
MOST_GROUPS = 12
NOBODY = "nobody yet"


def subscription_tables(audit: SubscriptionAudit) -> tuple[TextTable, ...]:
    """Return the audit as tables, the most telling first."""
    return (
        mrr_table(audit),
        month_table(audit),
        *((recovery_table(audit.recovery, audit.retry_hour),) if audit.recovery else ()),
        return_table(audit),
        time_table(audit),
        staying_table(audit),
        *((retention_table(audit.retention),) if audit.retention else ()),
        *((worth_table(audit),) if audit.worth else ()),
    )


def mrr_table(audit: SubscriptionAudit) -> TextTable:
    """Return how MRR came to be what it is."""
    moved = tuple(
        (one.value, say_count(total.count), _signed(total.amount))
        for one, total in audit.movements.items()
    )
    return TextTable(
        "Monthly recurring revenue",
        ("", "movements", "a month"),
        (*moved, ("now", f"{say_count(audit.active)} subscribers", say_money(audit.closing))),
        (f"By the definition {audit.definition.name}: {audit.definition.meaning}", *audit.notes),
    )


def month_table(audit: SubscriptionAudit) -> TextTable:
    """Return the last months, each from its opening to its closing."""
    left_out = len(audit.months) - LAST_MONTHS
    return TextTable(
        f"Month by month, in {audit.currency}",
        ("month", *(one.value for one in Movement), "closing"),
        tuple(_month(line) for line in audit.months[-LAST_MONTHS:]),
        (
            "A month opens with what the one before it closed with.",
            *((f"{left_out} earlier months are in the JSON.",) if left_out > 0 else ()),
        ),
    )


def recovery_table(
    recovery: tuple[Recovery, ...], retry_hour: HourChoice | None = None
) -> TextTable:
    """Return what became of failed payments, by why they failed."""
    return TextTable(
        "Payments that failed",
        ("decline", "failed", "paid since", "dropped", "running", "recovered", "days", "back"),
        tuple(
            (
                one.kind,
                say_count(one.failed),
                say_count(one.recovered),
                say_count(one.dropped),
                say_count(one.running),
                UNKNOWN if isinstance(one.rate, Unknown) else say_share(one.rate, digits=1),
                "–" if isinstance(one.median_days, Unknown) else f"{one.median_days:,.1f}",
                say_money(one.brought_back),
            )
            for one in recovery
        ),
        (
            "Recovered is paid since ÷ all that failed: what still runs counts as not yet. Dropped "
            "is what was cancelled, paused, ended or given up. Days: the median until it was paid.",
            *((f"Retries by a schedule are made {say_hour(retry_hour)}.",) if retry_hour else ()),
        ),
    )


def return_table(audit: SubscriptionAudit) -> TextTable:
    """Return who came back, by why and how long ago they left; the largest groups alone."""
    groups = list(dict.fromkeys((rate.kind, rate.reason) for rate in audit.rates))
    shown, left_out = set(groups[:MOST_GROUPS]), len(groups) - MOST_GROUPS
    return TextTable(
        "Who came back",
        ("left", "reason", "days since", "gone", "came back", "share"),
        tuple(
            (
                rate.kind.value,
                rate.reason or "none given",
                rate.since_churn,
                say_count(rate.churned),
                say_count(rate.reactivated),
                UNKNOWN if isinstance(rate.rate, Unknown) else say_share(rate.rate, digits=1),
            )
            for rate in audit.rates
            if rate.churned and (rate.kind, rate.reason) in shown
        ),
        (
            "Gone: who was still gone when that time began. Who has not been followed to its end "
            "counts as not yet back.",
            *(
                (f"{counted(left_out, 'smaller group')} {numbered(left_out, 'is')} in the JSON.",)
                if left_out > 0
                else ()
            ),
        ),
        text_columns=3,
    )


def time_table(audit: SubscriptionAudit) -> TextTable:
    """Return how long people stayed away, and how often who came back left again."""
    gone = audit.time_gone
    rows = [
        ("median days of those who came back", _days(gone.median)),
        ("mean days of those who came back", _days(gone.mean)),
        ("days until half of all are back", _days(gone.by_all_median)),
    ]
    rows += [
        (
            f"left for the {_nth(one.times)} time",
            f"{say_count(one.left)}, {say_count(one.came_back)} of them came back",
        )
        for one in audit.times_left
    ]
    return TextTable("How long they are gone", ("", "days or people"), tuple(rows))


def staying_table(audit: SubscriptionAudit) -> TextTable:
    """Return how soon subscribers leave, those of the first time and those who came back."""
    return TextTable(
        "Who leaves within so many days",
        ("days", "first time", "95 % interval", "came back", "95 % interval"),
        tuple(
            (
                say_count(point.days),
                say_value(point.first_time),
                say_interval(point.first_time),
                say_value(point.came_back),
                say_interval(point.came_back),
            )
            for point in audit.staying
        ),
        tuple(
            dict.fromkeys(
                f"Unknown: {one.reason}."
                for point in audit.staying
                for one in (point.first_time, point.came_back)
                if isinstance(one, Unknown)
            )
        )[:2],
    )


def retention_table(retention: Retention) -> TextTable:
    """Return how many first-time subscribers stay so long, and whether the curve held."""
    if isinstance(retention.alpha, Unknown) or isinstance(retention.beta, Unknown):
        reason = retention.alpha if isinstance(retention.alpha, Unknown) else retention.beta
        return TextTable("How many stay", ("months", "stay"), (), (f"No curve yet: {reason}.",))
    notes = [
        f"The sBG curve of first-time subscribers (alpha {retention.alpha:.3f}, beta "
        f"{retention.beta:.3f}), renewed month by month: where many pay by the year it is too "
        "smooth."
    ]
    trial = retention.trial
    if isinstance(trial, Unknown):
        notes.append(f"It was not tried: {trial.reason}.")
    else:
        ending = "it held." if trial.held else "it did not hold, so do not plan with it."
        notes.append(
            f"Tried: of the {say_count(trial.subscribed)} subscribed {trial.days} days before, it "
            f"foresaw that {trial.foreseen:,.0f} would still be; {say_count(trial.stayed)} are: "
            f"{ending}"
        )
    rows = tuple(
        (say_count(months), say_share(share, digits=1))
        for months, share in retention.shares.items()
    )
    return TextTable("How many stay", ("months", "stay"), rows, tuple(notes))


def worth_table(audit: SubscriptionAudit) -> TextTable:
    """Return whom to leave alone, by which rule, and who is left to ask."""
    return TextTable(
        "Who is worth bringing back",
        ("", "rule", "gone", "a month, before"),
        tuple(
            (
                line.name.replace("_", " "),
                line.rule or "none of these applies",
                say_count(line.people),
                say_money(line.mrr),
            )
            for line in audit.worth
        ),
        (
            "The rules are [subscriptions.not_worth] in rekindle.toml. Whoever several apply to "
            "counts under the first. A journey leaves them out where its audience says so.",
        ),
        text_columns=2,
    )


def _month(line: MonthLine) -> tuple[str, ...]:
    amounts = [*(total.amount for total in line.movements.values()), line.closing]
    return (f"{line.month:%Y-%m}", *(_plain(money) for money in amounts))


def _plain(money: Money) -> str:
    return f"{money.amount:,.0f}".replace("-", "−")


def _signed(money: Money) -> str:
    return say_amount(float(money.amount), money.currency, digits=0)


def _days(days: Figure) -> str:
    return NOBODY if isinstance(days, Unknown) else f"{days:,.0f}"


def _nth(times: int) -> str:
    return {1: "first", 2: "second", 3: "third", 4: "fourth"}.get(times, "fifth or a later")
