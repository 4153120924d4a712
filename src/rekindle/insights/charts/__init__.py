"""The pictures of the pages: SVG that stands in the page, read aloud by its title.

Each function draws one picture of an audit or a report, or returns an empty text where
there is nothing to draw.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rekindle.experiments import Lift
from rekindle.insights.charts.drawing import (
    CALM,
    MUTED,
    QUIET,
    WARM,
    draw_bars,
    draw_interval,
    mark_day,
    name_rows,
    open_sheet,
    show_percent,
    write_beside,
)
from rekindle.insights.lifting.reaching import GoalReached
from rekindle.insights.model import DRIFTED, Audit
from rekindle.insights.report import JourneyReport
from rekindle.insights.survival import Interval
from rekindle.insights.words import (
    say_amount,
    say_count,
    say_days,
    say_money,
    say_points,
    say_share,
    say_word,
)
from rekindle.predictions import Judgement
from rekindle.vocabulary import Arm, Reason, Tier, Unknown

_LONGEST_LABEL = 18
_BIN_DAYS = (1, 2, 7, 14, 28, 56, 112)
_MOST_BINS = 45


def draw_gaps(audit: Audit) -> str:
    """Return the histogram of gaps with the lines of the tiers; empty without gaps."""
    if not audit.gap_counts:
        return ""
    lines = {
        tier: line.after_days
        for tier, line in audit.tier_lines.items()
        if not isinstance(line.after_days, Unknown)
    }
    days, counts = (np.array(column) for column in zip(*audit.gap_counts, strict=True))
    end = _end_of_gaps(days, counts, lines.get(Tier.DORMANT, 0.0))
    step = next((n for n in _BIN_DAYS if end / n <= _MOST_BINS), _BIN_DAYS[-1])
    with open_sheet("gaps", "Days between purchases", _tell_gaps(audit, end)) as sheet:
        (axes,) = sheet.axes()
        bins = np.arange(0, end + step, step)
        axes.hist(days, bins.tolist(), weights=counts / counts.sum(), color=CALM, rwidth=0.86)
        axes.set_xlim(0, end)
        shown = [(tier, at) for tier, at in lines.items() if at <= end]
        for place, (tier, at) in enumerate(shown):
            mark_day(axes, at, f"{say_word(tier)} {say_days(at)}", level=0.97 - 0.09 * place)
        show_percent(axes.yaxis)
        axes.set_xlabel("days from one purchase day to the next")
        axes.set_ylabel("share of gaps")
    return sheet.svg


def draw_calibration(judged: Judgement) -> str:
    """Return what came beside what was foreseen, a point for each tenth of the people."""
    first, last = judged.bins[0], judged.bins[-1]
    text = (
        f"Of the tenth with the lowest chances {say_share(first.foreseen)} were foreseen and "
        f"{say_share(first.came)} came, of that with the highest {say_share(last.foreseen)} and "
        f"{say_share(last.came)}."
    )
    with open_sheet("calibration", "Foreseen and came", text) as sheet:
        (axes,) = sheet.axes()
        top = max(max(one.foreseen, one.came) for one in judged.bins) * 1.08
        axes.plot([0, top], [0, top], color=QUIET, linewidth=1.5, linestyle=(0, (4, 3)))
        places = [one.foreseen for one in judged.bins]
        axes.plot(places, [one.came for one in judged.bins], "o-", color=CALM, linewidth=2)
        axes.set(xlim=(0, top), ylim=(0, top), xlabel="foreseen", ylabel="came")
        show_percent(axes.xaxis)
        show_percent(axes.yaxis)
        axes.grid()
    return sheet.svg


def draw_returns(audit: Audit) -> str:
    """Return the return curve with its band; empty where nothing is known."""
    known = [(p.silence_days, p.share) for p in audit.return_curve if isinstance(p.share, Interval)]
    if len(known) < 2:
        return ""
    days = [day for day, _ in known]
    text = f"After {days[0]} days of silence {say_share(known[0][1].value)} still return within "
    text += f"{audit.horizon.days} days, after {days[-1]} days {say_share(known[-1][1].value)}."
    with open_sheet("returns", "Who still returns unprompted", text) as sheet:
        (axes,) = sheet.axes()
        low, high = ([getattr(share, end) for _, share in known] for end in ("low", "high"))
        axes.fill_between(days, low, high, color=CALM, alpha=0.18, linewidth=0)
        axes.set(xlim=(0, days[-1]), ylim=(0, 1), xlabel="days of silence so far")
        axes.plot(days, [share.value for _, share in known], color=CALM, linewidth=2.5)
        shown = [
            (tier, line.after_days)
            for tier, line in audit.tier_lines.items()
            if isinstance(line.after_days, float) and line.after_days <= days[-1]
        ]
        # Labels stand where the curve is not.
        top = 0.97 if sum(share.value for _, share in known) < 0.5 * len(known) else 0.36
        for place, (tier, at) in enumerate(shown):
            mark_day(axes, at, say_word(tier), level=top - 0.09 * place)
        show_percent(axes.yaxis)
        axes.grid(axis="y")
        axes.set_ylabel(f"return within {audit.horizon.days} days")
    return sheet.svg


def draw_tiers(audit: Audit) -> str:
    """Return customers and lifetime value by tier, side by side."""
    tiers = [tier for tier in audit.tiers if tier is not Tier.PROSPECT]
    totals = [audit.tiers[tier] for tier in tiers]
    colours = [WARM if tier in DRIFTED else CALM for tier in tiers]
    text = "; ".join(
        f"{say_word(tier)}: {say_count(of.customers)} customers, {say_money(of.lifetime_value)}"
        for tier, of in zip(tiers, totals, strict=True)
    )
    with open_sheet("tiers", "Customers and lifetime value by tier", text) as sheet:
        left, right = sheet.axes(columns=2, sharey=True)
        counts = [float(of.customers) for of in totals]
        worth = [float(of.lifetime_value.amount) for of in totals]
        names = [say_word(tier) for tier in tiers]
        draw_bars(left, names, counts, colours, say=lambda n: say_count(round(n)))
        draw_bars(right, names, worth, colours, say=lambda n: _say_short(n, audit.currency))
        left.set_title("customers", loc="left", fontsize=13, color=MUTED)
        right.set_title("lifetime value", loc="left", fontsize=13, color=MUTED)
    return sheet.svg


def draw_most_valuable(audit: Audit) -> str:
    """Return the lifetime value of the most valuable who drifted away; empty without any."""
    if not (shown := audit.most_valuable):
        return ""
    text = ", ".join(f"{_short(c.customer_id)}: {say_money(c.lifetime_value)}" for c in shown)
    title, height = "Most valuable who drifted away", 70 + 24 * len(shown)
    with open_sheet("valuable", title, text, height=height) as sheet:
        (axes,) = sheet.axes()
        values = [float(customer.lifetime_value.amount) for customer in shown]
        names = [_short(customer.customer_id) for customer in shown]
        draw_bars(
            axes, names, values, [WARM] * len(names), say=lambda n: _say_short(n, audit.currency)
        )
    return sheet.svg


def draw_lifts(report: JourneyReport) -> str:
    """Return each known lift as an interval drawn against 0; empty without any."""
    named: list[tuple[str, Lift | Unknown, Callable[[float], str]]] = [
        ("net revenue each", report.lift, lambda n: say_amount(n, report.currency)),
        ("return rate", report.return_rate_lift, say_points),
    ]
    if isinstance(report.goal, GoalReached):
        named.append((f"goal: {report.goal.event}", report.goal.lift, say_points))
    known = [(name, lift, say) for name, lift, say in named if isinstance(lift, Lift)]
    if not known:
        return ""
    text = "; ".join(
        f"{name}: {say(lift.difference)}, from {say(lift.low)} to {say(lift.high)}"
        for name, lift, say in known
    )
    title = "Treatment minus holdout, with its interval"
    with open_sheet("lifts", title, text, height=60 + 110 * len(known)) as sheet:
        for axes, (name, lift, say) in zip(sheet.axes(rows=len(known)), known, strict=True):
            draw_interval(axes, lift, say)
            axes.set_title(name, loc="left", fontsize=13, color=MUTED)
    return sheet.svg


def draw_funnel(report: JourneyReport) -> str:
    """Return, for both arms, how many of those assigned were exposed and returned."""
    stages = ("assigned", "exposed", "returned")
    arms = {arm: of for arm, of in report.arms.items() if of.assigned}
    if not arms:
        return ""
    text = "; ".join(
        f"{say_word(arm)}: " + ", ".join(f"{getattr(of, stage):,} {stage}" for stage in stages)
        for arm, of in arms.items()
    )
    with open_sheet("funnel", "From assigned to returned", text) as sheet:
        (axes,) = sheet.axes()
        for place, (arm, of) in enumerate(arms.items()):
            counts = [getattr(of, stage) for stage in stages]
            rows = [n + 0.4 * place for n in range(len(stages))]
            shares = [count / of.assigned for count in counts]
            colour = CALM if arm is Arm.TREATMENT else QUIET
            axes.barh(rows, shares, height=0.34, color=colour, label=say_word(arm))
            for row, share, count in zip(rows, shares, counts, strict=True):
                label = f"{count:,}  ({say_share(share)})"
                write_beside(axes, label, at=(share, row))
        name_rows(axes, [n + 0.2 * (len(arms) - 1) for n in range(len(stages))], stages)
        axes.set_xlim(0, 1.38)
        axes.legend(loc="lower right", frameon=False)
    return sheet.svg


def draw_reasons(report: JourneyReport) -> str:
    """Return why touches were held or skipped, the holdout's ghosts in green; empty without any."""
    if not (reasons := list(report.reasons.items())):
        return ""
    text = ", ".join(f"{say_word(reason)}: {count:,}" for reason, count in reasons)
    height = 70 + 30 * len(reasons)
    with open_sheet("reasons", "Held and skipped, by reason", text, height=height) as sheet:
        (axes,) = sheet.axes()
        names = [say_word(reason) for reason, _ in reasons]
        counts = [float(count) for _, count in reasons]
        colours = [CALM if reason is Reason.HELD_OUT else QUIET for reason, _ in reasons]
        draw_bars(axes, names, counts, colours, say=lambda n: say_count(round(n)))
    return sheet.svg


def _end_of_gaps(days: np.ndarray, counts: np.ndarray, dormant: float) -> float:
    """Return where the histogram stops: past 99 % of gaps and the dormant line."""
    reached = int(np.searchsorted(counts.cumsum(), 0.99 * counts.sum()))
    return float(max(days[reached], min(dormant * 1.1, days[-1] * 1.25), 7))


def _tell_gaps(audit: Audit, end: float) -> str:
    gaps = audit.gap_days
    return (
        f"Half of all gaps are at most {say_days(gaps.median)} days, 95 % at most "
        f"{say_days(gaps.p95)}. Shown up to {end:,.0f} days, with the silence at which the "
        "tiers begin for the median buyer."
    )


def _say_short(amount: float, currency: str) -> str:
    """Return an amount in thousands or millions where it is that large."""
    for size, mark in ((1e6, " M"), (1e4, " k")):
        if abs(amount) >= size:
            unit = 1e6 if size == 1e6 else 1e3
            return say_amount(amount / unit, currency, digits=1 if unit == 1e3 else 2) + mark
    return say_amount(amount, currency, digits=0)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_LABEL else f"{name[: _LONGEST_LABEL - 1]}…"
