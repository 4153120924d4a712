"""The shop in the pictures: a workspace as any other, of people who do not exist."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rekindle.clock import MovableClock
from rekindle.config import SourceSettings
from rekindle.desk import Scaffold, create_workspace, take_starter
from rekindle.journeys import sequence_journeys
from rekindle.runtime import Workspace
from tools.pictures.products import ARRIVALS, GOODS, Good

NOW = datetime(2026, 11, 2, 10, tzinfo=UTC)
DAY = timedelta(days=1)
SEED = 1102
NAME = "Marlow & Finch"
ADA = "u001"
PEOPLE = 240
# Ada's silence: beyond 120 days, and lapsed by her own rhythm.
ADA_BOUGHT = (760, 690, 610, 520, 420, 330, 250, 140)
SETTINGS = {
    "postal_address": '"4 Weaver Street, Leeds LS1 4DT"',
    "url": '"https://marlow.example/"',
    "from_address": '"hello@marlow.example"',
}
# What is appended, where ``{url}`` is the biller's.
SECTIONS = """
[offers]
margin = 0.5

[billing]
provider = "stripe"
url = "{url}"

[subscriptions.kept]
what = ["Your saved outfits", "Your sizes and measurements"]
"""


@contextmanager
def open_shop(folder: Path, biller_url: str) -> Iterator[Workspace]:
    """Yield the shop, with its facts imported and every starter taken."""
    sources = [
        _write(folder, "orders", "order_lines", _order_lines()),
        _write(folder, "customers", "customers", _cards()),
        _write(folder, "catalogue", "products", [one.row for one in (*GOODS, *ARRIVALS)]),
        _write(folder, "points", "points", [_points()]),
        _write(folder, "plans", "subscriptions", [_plan()]),
    ]
    create_workspace(folder, Scaffold(NAME, "GBP", "Europe/London", tuple(sources)))
    toml = folder / "rekindle.toml"
    text = toml.read_text("utf-8")
    for key, value in SETTINGS.items():
        text = _with(text, key, value)
    toml.write_text(text + SECTIONS.format(url=biller_url), "utf-8")
    for name in sequence_journeys():
        take_starter(folder, name)
    workspace = Workspace.open(folder, clock=MovableClock(NOW))
    workspace.import_facts()
    try:
        yield workspace
    finally:
        workspace.forget_facts()


def _with(text: str, key: str, value: str) -> str:
    lines = text.splitlines()
    set_here = (line.lstrip("# ").startswith(f"{key} =") for line in lines)
    lines[list(set_here).index(True)] = f"{key} = {value}"
    return "\n".join(lines) + "\n"


def _write(
    folder: Path, name: str, table: str, rows: Sequence[Mapping[str, str]]
) -> SourceSettings:
    folder.mkdir(parents=True, exist_ok=True)
    header = list(rows[0])
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        writer.writerows(rows)
    return SourceSettings.model_validate(
        {"name": name, "table": table, "path": f"{name}.csv", "columns": {k: k for k in header}}
    )


def _order_lines() -> list[dict[str, str]]:
    rng = random.Random(SEED)
    rows = list[dict[str, str]]()
    for number, days in enumerate(ADA_BOUGHT):
        goods = [GOODS[number % 3], *([GOODS[3]] if number % 2 else [])]
        rows += _order(f"a{number}", ADA, NOW - days * DAY, goods)
    for number in range(2, PEOPLE):
        person, at = f"u{number:03}", NOW - rng.uniform(300, 800) * DAY
        gap = rng.uniform(20, 90)
        for turn in range(rng.randint(1, 9)):
            if at >= NOW:
                break
            rows += _order(f"{person}-{turn}", person, at, _basket(rng, at))
            at += rng.uniform(0.5, 1.8) * gap * DAY
    return rows


def _basket(rng: random.Random, at: datetime) -> list[Good]:
    """Return what somebody buys at once; what came in lately is liked."""
    first = rng.choice(GOODS)
    more = rng.choice(GOODS[3:]) if rng.random() < 0.5 else None
    new = rng.choice(ARRIVALS) if NOW - at < 40 * DAY else None
    return list(dict.fromkeys(one for one in (first, more, new) if one is not None))


def _order(order: str, person: str, at: datetime, goods: Sequence[Good]) -> list[dict[str, str]]:
    return [
        {
            "order_id": order,
            "customer_id": person,
            "ordered_at": at.isoformat(timespec="seconds"),
            "product_id": good.id,
            "category": good.category,
            "quantity": "1",
            "unit_price": good.price,
        }
        for good in goods
    ]


def _cards() -> list[dict[str, str]]:
    names = ("Ada", "Ben", "Chloe", "Dev", "Elsie", "Farid", "Grace", "Hugo")
    return [
        {
            "customer_id": f"u{number:03}",
            "email": f"{names[number % 8].lower()}{number}@example.com",
            "phone": f"+4477009{number:05}",
            "first_name": "Ada" if number == 1 else names[number % 8],
            "country": "GB",
            "created_at": (NOW - 900 * DAY).isoformat(),
            "email_consent": "true",
            "email_consent_at": (NOW - 900 * DAY).isoformat(),
        }
        for number in range(1, PEOPLE)
    ]


def _points() -> dict[str, str]:
    return {
        "customer_id": ADA,
        "counted_at": (NOW - 3 * DAY).isoformat(),
        "points": "2450",
        "run_out_on": "2027-03-31",
        "level": "silver",
    }


def _plan() -> dict[str, str]:
    return {
        "subscription_id": "ada-plan",
        "customer_id": ADA,
        "started_at": (NOW - 500 * DAY).isoformat(),
        "plan": "Style club",
        "amount": "12.00",
        "interval": "month",
        "currency": "GBP",
    }
