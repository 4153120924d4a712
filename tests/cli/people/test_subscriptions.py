"""A business of subscriptions, from its files to its audit."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.cli.commands import refused, rekindle
from tests.facts.files import chartmogul

SUBSCRIPTIONS = """\
Abo-Nr;Kunde;Start;Ende;Tarif;MRR;Probe
1;a;03.01.2024;;Groß;12,50;nein
2;b;04.01.2024;15.06.2024;Klein;5,00;nein
3;b;20.08.2024;;Klein;6,00;nein
4;c;01.02.2024;31.03.2024;Klein;5,00;nein
5;d;01.02.2024;;Klein;0,00;ja
6;;01.02.2024;;Klein;5,00;nein
7;e;gestern;;Klein;5,00;nein
"""
CANCELLATIONS = """\
id,customer_id,cancelled_at,reason
x,b,2024-06-01,Too expensive
y,c,2024-03-02,payment_failed
"""
TAKEN = ("subscription_id=Abo-Nr", "plan=Tarif", "started_at=Start", "ended_at=Ende")


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("club")
    (folder / "abos.csv").write_text(SUBSCRIPTIONS, encoding="utf-8")
    (folder / "gone.csv").write_text(CANCELLATIONS, encoding="utf-8")
    takes = [part for one in TAKEN for part in ("--take", f"subscriptions.{one}")]
    takes += ["--take", "subscriptions.is_trial=Probe"]
    answer = rekindle(
        "init", folder / "new", "--subscriptions", folder / "abos.csv", "--currency", "EUR",
        "--cancellations", folder / "gone.csv", "--timezone", "Europe/Berlin", "--yes", *takes,
    )  # fmt: skip
    assert answer.code == 2, answer.err
    assert "2 of 9 rows went to quarantine" in answer.err
    return folder / "new"


@pytest.mark.long
def test_status_and_doctor_count_subscriptions_where_nobody_orders(club: Path) -> None:
    for command in ("status", "doctor"):
        told = rekindle(command, "-C", club).out
        assert "subscriptions" in told
        assert "order" not in told


@pytest.mark.long
def test_the_audit_tells_of_subscribers(club: Path) -> None:
    found = rekindle("audit", "--json", "-C", club).document["subscriptions"]
    assert found["active"] == 2
    assert found["mrr"]["opening"] == 0
    assert found["mrr"]["closing"] == 18.5
    assert {
        word: (one["count"], one["amount"]) for word, one in found["mrr"]["movements"].items()
    } == {
        "new": (3, 22.5),
        "expansion": (0, 0),
        "contraction": (0, 0),
        "churn": (2, -10.0),
        "reactivation": (1, 6.0),
    }
    assert found["time_to_reactivation_days"]["median"] == 66
    rates = {
        (r["kind"], r["since_churn"], r["reason"]): r["rate"] for r in found["reactivation_rate"]
    }
    assert rates["voluntary", "31-90", "too expensive"] == 1.0
    assert rates["involuntary", "31-90", "payment_failed"] == 0.0


@pytest.mark.long
def test_it_says_so_in_words_and_as_of_a_day(club: Path) -> None:
    told = rekindle("audit", "-C", club)
    assert "Monthly recurring revenue" in told.out
    assert "Where customers stand" not in told.out  # nothing was ever sold once
    assert all(len(line) <= 80 for line in told.out.splitlines())
    then = rekindle("audit", "--json", "--as-of", "2024-07-01", "-C", club).document
    assert then["subscriptions"]["mrr"]["closing"] == 12.5
    assert then["subscriptions"]["mrr"]["movements"]["reactivation"]["count"] == 0


@pytest.mark.long
def test_the_page_has_it(club: Path, tmp_path: Path) -> None:
    rekindle("audit", "--html", tmp_path / "page.html", "-C", club)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "What subscribers bring" in page


@pytest.mark.long
def test_an_audience_is_ranked_by_what_subscriptions_brought(club: Path) -> None:
    told = rekindle("audience", "times_churned >= 0", "-C", club)
    assert "paid by subscriptions" in told.out
    for word in ("lifetime", "order", "silence"):
        assert word not in told.out
    found = rekindle("audience", "times_churned >= 0", "--json", "-C", club).document
    values = [row["subscription_value"] for row in found["sample"]]
    assert values == sorted(values, reverse=True)
    assert found["subscription_value"] == pytest.approx(sum(values), abs=0.05)
    assert found["lifetime_value"] == 0


@pytest.mark.parametrize("options", [(), ("--active",), ("--keep",), ("--card", "card.md")])
def test_what_is_learned_of_orders_says_what_to_ask_instead(
    club: Path, options: tuple[str, ...]
) -> None:
    assert "`rekindle audit` how long subscribers stay" in refused("score", *options, "-C", club)


@pytest.mark.long
def test_what_is_kept_is_told_as_text_page_and_file(club: Path, tmp_path: Path) -> None:
    page, rows = tmp_path / "kept.html", tmp_path / "kept.csv"
    told = rekindle("kept", "--html", page, "--csv", rows, "-C", club)
    assert "`what` in [subscriptions.kept] says it" in told.out
    assert "What is kept for who left" in page.read_text(encoding="utf-8")
    assert rows.read_text(encoding="utf-8").startswith('"customer_id","number","what"')


@pytest.mark.long
def test_two_definitions_are_explained(club: Path, tmp_path: Path) -> None:
    rekindle("reconcile", "ours", "recurly-subscribers", "--csv", tmp_path / "d.csv", "-C", club)
    with (tmp_path / "d.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert [(row["customer_id"], row["because"]) for row in rows] == [("d", "a trial")]
    same = rekindle("reconcile", "ours", "upzelo", "-C", club)
    assert "differ on 0 subscribers" in same.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("audit", "--definition", "chartmogel"), "did you mean 'chartmogul'"),
        (("reconcile", "ours", "nobodys"), "there are ours, chartmogul"),
        (("reconcile", "ours", "upzelo", "--journey", "j"), "goes with definitions of reactivated"),
        (("reconcile", "assigned", "reached"), "no journey was ever started here"),
    ],
)
def test_a_definition_that_is_none_is_refused(
    club: Path, arguments: tuple[str, ...], said: str
) -> None:
    assert said in refused(*arguments, "-C", club)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "Rows of subscriptions need subscription_id, customer_id, started_at"),
        ("subscription_id,customer_id,started_at\n", "holds a header but no rows"),
        ("subscription_id,customer_id,started_at\n1,a,soon\n", "none looks like started_at"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    told = refused("init", tmp_path / "new", "--subscriptions", tmp_path / "x.csv", "--yes")
    assert said in told
    assert not (tmp_path / "new").exists()


@pytest.mark.long
def test_the_answer_that_is_asked_for_is_one_about_that_file(tmp_path: Path) -> None:
    for name, text in (("o", "order_id,customer_id,date,total\n1,a,2024-01-02,5\n"),
                       ("s", "subscription_id,customer_id,started_at\n1,a,soon\n")):  # fmt: skip
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    files = ("--orders", tmp_path / "o.csv", "--subscriptions", tmp_path / "s.csv")
    told = rekindle("init", tmp_path / "new", *files, "--yes").err
    assert "--take subscriptions.started_at=COLUMN" in told


@pytest.mark.long
def test_files_for_chartmogul_become_an_audit_of_subscribers(tmp_path: Path) -> None:
    files = {
        "subscriptions": chartmogul.LINES,
        "invoices": chartmogul.INVOICES,
        "plans": chartmogul.PLANS,
        "payments": chartmogul.TRANSACTIONS,
        "cancellations": chartmogul.EVENTS,
        "customers": chartmogul.CUSTOMERS,
    }
    named: list[str | Path] = []
    for kind, text in files.items():
        (tmp_path / f"{kind}.csv").write_text(text, encoding="utf-8")
        named += [f"--{kind}", tmp_path / f"{kind}.csv"]
    answer = rekindle("init", tmp_path / "new", *named, "--currency", "GBP", "--yes")
    assert answer.code == 0, answer.err
    assert "looks like ChartMogul invoice line items (invoice lines)" in answer.out
    found = rekindle("audit", "--json", "--definition", "chartmogul", "-C", tmp_path / "new")
    mrr = found.document["subscriptions"]["mrr"]
    assert {word: (one["count"], one["amount"]) for word, one in mrr["movements"].items()} == {
        "new": (4, 18.5),
        "expansion": (1, 5.0),
        "contraction": (1, -1.67),
        "churn": (5, -28.83),
        "reactivation": (1, 7.0),
    }
    assert mrr["closing"] == 0
