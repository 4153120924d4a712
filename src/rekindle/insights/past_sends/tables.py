"""What was sent before as plain tables, for the terminal and the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rekindle.experiments import Lift
from rekindle.insights.past_sends.model import (
    CHOSEN,
    JUST_BOUGHT_DAYS,
    WITHIN_DAYS,
    EquallySilent,
    SendAudit,
    SendGroup,
)
from rekindle.insights.tables import TextTable
from rekindle.insights.words import (
    UNKNOWN,
    say_amount,
    say_count,
    say_days,
    say_points,
    say_share,
)
from rekindle.vocabulary import Unknown

MOST_GROUPS = 15


def past_send_tables(found: SendAudit) -> tuple[TextTable, ...]:
    """Return the audit of what was sent before as tables, the most telling first."""
    tried = [one for one in found.groups if one.is_experiment]
    others = [one for one in found.groups if not one.is_experiment]
    return (
        channel_table(found),
        *((experiment_table(tried, found.currency),) if tried else ()),
        *((chosen_table(others),) if others else ()),
        fault_table(found),
    )


def channel_table(found: SendAudit) -> TextTable:
    """Return what went out on each channel."""
    return TextTable(
        "What was sent before",
        ("channel", "messages", "people", "bounced", "opened", "clicked", "bought"),
        tuple(
            (
                one.channel,
                say_count(one.sends),
                say_count(one.people),
                say_count(one.bounced),
                say_count(one.opened),
                say_count(one.clicked),
                say_share(one.followed.share, digits=1),
            )
            for one in found.channels
        ),
        (
            f"Bought: within {WITHIN_DAYS} days of their first message on the channel, of those "
            "whose days are over, whatever made them.",
            *found.notes,
        ),
    )


def experiment_table(groups: list[SendGroup], currency: str) -> TextTable:
    """Return the campaigns out of which some people were kept by lot, with what they show."""
    rows = []
    for one in groups[:MOST_GROUPS]:
        rows.append(
            (
                one.campaign,
                one.channel,
                say_count(one.people),
                say_count(one.held_out),
                say_share(one.followed.share, digits=1),
                say_share(one.holdout.share, digits=1),
                *_lift(one.lift, say_points),
                *_lift(one.revenue_lift, lambda amount: say_amount(amount, currency)),
            )
        )
    return TextTable(
        "Campaigns with a holdout",
        (
            "campaign",
            "channel",
            "sent to",
            "kept out",
            "bought",
            "of the kept out",
            "more",
            "from to",
            "revenue more",
            "from to",
        ),
        tuple(rows),
        (
            "More: by everybody drawn into the arm, reached or not, within "
            f"{WITHIN_DAYS} days; from to is the 95 % interval, and a difference is shown where it "
            "leaves out 0.",
            *_reasons(groups[:MOST_GROUPS]),
            *_left_out(groups),
        ),
        text_columns=2,
    )


def chosen_table(groups: list[SendGroup]) -> TextTable:
    """Return the campaigns without a holdout, beside people as silent who got nothing."""
    return TextTable(
        "Campaigns without a holdout",
        (
            "campaign",
            "channel",
            "last sent",
            "people",
            "silent days",
            "bought",
            "could be compared",
            "of them bought",
            "equally silent",
        ),
        tuple(
            (
                one.campaign,
                one.channel,
                one.last_on.isoformat(),
                say_count(one.people),
                say_days(one.silence_days),
                say_share(one.followed.share, digits=1),
                *_beside(one.beside),
            )
            for one in groups[:MOST_GROUPS]
        ),
        (
            f"{CHOSEN.capitalize()}. The two shares at the end stand side by side and are no "
            "effect: who is written to is likelier to buy, or less likely, for other reasons "
            "than the message. Keep some out by lot next time.",
            "Equally silent: people as silent on those days who got nothing from a day before "
            f"until {WITHIN_DAYS} days after. Silent days: the median before the first message.",
            *_reasons(groups[:MOST_GROUPS]),
            *_left_out(groups),
        ),
        text_columns=2,
    )


def fault_table(found: SendAudit) -> TextTable:
    """Return the messages that ought to be looked at twice."""
    faults = found.faults
    named = (
        (f"bought in the {JUST_BOUGHT_DAYS} days before", faults.just_bought),
        ("bought since the campaign's first message to them", faults.since_first),
        ("a person's second or later on one day", faults.same_day),
        ("in quiet hours, by the business's clock", faults.at_night),
        ("after a no to the channel", faults.refused),
    )
    return TextTable(
        "Messages to look at twice",
        ("went to somebody, or at a time", "messages", "of all"),
        tuple(
            (
                name,
                say_count(count),
                say_share(count / found.known, digits=1) if found.known else UNKNOWN,
            )
            for name, count in named
        ),
        (
            f"Of {say_count(found.known)} messages to people known here; one may be in several "
            "rows. Thanks for an order are among the first.",
        ),
    )


def _lift(lift: Lift | Unknown, say: Callable[[float], str]) -> tuple[str, str]:
    if isinstance(lift, Unknown):
        return UNKNOWN, ""
    low = say(lift.low).removesuffix(" points")
    return say(lift.difference), f"{low} to {say(lift.high)}"


def _beside(found: EquallySilent | Unknown) -> tuple[str, str, str]:
    if isinstance(found, Unknown):
        return "", "", UNKNOWN
    return (
        say_count(found.people),
        say_share(found.share, digits=1),
        say_share(found.beside, digits=1),
    )


def _reasons(groups: list[SendGroup]) -> Iterator[str]:
    """Yield why figures are unknown, each reason once."""
    told: dict[str, str] = {}
    for one in groups:
        figures = (one.lift, one.revenue_lift) if one.is_experiment else (one.beside,)
        for figure in figures:
            if isinstance(figure, Unknown):
                told.setdefault(figure.reason, one.campaign)
            elif isinstance(figure, Lift):
                told |= dict.fromkeys(figure.warnings, one.campaign)
    for reason, campaign in told.items():
        yield f"{campaign}: {reason}."


def _left_out(groups: list[SendGroup]) -> Iterator[str]:
    if (more := len(groups) - MOST_GROUPS) > 0:
        yield f"{more} older campaigns are in the JSON."
