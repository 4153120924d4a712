"""What a person should look at twice: permissions, people, ids, currencies, lost columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from rekindle.facts.casting import Rules, build_value
from rekindle.facts.checks import NOTHING_SAID
from rekindle.facts.contracts import CUSTOMERS, MONEY, ORDER_LINES, ORDERS, Contract
from rekindle.facts.folding import NO_OPT_OUT, build_surely_left, read_states
from rekindle.facts.proposing.amounting import currencies
from rekindle.facts.proposing.matching import UNIT, Match, is_of_people
from rekindle.facts.proposing.model import LeftOut
from rekindle.facts.proposing.survey import Survey
from rekindle.facts.sources import AND, EVERY

WEIGHTY = re.compile(
    r"refund|return|retour|erstatt|rembours|discount|rabatt|remise|coupon|status|state|cancel|"
    r"storn|void|consent|opt.?in|opt.?out|subscri|marketing|newsletter|bounce|gdpr|suppress|"
    r"blacklist|do.?not|unsub|abmeld|abgemeld|austrag|einwillig|zustimm|widerruf|widerspr|sperr|"
    r"werbung|d[eé]sabonn|d[eé]sinscri|\bbaja|toestemming|afgemeld|uitgeschreven|disiscri|"
    r"curren|w.hrung|devise|valuta|moneda|moeda|waluta",
    re.IGNORECASE,
)
STATES = re.compile(r"status|state$", re.IGNORECASE)
SPOILT = r"^\d([.,]\d+)?[Ee]\+\d+$"  # what a spreadsheet makes of a long number
MANY = 3
MOST_STATES = 12


def watch(found: Survey, contract: Contract, match: Match, rules: Rules) -> Iterator[str]:
    """Yield what may be wrong, from all rows."""
    yield from _permissions(found, contract, match, rules)
    yield from _opt_outs(found, match)
    yield from _spoilt_ids(found, match)
    if contract in (ORDERS, ORDER_LINES):
        yield from _people(found, match)
        yield from _states(found, match, rules)
    if contract is ORDERS and "order_id" in match.chosen:
        yield from _numbers(found, match.chosen["order_id"])


def _permissions(found: Survey, contract: Contract, match: Match, rules: Rules) -> Iterator[str]:
    for column in contract.inputs:
        if column.type != "boolean" or column.name not in match.chosen:
            continue
        actual = match.chosen[column.name]
        value = build_value(found.raw, actual, column, rules)
        text = found.text(actual)
        is_unread = f"{value} is null and lower({text}) not in {NOTHING_SAID}"
        yes, no, unread, words = found.ask(
            f"count(*) filter (where {value}), count(*) filter (where not {value}), "
            f"count(*) filter (where {is_unread}), "
            f"list(distinct {text}) filter (where {is_unread})"
        )
        neither = found.rows - yes - no
        yield f"{column.name} in {actual!r}: {yes:,} yes, {no:,} no, {neither:,} neither"
        if unread:
            shown = ", ".join(repr(word[:40]) for word in sorted(words)[:MANY])
            yield (
                f"{unread:,} rows of {actual!r} say neither yes nor no ({shown}): those rows go to "
                "quarantine, and count as a no until the word is understood"
            )


def _opt_outs(found: Survey, match: Match) -> Iterator[str]:
    """Yield how many cards say no marketing, and in which words that nobody may have meant so."""
    if (actual := match.chosen.get("email_opt_out")) is None:
        if dated := match.chosen.get("email_opt_out_at"):
            (count,) = found.ask(f"count({found.text(dated)})")
            yield f"email_opt_out_at in {dated!r}: {count:,} want no marketing"
        return
    text = f"lower({found.text(actual)})"
    out = f"{found.text(actual)} is not null and {text} not in {NO_OPT_OUT}"
    count, words = found.ask(
        f"count(*) filter (where {out}), list(distinct {found.text(actual)}) filter (where {out} "
        f"and not {build_surely_left(found.text(actual))})"
    )
    unsure = ", ".join(repr(word[:40]) for word in sorted(words or ())[:MANY])
    yield f"email_opt_out in {actual!r}: {count:,} want no marketing" + (
        f", those too that say {unsure}" if unsure else ""
    )


def _spoilt_ids(found: Survey, match: Match) -> Iterator[str]:
    for name in ("order_id", "customer_id", "product_id", "phone"):
        if actual := match.chosen.get(name):
            (spoilt,) = found.ask(
                f"count(*) filter (where regexp_matches({found.text(actual)}, '{SPOILT}'))"
            )
            if spoilt:
                yield (
                    f"a spreadsheet has cut {spoilt:,} values of {actual!r} short, like 1.2E+12: "
                    "different ones look the same; export it again as text"
                )


def _people(found: Survey, match: Match) -> Iterator[str]:
    customer, email = match.chosen.get("customer_id"), match.chosen.get("email")
    if customer and is_of_people(customer, found.values[customer]):
        yield f"customers are told apart by name ({customer!r}): two of one name are one customer"
    if not customer or not email or customer == email:
        return
    who, address = found.text(customer), f"lower({found.text(email)})"
    shared = found.con.execute(
        f"select a, count(distinct c) from (select {who} as c, {address} as a from "
        f"({found.raw.relation})) where a is not null group by a "
        f"having count(distinct c) >= {MANY} order by 2 desc limit 1"
    ).fetchall()
    for one, count in shared:
        yield f"the address {one!r} is shared by {count:,} customers"


def _numbers(found: Survey, order: str) -> Iterator[str]:
    text = found.text(order)
    rows, numbers = found.ask(f"count({text}), count(distinct {text})")
    if rows > numbers:
        yield f"{rows:,} rows have {numbers:,} different order numbers in {order!r}"


def _states(found: Survey, match: Match, rules: Rules) -> Iterator[str]:
    """Yield what every state of an order is taken for, those that are purchases among them."""
    if (column := match.chosen.get("status")) is None:
        return
    states = read_states(found.con, found.raw, column, rules.source.states)
    by_meaning: dict[str, list[str]] = {}
    for text, count in states.counts.items():
        if text in states.meanings:
            meaning = states.meanings[text].replace("_", " ")
            by_meaning.setdefault(meaning, []).append(f"{text!r} ({count:,})")
    for meaning, texts in by_meaning.items():
        yield f"{column!r} says {meaning}: {', '.join(texts[:MOST_STATES])}"
    yield from states.notes()


def find_currency(found: Survey, contract: Contract, match: Match) -> Counter[str]:
    """Return the currencies that a file names, in a column, beside amounts or in a header."""
    if column := match.chosen.get("currency"):
        text = f"upper({found.text(column)})"
        rows = found.con.execute(
            f"select {text}, count(*) from ({found.raw.relation}) "
            f"where {text} is not null group by 1"
        ).fetchall()
        return Counter(dict(rows))
    seen: Counter[str] = Counter()
    for one in contract.inputs:
        if one.type == MONEY and one.name in match.chosen and one.name != "quantity":
            column = match.chosen[one.name]
            seen.update(currencies(found.con, found.values[column]))
            unit = UNIT.search(column)
            word = (unit[1] or unit[2]) if unit else ""
            if re.fullmatch("[A-Z]{3}", word):
                seen[word] += 1
            elif word:
                seen.update(currencies(found.con, [word]))
    return seen


def list_left_out(found: Survey, match: Match) -> tuple[LeftOut, ...]:
    """Return every column of the file that is not read, in its order."""
    taken = set(match.chosen.values())
    taken |= {part for name in taken if AND in name for part in name.split(AND)}
    return tuple(
        LeftOut(
            name,
            "empty" if not found.filled[name] else match.refused.get(name, "not known here"),
            tuple(found.values[name][:MANY]),
        )
        for name in found.values
        if name not in taken and AND not in name and not name.startswith(EVERY)
    )


def weighty(
    left_out: Sequence[LeftOut], contract: Contract, *, said: Sequence[str]
) -> Iterator[str]:
    """Yield the columns left out that may change what was bought or who may be written to."""
    # Of a customer it is where they live, or what their account is: no row is left out by it.
    has_states = contract is CUSTOMERS or any(one.name == "status" for one in contract.inputs)
    for one in left_out:
        is_said = any(repr(one.column) in line for line in said)
        if one.why != "empty" and WEIGHTY.search(one.column) and not is_said:
            shown = ", ".join(repr(value[:30]) for value in one.samples)
            advice = "if it counts, answer what it is"
            if not has_states and STATES.search(one.column):
                advice = "if some of its rows are none, name their words in [sources.skip]"
            yield f"{one.column!r} is left out ({shown}); {advice}"
