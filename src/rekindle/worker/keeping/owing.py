"""Who owes, by the facts and by what was tried since: what a retry is decided by.

Facts lag behind the ledger, and the biller's own records have our retries, too, sooner or later.
Each try counts once, and of two statements about one payment the newer holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
import pyarrow as pa

from rekindle.facts import Engine, Facts
from rekindle.ledger import ChargeEntry, Charges
from rekindle.runtime import Workspace
from rekindle.subscriptions import (
    CardTry,
    DeclineKind,
    OwedPayment,
    build_failures,
    find_zone,
    judge_decline,
    merge_tries,
)

COUNTED = timedelta(days=30)
PREFIX = "invoice:"
UNTRIED = frozenset({"skipped", "refused", "closed"})
"""States of rows for which no card was tried."""

Row = Mapping[str, Any]


def find_owed(workspace: Workspace, charges: Charges, now: datetime) -> Sequence[OwedPayment]:
    """Return what failed and is owed to the workspace's biller."""
    engine, facts = workspace.reading
    provider = workspace.config.billing.provider
    cases = build_failures(facts, now)
    cases = cases.filter(cases.is_owed & cases.ended_at.isnull() & (cases.source == provider))
    rows = [one for one in engine.run(cases).to_pylist() if one["subscription_id"]]
    found = {one["case"].removeprefix(PREFIX): one for one in rows if _has_invoice(one)}
    owing = {one["customer_id"] for one in found.values()}
    told, zones = _find_lives(workspace, now, owing)
    own: dict[str, list[ChargeEntry]] = defaultdict(list)
    for entry in charges.of_invoices(found):
        own[entry.invoice].append(entry)
    people: dict[Any, list[ChargeEntry]] = defaultdict(list)
    for invoice, entries in own.items():
        people[found[invoice]["customer_id"]] += entries
    return [
        _owed_payment(
            invoice,
            case,
            told[case["customer_id"]],
            own[invoice],
            _merged(told[case["customer_id"]], people[case["customer_id"]], provider, now),
            find_zone(zones.get(case["customer_id"]), facts.zone),
        )
        for invoice, case in found.items()
    ]


def find_subscriptions(workspace: Workspace, invoices: Sequence[str]) -> Mapping[str, str]:
    """Return of which subscriptions invoices are, as far as the facts know it."""
    if not invoices:
        return {}
    engine, facts = workspace.reading
    asked = engine.bring(
        "invoices_asked", pa.table({"invoice_id": pa.array(invoices, pa.string())})
    )
    rows = facts.more["invoices"].semi_join(asked, "invoice_id")
    rows = rows.filter(rows.subscription_id.notnull()).select("invoice_id", "subscription_id")
    return {one["invoice_id"]: str(one["subscription_id"]) for one in engine.run(rows).to_pylist()}


def _find_lives(
    workspace: Workspace, now: datetime, people: set[Any]
) -> tuple[Mapping[str, list[Row]], Mapping[str, str]]:
    """Return what these people tried, as ``_told``, and where they live, as ``_zones``."""
    if not people:
        return {}, {}
    engine, facts = workspace.reading
    ids = pa.table({"customer_id": pa.array(sorted(people), pa.string())})
    owing = engine.bring("people_owing", ids)
    return _told(engine, facts, owing, now), _zones(engine, facts, owing)


def _told(engine: Engine, facts: Facts, owing: ir.Table, now: datetime) -> Mapping[str, list[Row]]:
    """Return every try of these people within the days that networks count, oldest first."""
    found: dict[str, list[Row]] = defaultdict(list)
    rows = facts.more["payments"].semi_join(owing, "customer_id")
    rows = rows.filter((rows.attempted_at > now - COUNTED) & (rows.attempted_at <= now))
    rows = rows.select(
        "source",
        "payment_id",
        "customer_id",
        "invoice_id",
        "attempted_at",
        "network",
        "decline_code",
        "advice_code",
        "network_advice_code",
    )
    for one in engine.run(rows.order_by("attempted_at")).to_pylist():
        found[one["customer_id"]].append(one)
    return found


def _zones(engine: Engine, facts: Facts, owing: ir.Table) -> Mapping[str, str]:
    """Return where people live, of whom the facts say it."""
    rows = facts.customers.semi_join(owing, "customer_id")
    rows = rows.filter(rows.timezone.notnull()).select("customer_id", "timezone")
    return {one["customer_id"]: one["timezone"] for one in engine.run(rows).to_pylist()}


def _merged(
    told: Iterable[Row], own: Iterable[ChargeEntry], provider: str, now: datetime
) -> Sequence[datetime]:
    """Return when somebody's cards were tried, by whomever, each try once."""
    tries = [
        CardTry(
            # Another system's number is no number of this biller's.
            str(one["payment_id"]) if one["source"] == provider else "",
            str(one["invoice_id"] or "") if one["source"] == provider else "",
            one["attempted_at"],
            one["attempted_at"],
        )
        for one in told
    ]
    ours = [
        CardTry(one.payment, one.invoice, one.asked_at, one.heard_at or one.asked_at)
        for one in own
        if one.state not in UNTRIED and one.asked_at > now - COUNTED
    ]
    return merge_tries(tries, ours)


def _owed_payment(
    invoice: str,
    case: Row,
    told: Sequence[Row],
    own: Sequence[ChargeEntry],
    tries: Sequence[datetime],
    zone: ZoneInfo,
) -> OwedPayment:
    said = [one for one in told if one["invoice_id"] == invoice and one["decline_code"]]
    return OwedPayment(
        invoice=invoice,
        subscription=str(case["subscription_id"]),
        customer=str(case["customer_id"]),
        failed_at=case["failed_at"],
        kind=_newest_kind(said, own) or DeclineKind(case["kind"]),
        network=next((str(one["network"]) for one in reversed(said) if one["network"]), ""),
        tries=tries,
        retries=len(own),
        zone=zone,
    )


def _newest_kind(said: Sequence[Row], own: Sequence[ChargeEntry]) -> DeclineKind | None:
    """Return what the newest decline means, whoever tells of it; None where none is told."""
    found = [
        (
            one["attempted_at"],
            judge_decline(one["decline_code"], one["advice_code"], one["network_advice_code"]),
        )
        for one in said
    ]
    found += [
        (one.asked_at, judge_decline(one.decline_code, one.advice_code, one.network_advice_code))
        for one in own
        if one.state in {"declined", "authenticate"}
    ]
    return max(found, key=lambda one: one[0])[1] if found else None


def _has_invoice(case: Row) -> bool:
    return str(case["case"]).startswith(PREFIX)
