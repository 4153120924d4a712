"""The JSON that scripts rely on: these keys stay, whatever else is added.

The figures are held against the shop's own rows, counted here in plain Python.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import Answer, rekindle
from tests.runtime.shops import TWINS, Team, close_ledgers, order_lines
from tools.source_tree import ROOT

ARMS = {"treatment", "holdout"}
DATE = "2024-09-02"
QUESTIONS: dict[str, tuple[str, ...]] = {
    "audit": ("audit",),
    "audience": ("audience", "tier = 'lapsed' and lifetime_value > 50", "--sample", "3"),
    "plan": ("plan", "calm", "--as-of", DATE),
    "replay": ("replay", "calm", "--from", DATE, "--to", "2024-09-12"),
    "tick": ("tick", "--as-of", DATE),
    "report": ("report", "calm", "--as-of", "2024-10-02"),
    "explain": ("explain", "c015", "--as-of", DATE),
    "import": ("import",),
    "quarantine": ("quarantine",),
}


@pytest.fixture(scope="module")
def answers(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Answer]]:
    """Ask every question once, of a shop whose journey ``calm`` has started."""
    folder = tmp_path_factory.mktemp("answers") / "shop"
    Team.copy(shop, folder)
    started = rekindle("start", "calm", "--as-of", DATE, "--yes", "-C", folder)
    assert (started.code, started.out) == (0, "")
    found = {name: rekindle(*words, "--json", "-C", folder) for name, words in QUESTIONS.items()}
    found["page"] = rekindle(*QUESTIONS["report"], "--html", folder / "report.html", "-C", folder)
    yield found
    close_ledgers()


@pytest.mark.draws(4)
@pytest.mark.parametrize("question", QUESTIONS)
def test_json_is_all_there_is_on_standard_output(question: str, answers: dict[str, Answer]) -> None:
    answer = answers[question]
    assert answer.code == 0, answer.err
    assert answer.document["version"] == 1


def purchases() -> dict[str, dict[str, Decimal]]:
    """Return what each person bought, by order: lines of positive quantity and price."""
    found: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in order_lines():
        if row["customer_id"] and int(row["quantity"]) > 0:
            person = TWINS[0] if row["customer_id"] in TWINS else row["customer_id"]
            found[person][row["order_id"]] += Decimal(row["quantity"]) * Decimal(row["unit_price"])
    return found


def test_the_audit_counts_what_is_in_the_file(answers: dict[str, Answer]) -> None:
    audit, bought = answers["audit"].document, purchases()
    given_back = sum(
        int(row["quantity"]) * Decimal(row["unit_price"])
        for row in order_lines()
        if row["customer_id"] and int(row["quantity"]) < 0
    )
    gross = sum(amount for orders in bought.values() for amount in orders.values())
    assert audit["buyers"] == len(bought)
    assert audit["orders"] == sum(map(len, bought.values()))
    assert audit["gross_revenue"] == float(gross)
    assert audit["net_revenue"] == float(gross + given_back)
    assert audit["currency"] == "GBP"


def test_the_audit_keeps_its_keys(answers: dict[str, Answer]) -> None:
    audit = answers["audit"].document
    assert audit["as_of"] > "2024-12-01"
    assert set(audit["rows"]) == {"read", "quarantined", "anonymous"}
    anonymous = [row for row in order_lines() if not row["customer_id"]]
    assert audit["rows"]["anonymous"] == len(anonymous)
    assert list(audit["gap_days"]) == ["median", "p75", "p90", "p95"]
    assert sorted(audit["gap_days"].values()) == list(audit["gap_days"].values())
    assert {"active", "at_risk", "lapsed", "dormant", "gone"} <= set(audit["tiers"])
    assert all(set(one) == {"customers", "lifetime_value"} for one in audit["tiers"].values())


def test_the_audience_keeps_its_keys(answers: dict[str, Answer]) -> None:
    found = answers["audience"].document
    assert set(found) >= {"predicate", "as_of", "customers", "lifetime_value", "sample"}
    assert found["predicate"] == QUESTIONS["audience"][1]
    assert len(found["sample"]) == min(3, found["customers"]) > 0
    assert all(one["tier"] == "lapsed" and one["lifetime_value"] > 50 for one in found["sample"])
    assert found["lifetime_value"] >= sum(one["lifetime_value"] for one in found["sample"])


@pytest.mark.parametrize("question", ["replay", "report"])
def test_replay_and_report_keep_their_keys(question: str, answers: dict[str, Answer]) -> None:
    found = answers[question].document
    assert found["journey"] == "calm"
    assert found["from"] < found["to"]
    assert set(found["assigned"]) == set(found["returned"]) == ARMS
    assert set(found["touches"]) == {"send", "hold", "skip"}
    assert found["reasons"]["held_out"] > 0
    assert sum(found["reasons"].values()) == found["touches"]["hold"] + found["touches"]["skip"]
    assert found["returned_before_first_touch"] <= sum(found["returned"].values())
    assert found["sent_after_return"] == 0
    assert found["cost"] == round(found["touches"]["send"] * 0.001, 4)
    check_lift(found["lift"])


def check_lift(lift: dict[str, Any]) -> None:
    assert lift["metric"] == "net revenue per assigned customer"
    if "unknown" not in lift:
        assert lift["low"] <= lift["difference"] <= lift["high"]
        assert lift["method"]


def test_the_plan_says_what_the_first_pass_then_does(answers: dict[str, Answer]) -> None:
    plan, tick = answers["plan"].document, answers["tick"].document
    assert plan["people"] == sum(plan["assigned"].values()) == tick["entered"]
    assert set(plan["touches"]) == {"send", "hold", "skip"}
    assert tick["messages"] == {
        "accepted": sum(one["count"] for one in tick["decisions"] if one["answer"] == "send")
    }


def test_explain_gives_profile_permission_and_decisions(answers: dict[str, Answer]) -> None:
    found = answers["explain"].document
    assert found["customer"] == found["profile"]["customer_id"] == "c015"
    assert set(found["permission"]) == {"granted", "rule"}
    assert {one["journey"] for one in found["enrolments"]} <= {"calm"}
    assert all({"at", "step", "answer", "reason"} <= set(one) for one in found["decisions"])


def test_importing_the_same_files_again_changes_nothing(answers: dict[str, Answer]) -> None:
    files = answers["import"].document["files"]
    assert {one["table"] for one in files} == {"order_lines", "customers"}
    assert all((one["added"], one["changed"]) == (0, 0) for one in files)
    assert all(one["read"] > 0 and one["quarantined"] == 0 for one in files)
    assert answers["quarantine"].document["rows"] == []


def test_a_page_is_written_beside_what_the_terminal_shows(answers: dict[str, Answer]) -> None:
    answer = answers["page"]
    assert answer.code == 0
    _, _, path = answer.err.strip().rpartition("wrote ")
    assert "<html" in Path(path.replace("\n", "")).read_text(encoding="utf-8")
    assert "treatment" in answer.out


# The keys below these are data, or listed on a page of their own.
NAMED_ELSEWHERE = {"reasons", "tiers", "tier_lines", "gap_days_by_category", "profile"}
WORDS = {"unknown", *ARMS}


def keys_of(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from keys_of(one)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys_of(list(inner.values()) if key in NAMED_ELSEWHERE else inner)


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_key_is_documented(question: str, answers: dict[str, Answer]) -> None:
    page = (ROOT / "docs/reference/json.md").read_text(encoding="utf-8")
    whole, *sections = page.split("\n## ")
    section = next(one for one in sections if f"`{question}`" in one.splitlines()[0])
    general = next(one for one in sections if one.startswith("What holds"))
    told = set(re.findall(r"`([\w ]+)`", whole + general + section)) | WORDS
    found = set(keys_of(answers[question].document))
    assert found - told == set()


@pytest.mark.long
def test_explain_says_what_is_judged_before_the_first_pass(
    shop: Path, begun_shop: Path, tmp_path: Path
) -> None:
    for origin, is_early in ((shop, True), (begun_shop, False)):
        folder = tmp_path / origin.parent.name
        Team.copy(origin, folder)
        told = rekindle("explain", "c015", "-C", folder)
        assert told.code == 0, told.err
        assert ("no pass has carried their card" in told.err) is is_early


@pytest.mark.long
def test_explain_promises_no_card_where_no_file_brings_one(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("order_id,customer_id,date,total\n1,ann,2024-08-01,5\n", encoding="utf-8")
    rekindle("init", tmp_path / "new", "--orders", path, "--currency", "GBP", "--yes")
    told = rekindle("explain", "ann", "-C", tmp_path / "new")
    assert told.code == 0, told.err
    assert "no pass has carried" not in told.err
