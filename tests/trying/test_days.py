"""A message tells days as the business's calendar has them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from rekindle.clock import MovableClock
from rekindle.runtime import Workspace
from rekindle.worker.showing import load_blocks

FILES = {
    "orders": "order_id,customer_id,ordered_at,gross\n1,ann,2024-01-05 10:00,20\n",
    "changes": "title,changed_at\nFree returns,2024-03-01\n",
    "reviews": "review_id,reviewed_at,words\nr1,2024-03-02,Lovely\n",
    "points": "customer_id,points,counted_at\nann,40,2024-03-03\n",
}
DAYS = {"what_changed": "2024-03-01", "people_say": "2024-03-02", "your_points": "2024-03-03"}


@pytest.mark.parametrize(
    "zone", ["Pacific/Auckland", pytest.param("America/Los_Angeles", marks=pytest.mark.long)]
)
def test_a_change_a_review_and_points_are_of_the_business_s_own_day(
    tmp_path: Path, zone: str
) -> None:
    """East of Greenwich a day begins while it is yesterday there."""
    toml = f'[workspace]\nname = "far"\ntimezone = "{zone}"\ncurrency = "NZD"\n'
    for table, text in FILES.items():
        (tmp_path / f"{table}.csv").write_text(text)
        columns = "".join(f'{name} = "{name}"\n' for name in text.split("\n")[0].split(","))
        toml += f'[[sources]]\nname = "shop"\ntable = "{table}"\npath = "{table}.csv"\n'
        toml += f"[sources.columns]\n{columns}"
    (tmp_path / "rekindle.toml").write_text(toml)
    at = datetime(2024, 3, 20, tzinfo=UTC)
    space = Workspace.open(tmp_path, clock=MovableClock(at))
    space.import_facts()
    shown = load_blocks(space, ["ann"], DAYS, at)["ann"]
    assert {name: [one["on"] for one in told] for name, told in shown.items()} == {
        name: [day] for name, day in DAYS.items()
    }
