"""What a page says of a business that lives by subscriptions."""

from __future__ import annotations

from collections.abc import Iterator

from rekindle.insights.charts import clubs
from rekindle.insights.pages.layout import PageFigure, PageSection
from rekindle.insights.subscribers import tables
from rekindle.insights.subscribers.model import StayingPoint, SubscriptionAudit
from rekindle.insights.survival import Interval
from rekindle.insights.words import say_count, say_money, say_share, say_value
from rekindle.subscriptions import Movement
from rekindle.vocabulary import Unknown
from rekindle.wording import counted

TITLE = "Who left, and who came back"
NOTES = (
    "Somebody has left from the end of the last paid period on, and is back with the first day "
    "that is paid for again.",
    "Intervals: 95 %, by Greenwood's variance of the Kaplan-Meier estimate; whoever is still "
    "there, or still gone, counts for as long as they were seen.",
)
FOLLOWED_DAYS = 90


def club_lead(found: SubscriptionAudit) -> str:
    """Return what there is to know first."""
    pays = "pays" if found.active == 1 else "pay"
    paying = f"{counted(found.active, 'subscriber')} {pays} {say_money(found.closing)} a month."
    left, back = _left(found), _back(found)
    if not left:
        return f"{paying} Nobody has left yet."
    return (
        f"{paying} {counted(left, 'departure')} so far took {_lost(found)} a month away; "
        f"{say_count(back)} of them ({say_share(back / left)}) ended with a return. A win-back has "
        "to beat that, which is why some people are held out."
    )


def club_figures(found: SubscriptionAudit) -> tuple[PageFigure, ...]:
    """Return the headline figures."""
    left, back = _left(found), _back(found)
    share = back / left if left else Unknown("nobody has left yet")
    point = next((one for one in found.staying if one.days == FOLLOWED_DAYS), None)
    return (
        PageFigure("Subscribers", say_count(found.active), f"by the definition {_name(found)}"),
        PageFigure("Monthly recurring revenue", say_money(found.closing), "net of discounts"),
        PageFigure(
            "Gone",
            say_count(left - back),
            f"of {counted(left, 'departure')} {say_share(share)} ended with a return so far",
        ),
        *(() if point is None else (_leaving_figure(point),)),
    )


def club_sections(found: SubscriptionAudit) -> Iterator[PageSection]:
    """Yield what subscribers bring, why they leave, and who comes back and stays."""
    yield PageSection(
        "What subscribers bring",
        "Every movement is the difference between two standings of one customer, so that opening "
        "and movements are the closing.",
        clubs.draw_mrr(found),
        (tables.mrr_table(found),),
    )
    yield PageSection(
        "What came and went",
        "Above the line what came to be paid in a month, below it what is not paid any more.",
        clubs.draw_movements(found),
        (tables.month_table(found),),
    )
    if found.recovery:
        yield PageSection(
            "Payments that failed",
            "Nobody decided to leave by a card that is declined. Until it is paid, or dropped, it "
            "counts as running.",
            "",
            (tables.recovery_table(found.recovery, found.retry_hour),),
        )
    yield PageSection(
        "Who came back",
        "By how they left, which reason they gave and how long ago that is.",
        "",
        (tables.return_table(found),),
    )
    yield PageSection(
        "How long they are gone, and how long they stay",
        "Whoever came back has left before. Their stays are beside those of first-time subscribers "
        "of the same age.",
        clubs.draw_staying(found),
        (
            tables.time_table(found),
            tables.staying_table(found),
            *((tables.retention_table(found.retention),) if found.retention else ()),
        ),
    )
    if found.worth:
        yield PageSection(
            "Who is worth bringing back",
            "Some who are gone are better left alone, each by a rule that is stated.",
            "",
            (tables.worth_table(found),),
        )


def _leaving_figure(point: StayingPoint) -> PageFigure:
    again = point.came_back
    beside = say_value(again) if isinstance(again, Interval) else "not known yet how many"
    return PageFigure(
        f"Leave within {point.days} days",
        say_value(point.first_time),
        f"of first-time subscribers; {beside} of those who came back",
    )


def _name(found: SubscriptionAudit) -> str:
    return found.definition.name


def _lost(found: SubscriptionAudit) -> str:
    return say_money(found.movements[Movement.CHURN].amount).lstrip("−-")


def _left(found: SubscriptionAudit) -> int:
    return sum(one.left for one in found.times_left)


def _back(found: SubscriptionAudit) -> int:
    return sum(one.came_back for one in found.times_left)
