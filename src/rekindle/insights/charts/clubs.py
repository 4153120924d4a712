"""The pictures of a business that lives by subscriptions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rekindle.insights.charts.drawing import CALM, INK, WARM, open_sheet, show_percent
from rekindle.insights.subscribers.model import SubscriptionAudit
from rekindle.insights.survival import Interval
from rekindle.insights.words import say_amount, say_money, say_share
from rekindle.subscriptions import Movement

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Points = Sequence[tuple[int, Interval]]
SHOWN_MONTHS = 36
_CAME = (Movement.NEW, Movement.EXPANSION, Movement.REACTIVATION)


def draw_mrr(audit: SubscriptionAudit) -> str:
    """Return MRR at the end of each month; empty before the second."""
    months = audit.months[-SHOWN_MONTHS:]
    if len(months) < 2:
        return ""
    values = [float(line.closing.amount) for line in months]
    first, last = months[0], months[-1]
    text = (
        f"From {say_money(first.closing)} at the end of {first.month:%Y-%m} to "
        f"{say_money(last.closing)} at the end of {last.month:%Y-%m}."
    )
    with open_sheet("mrr", "Monthly recurring revenue", text) as sheet:
        (axes,) = sheet.axes()
        places = range(len(months))
        axes.fill_between(places, values, color=CALM, alpha=0.18, linewidth=0)
        axes.plot(places, values, color=CALM, linewidth=2.5)
        axes.set(xlim=(0, len(months) - 1), ylim=(0, max(*values, 1e-9) * 1.1))
        _name_months(axes, [f"{line.month:%Y-%m}" for line in months])
        _name_money(axes, audit.currency)
        axes.grid(axis="y")
    return sheet.svg


def draw_movements(audit: SubscriptionAudit) -> str:
    """Return what came and what went in each of the last months; empty where nothing moved."""
    months = audit.months[-SHOWN_MONTHS // 3 :]
    if not months:
        return ""
    came = [sum(float(m.movements[one].amount.amount) for one in _CAME) for m in months]
    went = [
        sum(float(of.amount.amount) for one, of in m.movements.items() if one not in _CAME)
        for m in months
    ]
    text = "; ".join(
        f"{line.month:%Y-%m}: {say_amount(up, audit.currency, digits=0)} came and "
        f"{say_amount(abs(down), audit.currency, digits=0)} went"
        for line, up, down in zip(months, came, went, strict=True)
    )
    with open_sheet("movements", "What came and went, by month", text) as sheet:
        (axes,) = sheet.axes()
        places = list(range(len(months)))
        axes.bar(places, came, color=CALM, width=0.7, label="came")
        axes.bar(places, went, color=WARM, width=0.7, label="went")
        axes.axhline(0, color=INK, linewidth=1)
        _name_months(axes, [f"{line.month:%Y-%m}" for line in months])
        _name_money(axes, audit.currency)
        axes.grid(axis="y")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    return sheet.svg


def draw_staying(audit: SubscriptionAudit) -> str:
    """Return which share is still subscribed after so many days; empty where too few are known."""
    lines: tuple[tuple[str, str, Points], ...] = (
        (
            "first time",
            CALM,
            [(p.days, p.first_time) for p in audit.staying if isinstance(p.first_time, Interval)],
        ),
        (
            "came back",
            WARM,
            [(p.days, p.came_back) for p in audit.staying if isinstance(p.came_back, Interval)],
        ),
    )
    known = [line for line in lines if line[2]]
    if not known:
        return ""
    text = "; ".join(
        f"{name}: " + ", ".join(f"{say_share(1 - s.value)} after {days} days" for days, s in points)
        for name, _, points in known
    )
    with open_sheet("staying", "Still subscribed after so many days", text) as sheet:
        (axes,) = sheet.axes()
        for name, colour, points in known:
            _draw_course(axes, name, colour, points)
        axes.set(xlim=(0, None), ylim=(0, 1.02), xlabel="days since they subscribed")
        show_percent(axes.yaxis)
        axes.grid(axis="y")
        axes.legend(loc="lower left", frameon=False)
    return sheet.svg


def _draw_course(axes: Axes, name: str, colour: str, points: Points) -> None:
    """Draw who stays from the first day on, with the band of the estimates."""
    days = [0, *(day for day, _ in points)]
    low, high = ([1.0, *(1 - getattr(one, end) for _, one in points)] for end in ("high", "low"))
    axes.fill_between(days, low, high, color=colour, alpha=0.15, linewidth=0)
    stays = [1.0, *(1 - one.value for _, one in points)]
    axes.plot(days, stays, "o-", color=colour, linewidth=2, label=name)


def _name_months(axes: Axes, names: Sequence[str]) -> None:
    """Name at most five months below an axis, the last of them always."""
    step = max(1, -(-len(names) // 5))
    places = list(range(len(names) - 1, -1, -step))
    axes.set_xticks(places, [names[place] for place in places])


def _name_money(axes: Axes, currency: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(lambda value, _: say_amount(value, currency, digits=0))
