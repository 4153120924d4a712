"""Gathers contact cards: from files of them, and from what orders say of who bought.

SQL over the temporary tables ``checked`` and ``contacts``.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from rekindle.facts.casting import NO_WORDS, Rules
from rekindle.facts.contracts import CUSTOMERS
from rekindle.facts.sql import literal

# What is written where somebody did not opt out.
NO_OPT_OUT = (
    f"({NO_WORDS}, 'never', 'none', '-', 'n/a', 'na', '[]', '{{}}', 'subscribed', 'active', 'null')"
)
# What says so of a cell that may belong to another column.
SURELY_LEFT = (
    "('yes', 'y', 'true', 't', '1', 'on', 'ja', 'oui', 'wahr', 'vrai', 'verdadero', 'vero', "
    "'verdadeiro', 'waar', 'sand', 'unsubscribed', 'opt-out', 'opt_out', "
    "'opted-out', 'opted_out', 'opted out')"
)
CARD = ("email", "phone", "first_name", "country", "region")
OWN_OF_CARD = frozenset({"customer_id", "given_id"})
OPT_OUT = frozenset({"email_opt_out", "email_opt_out_at"})
CONSENT = frozenset({"email_consent", "email_consent_at"})


def build_customers(rules: Rules, given: frozenset[str], *, now: datetime) -> str:
    """Return SQL for ``customers`` from checked cards; the lake's are ``customers`` as yet.

    Of what no column of the file is about, the card there is keeps what others said. A
    statement on consent that is new but names no time counts from ``now``: at any earlier
    one it could fall before the statement that it takes back.
    """
    told = columns_told(given)
    consent = "c.email_consent" if "email_consent" in told else "k.email_consent"
    names = ", ".join(
        f"{_told_anew(column.name)} as {column.name}"
        if column.name in told
        else f"coalesce(c.{column.name}, k.{column.name}) as {column.name}"
        for column in CUSTOMERS.columns
        if column.name not in ("source", "email_consent_at", "known_at")
    )
    return f"""
        select {literal(rules.source.name)} as source, {names},
            case when o.customer_id is not null and {consent} is not distinct from o.email_consent
                    and coalesce(c.email_consent_at, o.email_consent_at)
                        is not distinct from o.email_consent_at then k.email_consent_at
                else coalesce(c.email_consent_at, case
                    when {consent} = k.email_consent then k.email_consent_at
                    when {consent} <> k.email_consent then {literal(now.isoformat())}::timestamptz
                end) end as email_consent_at
        from ({build_stated()}) c left join customers k on k.customer_id = c.customer_id
        left join told_cards o on o.customer_id = c.customer_id"""


def _told_anew(name: str) -> str:
    return f"c.{name}" if name in OWN_OF_CARD else build_kept(name, f"c.{name}")


def build_kept(name: str, said: str) -> str:
    """Return SQL for a cell of a card ``k``: what ``said`` says, if that is new.

    ``o`` is the row of ``told_cards``, if there is one.
    """
    is_old = f"o.customer_id is not null and {said} is not distinct from o.{name}"
    return f"case when {is_old} then k.{name} else {said} end"


def columns_told(given: Collection[str]) -> frozenset[str]:
    """Return the columns of a card that a file with the columns ``given`` is about."""
    told = frozenset(given) | OWN_OF_CARD | (CONSENT if OPT_OUT & set(given) else frozenset())
    # That another address was not theirs says nothing of this one.
    return told | {"email_verified"} if "email" in told else told


def build_opted_out(dated: str = "email_opt_out_at", *, channel: str = "email") -> str:
    """Return SQL that is true of a card that says no marketing; ``dated`` is when, as written."""
    word = f"lower({channel}_opt_out) not in {NO_OPT_OUT}"
    return f"coalesce({word}, {dated} is not null)"


def build_surely_left(word: str) -> str:
    """Return SQL that is true of a word that says no marketing, wherever it stands."""
    return f"coalesce(lower({word}) in {SURELY_LEFT}, false)"


def build_stated() -> str:
    """Return SQL for ``checked`` cards whose opt-out is a no, unless a yes is later."""
    is_out = (
        f"{build_opted_out()} and not coalesce("
        "email_consent and email_consent_at > email_opt_out_at, false)"
    )
    return (
        f"select * replace (case when {is_out} then false else email_consent end as email_consent, "
        f"case when {is_out} then email_opt_out_at else email_consent_at end as email_consent_at) "
        "from checked"
    )


def build_contacts(given: frozenset[str]) -> str:
    """Return SQL for what ``checked`` orders say of customers, and when they last said it.

    Whoever has two e-mail addresses in one file is left out: they are in quarantine.
    """
    said = {name: name if name in given else "null::varchar" for name in CARD}
    sound = ""
    if "email" in given:
        said["email"] = "lower(email)"
        sound = f"and customer_id not in (select customer_id from ({build_two_addresses()}))"
    columns = ", ".join(f"{expression} as {name}" for name, expression in said.items())
    return f"""
        select customer_id, {columns}, max(ordered_at) as said_at, min(ordered_at) as first_at
        from checked where customer_id is not null {sound} group by all"""


def build_cards(rules: Rules) -> str:
    """Return SQL for ``customers`` from the ``contacts`` that all files of a source gave.

    The last word counts; what nobody says now is kept from the card there is. A card that
    another source gave stays as it is. Nobody is known before their first order.
    """
    own = literal(rules.source.name)
    said = ", ".join(f"coalesce({build_kept(n, f'c.{n}')}, k.{n}) as {n}" for n in CARD)
    held = ", ".join(
        f"k.{column.name}"
        for column in CUSTOMERS.columns
        if column.name not in ("source", "created_at", "known_at", *OWN_OF_CARD, *CARD)
    )
    return f"""
        select {own} as source, c.customer_id, {said}, {held},
            least(c.first_at, k.created_at) as created_at, c.given_id
        from ({build_newest_contacts()}) c
        left join customers k on k.customer_id = c.customer_id
        left join told_cards o on o.customer_id = c.customer_id
        where k.source is null or k.source = {own} or o.customer_id is not null"""


def build_newest_contacts() -> str:
    """Return SQL for the last word of ``contacts`` on each customer."""
    newest = ", ".join(
        f"arg_max({name}, row(said_at, {name})) filter (where {name} is not null) as {name}"
        for name in CARD
    )
    return (
        f"select customer_id, any_value(given_id) as given_id, {newest}, "
        "min(first_at) as first_at from contacts group by customer_id"
    )


def build_filled_cards(rules: Rules) -> str:
    """Return SQL for the cards of other sources that the ``contacts`` of this one complete.

    They say what no column of the other source's files is about. What a column there leaves
    empty is not known there, and stays so.
    """
    own = literal(rules.source.name)
    # Of a file that an earlier release read it is not known what it had: it is left alone.
    is_free = "h.{0} is null and not list_contains(s.names, '{0}')"
    filled = ", ".join(
        f"case when {is_free.format(n)} then c.{n} else h.{n} end as {n}" for n in CARD
    )
    adds = " or ".join(f"{is_free.format(n)} and c.{n} is not null" for n in CARD)
    return f"""
        select h.* exclude (known_at) replace ({filled})
        from customers h
        join ({build_newest_contacts()}) c using (customer_id)
        join (
            select source, flatten(list(string_split(columns, ','))) as names from imports
            where "table" = 'customers'
            group by source having bool_and(columns is not null)
        ) s on s.source = h.source
        where h.source <> {own} and ({adds})"""


def build_strangers(cards: str, source: str, others: Collection[str]) -> str:
    """Return SQL for the ids in ``cards`` that another source has for somebody else.

    Somebody else is who is called by another first letter, or who has another address and
    no name that says they are the same. An id that was kept apart once stays so.
    """
    own, named = literal(source), ", ".join(map(literal, sorted(others)))
    initials = "lower(left(strip_accents({0}.first_name), 1))"
    mine, theirs = initials.format("c"), initials.format("k")
    family = (
        "coalesce(lower(c.last_name) = lower(k.last_name), true)" if cards == "checked" else "true"
    )
    return f"""
        select distinct c.customer_id
        from {cards} c join customers k on k.customer_id = c.customer_id
        where k.source in ({named}) and (
            {mine} <> {theirs}
            or lower(trim(c.email)) <> lower(trim(k.email))
                and not coalesce({mine} = {theirs} and {family}, false)
                and not coalesce(c.phone = k.phone, false)
            or exists (
                select 1 from customers o
                where o.customer_id = {own} || ':' || c.customer_id and o.source = {own}
                  and o.given_id = c.customer_id))"""


def build_parting(cards: str, source: str, others: Collection[str]) -> str:
    """Return SQL that lets the ids of ``build_strangers`` go by one of their own."""
    return f"""
        update {cards} set given_id = customer_id,
            customer_id = {literal(source)} || ':' || customer_id
        where customer_id in ({build_strangers(cards, source, others)})"""


def build_two_addresses() -> str:
    """Return SQL for the customers one file gives two e-mail addresses."""
    return """
        select min(line) as line, customer_id, 'two_addresses' as problem,
            'customer ' || customer_id || ' has the e-mail addresses '
            || string_agg(distinct lower(email), ' and ' order by lower(email))
            || '; keep one, or give each person an id' as detail
        from checked where customer_id is not null and email is not null
        group by customer_id having count(distinct lower(email)) > 1"""
