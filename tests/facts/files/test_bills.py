"""Subscriptions are made of what invoices were for, where no file has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from rekindle.config import Config, LifecycleSettings
from rekindle.facts import Answers, FileImport, import_sources, open_lake, propose_source
from rekindle.profiles import build_profiles
from rekindle.subscriptions import build_failures
from tests.facts.conftest import NOW, Desk
from tests.facts.files.chartmogul import (
    CUSTOMERS,
    EVENTS,
    INVOICES,
    LINES,
    LINES_HEADER,
    PLANS,
    TRANSACTIONS,
)

NO_RATES: Mapping[str, Decimal] = {}
FILES = {
    "payments": TRANSACTIONS,
    "invoices": INVOICES,
    "cancellations": EVENTS,
    "plans": PLANS,
    "subscriptions": LINES,
}


def bring(
    desk: Desk,
    files: Mapping[str, str],
    *,
    now: datetime = NOW,
    currency: str = "GBP",
    rates: Mapping[str, Decimal] = NO_RATES,
) -> list[FileImport]:
    """Import files as `init` would take them, each under what it was given as."""
    sources = []
    for name, text in files.items():
        path = desk.write(f"{name}.csv", text)
        asked = Answers(table=name)
        proposal = propose_source(path, zone="UTC", currency=currency, answers=asked)
        sources.append(proposal.as_source(name, path.name).model_dump())
    workspace = {"timezone": "UTC", "currency": currency}
    stated = {"rates": dict(rates)}
    config = Config.model_validate({"workspace": workspace, "sources": sources, "facts": stated})
    return import_sources(config, desk.base, now=now)


def held(desk: Desk, table: str, currency: str = "GBP") -> list[dict[str, Any]]:
    engine = open_lake(desk.lake.folder, currency=currency, zone="UTC")
    rows = engine.run(engine.facts().more[table]).to_pylist()
    engine.close()
    return sorted(rows, key=str)


def stays(desk: Desk, currency: str = "GBP") -> dict[str, tuple[str, str | None, str]]:
    """Return by subscription when it began, when it ended, and its MRR to the cent."""
    return {
        row["subscription_id"]: (
            f"{row['started_at']:%Y-%m-%d}",
            f"{row['ended_at']:%Y-%m-%d}" if row["ended_at"] else None,
            f"{row['mrr']:.2f}",
        )
        for row in held(desk, "subscriptions", currency)
    }


def changes(desk: Desk) -> set[tuple[str, str, str, int | None]]:
    return {
        (
            row["subscription_id"],
            f"{row['changed_at']:%Y-%m-%d}",
            f"{row['mrr']:.2f}",
            row["quantity"],
        )
        for row in held(desk, "subscription_changes")
    }


def files_of(periods: Iterable[str], **more: str) -> dict[str, str]:
    """Return files of one subscription: each period is `CENTS FROM TO`, with a quantity or not."""
    lines, invoices = [LINES_HEADER], ["Customer external ID,Invoice external ID,Invoiced date,"]
    invoices[0] += "Due Date,Currency\n"
    for number, period in enumerate(periods):
        cents, since, until, *rest = period.split()
        quantity, prorated = [*rest, *["1", "FALSE"][len(rest) :]]
        lines.append(
            f"i{number},,s,,Subscription,{cents},,{since},{until},{quantity},{prorated}"
            ",,0,0,,0,,,,,,\n"
        )
        invoices.append(f"ann,i{number},{since},,GBP\n")
    return {"subscriptions": "".join(lines), "invoices": "".join(invoices), **more}


@pytest.mark.long
def test_lines_of_invoices_become_subscriptions_whatever_order_the_files_come_in(
    desk: Desk,
) -> None:
    results = bring(desk, FILES)
    assert all(one.is_clean for one in results)
    assert "5 subscriptions made of lines of invoices" in results[-1].notes
    assert stays(desk) == {
        # Cancelled in March, in force from the end of what is paid for.
        "s1": ("2024-01-31", "2024-04-30", "5.00"),
        # Nobody cancelled: overdue for thirty days, then over.
        "s2": ("2024-03-17", "2024-10-17", "5.00"),
        # Cancelled at once, and paid for until next spring.
        "s3": ("2024-04-21", "2025-04-21", "3.50"),
        # Five months without an invoice: two stays, of which the last has the number.
        "s4#1": ("2024-06-26", "2024-08-25", "5.00"),
        "s4": ("2024-12-27", "2025-02-26", "7.00"),
    }
    # Net of tax, and of discounts, which ChartMogul has taken off already.
    assert changes(desk) == {("s1", "2024-03-31", "10.00", 2), ("s2", "2024-06-17", "3.33", 3)}
    first = next(row for row in held(desk, "subscriptions") if row["subscription_id"] == "s1")
    assert (first["customer_id"], first["plan"], first["cancelled_at"]) == (
        "ann",
        "Gold",
        datetime(2024, 3, 20, tzinfo=UTC),
    )


@pytest.mark.long
def test_invoices_come_to_their_lines_and_payments_are_of_whom_the_invoice_is(desk: Desk) -> None:
    bring(desk, FILES)
    invoice = next(row for row in held(desk, "invoices") if row["invoice_id"] == "i1")
    assert (invoice["amount"], invoice["subscription_id"]) == (105, "s1")
    paid = {row["payment_id"]: row for row in held(desk, "payments")}
    assert paid.keys() == {"t1", "t2", "t3"}  # a refund is no attempt
    assert (paid["t1"]["customer_id"], paid["t1"]["amount"]) == ("ann", 105)


@pytest.mark.long
def test_the_same_files_again_change_nothing_and_what_they_take_back_goes(desk: Desk) -> None:
    bring(desk, FILES)
    before = stays(desk), changes(desk)
    assert all((one.added, one.changed) == (0, 0) for one in bring(desk, FILES))
    assert (stays(desk), changes(desk)) == before
    # A late invoice fills the gap between two stays: they were one.
    gap = "i9,,s4,,Subscription,500,gold_monthly,2024-07-26,2024-12-27,1,FALSE,,0,0,,0,,,,,,\n"
    bring(
        desk,
        {**FILES, "subscriptions": LINES + gap, "invoices": INVOICES + "dan,i9,2024-07-26,,GBP\n"},
    )
    assert {name for name in stays(desk) if name.startswith("s4")} == {"s4"}
    assert stays(desk)["s4"] == ("2024-06-26", "2025-02-26", "5.00")


@pytest.mark.long
def test_bills_are_followed_where_some_come_in(desk: Desk) -> None:
    def has_followed(results: list[FileImport]) -> bool:
        return any("made of lines of invoices" in note for one in results for note in one.notes)

    assert has_followed(bring(desk, FILES))
    before = stays(desk), changes(desk)
    assert not has_followed(bring(desk, {"customers": CUSTOMERS}))
    assert (stays(desk), changes(desk)) == before
    assert has_followed(bring(desk, {"cancellations": EVENTS}))


@pytest.mark.long
def test_what_no_invoice_or_customer_is_known_of_is_said(desk: Desk) -> None:
    files = {**FILES, "invoices": INVOICES.replace("dan,i8,2024-12-27,,GBP\n", "")}
    files["payments"] = TRANSACTIONS + "i99,t9,payment,successful,2024-03-01\n"
    results = bring(desk, files)
    assert "1 line of invoices that no source has, left out of them" in results[-1].notes
    assert "s4#1" not in stays(desk)
    refused = next(one for one in results if one.source == "payments")
    assert refused.reasons == {"missing_customer_id": 1}
    assert "no invoice says whose it is" in refused.examples[0]


@pytest.mark.long
@pytest.mark.draws(3)
@pytest.mark.parametrize(
    ("periods", "expected"),
    [
        # Renewed on the 31st: months are short, and nothing changes.
        (
            ["500 2024-01-31 2024-02-29", "500 2024-02-29 2024-03-31", "500 2024-03-31 2024-04-30"],
            [("month", 1, "5.00")],
        ),
        (["1500 2024-01-31 2024-04-30", "1500 2024-04-30 2024-07-31"], [("month", 3, "5.00")]),
        (["600 2024-03-25 2024-04-08", "600 2024-04-08 2024-04-22"], [("week", 2, "13.00")]),
        (["6000 2024-02-29 2025-02-28"], [("month", 12, "5.00")]),
        # What costs nothing is no subscriber's, and what it costs later is a change.
        (
            ["0 2024-01-01 2024-02-01", "500 2024-02-01 2024-03-01"],
            [("month", 1, "0.00"), ("month", 1, "5.00")],
        ),
        # What is given back for a period takes off it; alone, it is none.
        (
            ["500 2024-01-01 2024-02-01", "-500 2024-01-01 2024-02-01"],
            [("month", 1, "0.00")],
        ),
        (["500 2024-01-01 2024-02-01", "-200 2024-01-10 2024-02-01"], [("month", 1, "5.00")]),
        # A change in the midst of a month counts from the next whole one.
        (
            [
                "500 2024-01-01 2024-02-01",
                "516 2024-01-16 2024-02-01 2 TRUE",
                "1500 2024-02-01 2024-03-01 3",
            ],
            [("month", 1, "5.00"), ("month", 1, "15.00")],
        ),
        # Nothing else says what it costs.
        (["250 2024-01-17 2024-02-01 1 TRUE"], [("day", 15, "5.07")]),
        # Two that overlap: the later one is what is paid.
        (["2100 2024-01-22 2024-02-22", "1500 2024-01-28 2024-02-28"], [
            ("month", 1, "21.00"), ("month", 1, "15.00"),
        ]),
    ],
)  # fmt: skip
def test_a_period_is_what_its_days_or_its_plan_say(
    desk: Desk, periods: list[str], expected: list[tuple[str, int, str]]
) -> None:
    bring(desk, files_of(periods))
    rows = [*held(desk, "subscriptions"), *held(desk, "subscription_changes")]
    assert [(row["interval"], row["interval_count"], f"{row['mrr']:.2f}") for row in rows] == (
        expected
    )


@pytest.mark.long
def test_a_renewal_that_is_late_goes_on_and_one_that_is_later_is_a_return(desk: Desk) -> None:
    late = ["500 2024-01-01 2024-02-01", "500 2024-03-02 2024-04-02"]
    bring(desk, files_of(late))
    assert stays(desk) == {"s": ("2024-01-01", "2024-05-02", "5.00")}
    bring(desk, files_of([late[0], "500 2024-03-03 2024-04-03"]))
    assert stays(desk) == {
        "s#1": ("2024-01-01", "2024-03-02", "5.00"),
        "s": ("2024-03-03", "2024-05-03", "5.00"),
    }


@pytest.mark.long
def test_a_payment_that_failed_is_of_the_stay_it_was_for(desk: Desk) -> None:
    # The first stay's last payment failed, and so did one of the second; only that one is owed.
    # They had cancelled before: what they pay for now, they did not.
    tried = (
        "Invoice external ID,External ID,Type,Result,Date\n"
        "i0,t0,payment,successful,2024-01-01\n"
        "i1,t1,payment,failed,2024-02-01\n"
        "i2,t2,payment,successful,2024-06-01\n"
        "i3,t3,payment,failed,2024-07-01\n"
    )
    said = "Subscription external ID,Customer external ID,Date\ns,ann,2024-02-20\n"
    months = [
        "500 2024-01-01 2024-02-01",
        "500 2024-02-01 2024-03-01",
        "500 2024-06-01 2024-07-01",
        "500 2024-07-01 2024-08-01",
    ]
    files, now = files_of(months, payments=tried, cancellations=said), datetime(2024, 7, 9)
    now = now.replace(tzinfo=UTC)
    bring(desk, files, now=now)
    assert all((one.added, one.changed) == (0, 0) for one in bring(desk, files, now=now))
    of = {row["invoice_id"]: row["subscription_id"] for row in held(desk, "invoices")}
    assert of == {"i0": "s#1", "i1": "s#1", "i2": "s", "i3": "s"}
    engine = open_lake(desk.lake.folder, currency="GBP", zone="UTC")
    failed = engine.run(build_failures(engine.facts(), now)).to_pylist()
    engine.close()
    assert {row["case"]: (row["ending"], row["is_owed"]) for row in failed} == {
        "invoice:i1": ("dropped", True),
        "invoice:i3": (None, True),
    }


@pytest.mark.long
def test_who_cancelled_and_pays_on_thought_better_of_it(desk: Desk) -> None:
    said = "Subscription external ID,Customer external ID,Date\ns,ann,2024-01-10\n"
    months = ["500 2024-01-01 2024-02-01", "500 2024-02-01 2024-03-01"]
    bring(desk, files_of(months, cancellations=said))
    assert stays(desk) == {"s": ("2024-01-01", "2024-03-31", "5.00")}
    # Any gap after a cancellation is a return, also one that is shorter than thirty days.
    bring(desk, files_of([months[0], "500 2024-02-05 2024-03-05"], cancellations=said))
    assert stays(desk) == {
        "s#1": ("2024-01-01", "2024-02-01", "5.00"),
        "s": ("2024-02-05", "2024-04-04", "5.00"),
    }


def test_what_is_paid_for_today_runs(desk: Desk) -> None:
    bring(desk, files_of(["500 2024-01-01 2024-02-01"]), now=datetime(2024, 3, 1, tzinfo=UTC))
    assert stays(desk) == {"s": ("2024-01-01", None, "5.00")}


@pytest.mark.long
@pytest.mark.parametrize(("currency", "mrr"), [("GBP", "5.00"), ("JPY", "500.00"), ("KWD", "0.50")])
def test_cents_are_minor_units_of_the_currency(desk: Desk, currency: str, mrr: str) -> None:
    files = files_of(["500 2024-01-01 2024-02-01"])
    files["invoices"] = files["invoices"].replace("GBP", currency)
    bring(desk, files, currency=currency)
    assert stays(desk, currency)["s"][2] == mrr


@pytest.mark.long
def test_cents_of_an_invoice_in_another_currency_are_the_smallest_units_of_that_one(
    desk: Desk,
) -> None:
    periods = [f"{cents} 2024-01-01 2024-02-01" for cents in (500, 50_000, 500)]
    files = files_of(periods)
    for number, currency in enumerate(("GBP", "JPY", "KWD")):
        files["subscriptions"] = files["subscriptions"].replace(
            f"i{number},,s,", f"i{number},,s{number},"
        )
        told = f"ann,i{number},2024-01-01,,"
        files["invoices"] = files["invoices"].replace(f"{told}GBP", f"{told}{currency}")
    files["payments"] = (
        "Invoice external ID,External ID,Type,Result,Date,Amount in cents\n"
        "i1,t1,payment,successful,2024-01-01,20000\ni2,t2,payment,successful,2024-01-01,200\n"
    )
    rates = {"JPY": Decimal("0.005"), "KWD": Decimal("2.5")}
    bring(desk, files, rates=rates)
    engine = open_lake(desk.lake.folder, currency="GBP", zone="UTC", rates=rates)
    tables = engine.facts().more
    amounts = {
        row["subscription_id"]: row["mrr"]
        for row in engine.run(tables["subscriptions"]).to_pylist()
    }
    assert amounts == {"s0": 5, "s1": 250, "s2": Decimal("1.25")}
    asked = {row["invoice_id"]: row["amount"] for row in engine.run(tables["invoices"]).to_pylist()}
    assert asked == {"i0": 5, "i1": 250, "i2": Decimal("1.25")}
    paid = {row["payment_id"]: row["amount"] for row in engine.run(tables["payments"]).to_pylist()}
    assert paid == {"t1": 100, "t2": Decimal("0.5")}
    engine.close()


@pytest.mark.long
@pytest.mark.parametrize("day", ["2024-03-01", "2024-04-20", "2024-06-30", "2024-08-10"])
def test_the_profile_at_a_date_is_that_of_the_files_as_they_were_then(
    desk: Desk, tmp_path_factory: pytest.TempPathFactory, day: str
) -> None:
    at = datetime.fromisoformat(day).replace(tzinfo=UTC)

    def known(text: str, column: int) -> str:
        first, *rest = text.splitlines()
        return "\n".join([first, *(r for r in rest if r.split(",")[column] < day)]) + "\n"

    def seen(base: Desk, files: Mapping[str, str]) -> list[dict[str, Any]]:
        bring(base, files)
        engine = open_lake(base.lake.folder, currency="GBP", zone="UTC")
        rows = engine.run(build_profiles(engine.facts(), at, LifecycleSettings())).to_pylist()
        engine.close()
        return sorted(rows, key=lambda row: str(row["customer_id"]))

    cut = {
        "payments": known(TRANSACTIONS, 4),
        "invoices": known(INVOICES, 2),
        "plans": PLANS,
        "subscriptions": known(LINES, 7),
        "cancellations": known(EVENTS, 5),
    }
    if "subscription_cancelled" not in cut["cancellations"]:
        del cut["cancellations"]
    then = seen(Desk(tmp_path_factory.mktemp("cut")), cut)
    assert then
    assert seen(desk, FILES) == then
