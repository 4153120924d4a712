"""Settles how the chosen columns are written: one form for all, or one of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rekindle.countries import list_currencies
from rekindle.facts.casting import Finish, build_moment
from rekindle.facts.casting.amounts import COMMA, HUNDREDTHS, POINT
from rekindle.facts.casting.dates import ISO
from rekindle.facts.checks import CLOCKS_DIFFER_BY
from rekindle.facts.contracts import MONEY, Contract
from rekindle.facts.proposing.matching import DATED
from rekindle.facts.proposing.survey import Survey
from rekindle.facts.sources import LINE
from rekindle.facts.sql import literal

IN_ORDER, OUT_OF_ORDER = 0.98, 0.9  # shares of rows that follow one another in time
FEWEST_NEIGHBOURS = 7  # of other days: that fewer follow one another may be chance
AMERICAN = ("America/", "US/")


@dataclass
class Forms:
    """How the columns of a file are written; ``settings`` are those of its source."""

    found: Survey
    contract: Contract
    chosen: Mapping[str, str]
    zone: str
    now: datetime | None
    currency: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)

    def settle(self, answered: Mapping[str, str], preset: Mapping[str, Any]) -> None:
        """Find the form of every date and amount; answers and a preset's stand."""
        types = {column.name: column.type for column in self.contract.inputs}
        own = {**dict(preset.get("formats", {})), **answered}
        dated = [n for n in self.chosen if types[n] in DATED and n not in own]
        forms = {} if "date_format" in preset else {n: self._date_form(n) for n in dated}
        money = [n for n in self.chosen if types[n] == MONEY and n not in own]
        marks = {} if "decimal_comma" in preset else self._amount_forms(money)
        usual = next(iter(forms.values()), ISO)
        if usual != ISO:
            self.settings["date_format"] = usual
        if COMMA in marks.values():
            self.settings["decimal_comma"] = True
        mark = COMMA if COMMA in marks.values() else POINT
        apart = {n: form for n, form in forms.items() if form != usual}
        apart |= {n: form for n, form in marks.items() if form not in (mark, "")}
        if apart or own:
            self.settings["formats"] = {**apart, **own}

    def _amount_forms(self, names: list[str]) -> dict[str, str]:
        """Return the form of every amount; '' where any form reads it."""
        first = {name: self.found.amounts(self.chosen[name]) for name in names}
        sure = Counter(g.form for g in first.values() if g and not g.is_open and not g.is_neutral)
        usual = sure.most_common(1)[0][0] if sure else ""
        forms = {}
        for name, guess in first.items():
            if guess is None or guess.is_neutral:
                forms[name] = ""
            elif guess.form == HUNDREDTHS:
                forms[name] = self._hundredths(name)
            elif not guess.is_open:
                forms[name] = guess.form
            else:
                forms[name] = self._open_form(name, usual)
        return forms

    def _hundredths(self, name: str) -> str:
        """Return the form of amounts in the smallest unit, which some currencies count in."""
        if self.currency in list_currencies(0):
            return ""
        column = self.chosen[name]
        example = self.found.values[column][0]
        self.doubts.append(
            f"{column!r} is read in hundredths, as its name says ({example} as that many cents); "
            f"if they are whole amounts, answer {name}:1,234.50"
        )
        return HUNDREDTHS

    def _open_form(self, name: str, usual: str) -> str:
        column = self.chosen[name]
        guess = self.found.amounts(column, usual)
        form = guess.form if guess else POINT
        example = next((v for v in self.found.values[column] if "." in v or "," in v), "")
        if self.currency in list_currencies(3):  # 1.250 is a dinar and a quarter
            form = POINT if "." in example else COMMA
        thousands = (form == COMMA) == ("." in example)
        self.doubts.append(
            f"the mark in {example!r} ({column!r}) is taken as "
            f"{'one between thousands' if thousands else 'the one before the cents'}; if that is "
            f"wrong, answer {name}:{POINT if form == COMMA else COMMA}"
        )
        return form

    def _date_form(self, name: str) -> str:
        column = self.chosen[name]
        guess = self.found.dates(column)
        if guess is None:
            return ISO
        form = guess.form or ISO
        if not guess.others:
            return form
        best, is_sure = self._among(column, [form, *guess.others])
        if not is_sure:
            other = next(f for f in (form, *guess.others) if f != best)
            self.doubts.append(
                f"{column!r} could be day/month or month/day; taken as {best}: if that is wrong, "
                f"answer {name}:{other}"
            )
        return best

    def _among(self, column: str, forms: list[str]) -> tuple[str, bool]:
        """Return the form that all rows speak for, and whether they do."""
        facts = {form: self._looks(column, form) for form in forms}
        for place in range(2):  # the most rows read, then the fewest days to come
            best = max(fact[place] for fact in facts.values())
            facts = {form: fact for form, fact in facts.items() if fact[place] == best}
            if len(facts) == 1:
                return next(iter(facts)), True
        ordered = [form for form, fact in facts.items() if fact[2] >= IN_ORDER]
        others = [fact[2] for form, fact in facts.items() if form not in ordered]
        if len(ordered) == 1 and all(share < OUT_OF_ORDER for share in others):
            if facts[ordered[0]][3] >= FEWEST_NEIGHBOURS:
                return ordered[0], True
            facts = {ordered[0]: facts[ordered[0]], **facts}
        american = [f for f in facts if f.startswith("%m") and self._is_american(f)]
        return (american or list(facts))[0], False

    def _is_american(self, form: str) -> bool:
        return "%p" in form or self.zone.startswith(AMERICAN)

    def _looks(self, column: str, form: str) -> tuple[int, int, float, int]:
        """Return how many rows a form reads, minus how many are to come, and their order.

        The last is how many rows have another day than the one before.
        """
        moment = build_moment(self.found.text(column), form, Finish(str, str))
        ahead = "false"
        if self.now is not None:
            ahead = f"m > timestamp {literal((self.now + CLOCKS_DIFFER_BY).strftime('%F %T'))}"
        row = self.found.con.execute(
            f"""
            select count(m), -count(*) filter (where {ahead}),
                greatest(avg((m >= p)::int), avg((m <= p)::int)),
                count(*) filter (where m::date <> p::date)
            from (select m, lag(m) over (order by line) as p from (
                select ({moment})::timestamp as m, {LINE} as line from ({self.found.raw.relation}))
                where m is not null)"""
        ).fetchall()[0]
        return row[0], row[1], row[2] if row[2] is not None else 1.0, row[3]
