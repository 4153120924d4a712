"""Lists from other systems, what runs out, and the proof of one person's permission."""

from __future__ import annotations

import csv
import json
import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from rekindle.clock import MovableClock, SystemClock
from rekindle.consent import ConsentRecord
from rekindle.desk import ListDefaults, import_consents, import_suppressions
from rekindle.journeys import Person
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel
from tests.cli.commands import refused, rekindle

HASHED = re.compile(r"[0-9a-f]{64}")


@pytest.fixture
def begun(begun_shop: Path, tmp_path: Path) -> Path:
    """Return a copy of the shop in which people are on record."""
    from tests.runtime.shops import Team

    folder = tmp_path / "begun"
    Team.copy(begun_shop, folder)
    return folder


def write(folder: Path, header: str, *rows: str) -> Path:
    path = folder.parent / "list.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def statements(folder: Path, person: str) -> list[dict[str, object]]:
    proof = rekindle("consent", "proof", person, "-C", folder, "--json").document
    found = proof["statements"]
    assert isinstance(found, list)
    return found


@pytest.mark.long
def test_consents_are_taken_with_their_words_and_dates_and_told_of(begun: Path) -> None:
    path = write(
        begun,
        "Email Address,opt in,Date,text,how,noise",
        "c001@example.com,yes,2024-05-01 10:00,Yes please,form,x",
        "c002@example.com,,2024-05-01,Never asked,form,x",
        "c003@example.com,no,,,phone,x",
        "nobody@example.com,yes,2024-05-01,Hello,form,x",
        "stranger@example.com,no,2024-05-01,Go away,form,x",
        "c004@example.com,perhaps,2024-05-01,,form,x",
        "c005@example.com,yes,2099-01-01,,form,x",
    )
    answer = rekindle("consent", "import", path, "-C", begun, "--json")
    assert answer.code == 0, answer.err
    told = answer.document
    assert told["read"] == 7
    assert told["taken"] == {
        "yes": 1,
        "no": 1,
        "say nothing": 1,
        "kept for whoever has the address": 1,
    }
    problems = {one["line"]: one["problem"] for one in told["set_aside"]}
    assert problems == {5: "unknown_person", 7: "unreadable", 8: "in_the_future"}
    assert told["columns_left_out"] == ["noise"]
    with Path(told["quarantine"]).open(encoding="utf-8") as file:
        assert len(list(csv.reader(file))) == 4
    newest = statements(begun, "c001")[-1]
    assert (newest["wording"], newest["source"], newest["granted"]) == (
        "Yes please",
        "form:list.csv",
        True,
    )
    assert newest["at"] == "2024-05-01T09:00:00+00:00"  # ten o'clock in London
    before = statements(begun, "c003")
    assert before[-1]["granted"] is False
    again = rekindle("consent", "import", path, "-C", begun, "--json")
    assert again.code == 0
    assert statements(begun, "c003") == before


@pytest.mark.long
def test_an_undated_yes_does_not_take_back_a_no(begun: Path) -> None:
    path = write(begun, "customer_id,granted", "c001,no")
    assert rekindle("consent", "import", path, "-C", begun).code == 0
    path = write(begun, "customer_id,granted", "c001,yes")
    assert rekindle("consent", "import", path, "-C", begun).code == 0
    proof = rekindle("consent", "proof", "c001", "-C", begun, "--json").document
    (email,) = (one for one in proof["channels"] if one["channel"] == "email")
    assert (email["rule"], email["may_be_written_to"]) == ("withdrawn", False)


def test_a_list_without_who_or_what_is_refused(begun: Path) -> None:
    path = write(begun, "name,granted", "Ann,yes")
    assert "no column says who" in refused("consent", "import", path, "-C", begun)
    path = write(begun, "email,at", "c001@example.com,2024-05-01")
    assert "granted" in refused("consent", "import", path, "-C", begun)
    assert "no such file" in refused("consent", "import", begun / "none.csv", "-C", begun)
    path = write(begun, "email,granted", "c001@example.com,yes")
    told = refused("consent", "import", path, "-C", begun, "--channel", "pigeon")
    assert "pigeon" in told
    assert "no column 'When'" in refused(
        "consent", "import", path, "-C", begun, "--take", "at=When"
    )


def test_an_undated_no_of_a_list_counts_again_after_a_yes_since(begun: Path) -> None:
    leaving = write(begun, "customer_id,granted", "c001,no")
    clock = MovableClock(SystemClock().now())
    space = Workspace.open(begun, clock=clock)
    said = []
    for number in range(4):
        import_consents(space, leaving, ListDefaults(Channel("email")), who="ann")
        said.append(len([one for one in space.history.consents_of("c001") if not one.granted]))
        if number == 1:
            clock.move(timedelta(minutes=1))
            yes = ConsentRecord("c001", Channel("email"), True, clock.now(), "page")
            space.book.save_consent([yes])
        clock.move(timedelta(minutes=1))
    assert said[1] == said[0]
    assert said[2] == said[1] + 1
    assert said[3] == said[2]


def test_an_undated_list_counts_again_after_a_yes_of_the_same_day(begun: Path) -> None:
    leaving = write(begun, "customer_id,reason", "c001,unsubscribed", "c002,by letter")
    space = Workspace.open(begun)
    for _ in range(2):
        import_suppressions(space, leaving, ListDefaults(Channel("email")), who="ann")
        for person in ("c001", "c002"):
            found = space.history.suppressions_of(person)
            assert found
            reaches = [(one.channel, one.purpose, one.reason) for one in found]
            space.book.lift(person, reaches)  # as a yes of theirs does
            assert not space.history.suppressions_of(person)


@pytest.mark.long
def test_suppressed_addresses_stay_so_for_whoever_comes_with_them(begun: Path) -> None:
    path = write(
        begun,
        "email,reason,created",
        "c001@example.com,unsubscribed,2024-08-01",
        "later@example.com,Hard Bounce,2024-08-01",
        "c003@example.com,we fell out,",
        ",spam,2024-08-01",
    )
    answer = rekindle("suppressions", "import", path, "-C", begun, "--json")
    assert answer.code == 0, answer.err
    assert answer.document["taken"] == {"suppressed": 2, "kept for whoever has the address": 1}
    assert [one["problem"] for one in answer.document["set_aside"]] == ["unknown_person"]
    proof = rekindle("consent", "proof", "c001", "-C", begun, "--json").document
    reasons = {one["reason"]: one["at"] for one in proof["suppressions"]}
    assert reasons == {"opt_out": "2024-07-31T23:00:00+00:00"}
    proof = rekindle("consent", "proof", "c003", "-C", begun, "--json").document
    assert [one["reason"] for one in proof["suppressions"]] == ["we fell out"]
    # Nobody's address is kept: what stands in the ledger is a keyed hash.
    raw = (begun / "state" / "ledger.sqlite3").read_bytes()
    assert b"later@example.com" not in raw


def test_a_no_holds_for_everybody_and_every_address_its_row_names(begun: Path) -> None:
    path = write(
        begun,
        "customer_id,email,phone,reason,at,channel",
        "c001,c003@example.com,,stop,2024-08-01,",  # whose address is another's by now
        "c002,former@example.com,,bounce,2024-08-01,",
        ",c007@example.com,,stop,31/31/2024,",
        ",stranger@example.com,,stop,soon,",
        ",c005@example.com,,Subscribed,,",
        ",,+44 20 7946 0018,stop,,",
        ",c006@example.com,+44 20 7946 0019,bounce,2024-08-01,sms",
    )
    space = Workspace.open(begun)
    taken = import_suppressions(space, path, ListDefaults(Channel("email")), who="ann")
    assert [(one.line, one.problem) for one in taken.refused] == [
        (4, "unreadable"), (5, "unreadable"), (6, "no_suppression"), (7, "which_channel"),
    ]  # fmt: skip
    assert taken.counts == {"suppressed": 3, "kept for whoever has the address": 3}
    people = [f"c00{number}" for number in (1, 2, 3, 5, 6, 7)]
    assert [bool(space.history.suppressions_of(one)) for one in people] == [
        True, False, True, False, False, True,
    ]  # fmt: skip
    space.book.save_people(
        [
            Person("x", "Former@Example.com"),
            Person("y", "stranger@example.com"),
            Person("z", phone="0044 2079460019"),
        ]
    )
    assert [len(space.history.suppressions_of(one)) for one in "xyz"] == [1, 1, 1]
    path = write(begun, "email,granted,at", "c006@example.com,no,soon", "other@example.com,no,soon")
    taken = import_consents(space, path, ListDefaults(Channel("email")), who="ann")
    assert taken.counts == {"no": 1, "kept for whoever has the address": 1}
    assert len(taken.refused) == 2


def test_an_opt_out_of_before_a_newer_consent_is_left_out(begun: Path) -> None:
    path = write(begun, "email,granted,at", "c001@example.com,yes,2024-08-10")
    rekindle("consent", "import", path, "-C", begun)
    path = write(begun, "email,reason,at", "c001@example.com,opt-out,2024-08-01")
    told = rekindle("suppressions", "import", path, "-C", begun, "--json").document
    assert told["taken"] == {"agreed since": 1}
    path = write(begun, "email,reason", "c001@example.com,opt-out")
    told = rekindle("suppressions", "import", path, "-C", begun, "--json").document
    assert told["taken"] == {"suppressed": 1}


@pytest.mark.long
def test_what_runs_out_is_found_before_it_does(begun: Path) -> None:
    settings = begun / "rekindle.toml"
    text = settings.read_text(encoding="utf-8")
    claimed = text.replace("soft_opt_in = false", "soft_opt_in = true")
    settings.write_text(claimed, encoding="utf-8")
    far = rekindle(
        "consent", "expiring", "--within", "900d", "-C", begun, "--json", "--as-of", "2025-01-15"
    )
    assert far.code == 0, far.err
    found = far.document["expiring"]
    assert found
    assert {one["rule"] for one in found} == {"implied_by_purchase"}
    assert {one["place"] for one in found} == {"CA"}
    first = found[0]
    day = (date.fromisoformat(first["until"][:10]) - timedelta(days=1)).isoformat()
    out = begun.parent / "expiring.csv"
    near = rekindle(
        "consent", "expiring", "--within", "2 days", "-C", begun, "--as-of", day, "--csv", out
    )
    assert near.code == 0, near.err
    with out.open(encoding="utf-8") as file:
        assert first["person"] in {row["person"] for row in csv.DictReader(file)}
    after = rekindle(
        "consent", "expiring", "--within", "1 day", "-C", begun, "--json", "--as-of", "2025-01-15"
    )
    assert first["person"] not in {one["person"] for one in after.document["expiring"]}


@pytest.mark.long
def test_proof_is_one_readable_file(begun: Path, tmp_path: Path) -> None:
    for name in ("proof.txt", "proof.json"):
        out = tmp_path / name
        answer = rekindle("consent", "proof", "c001@example.com", "-C", begun, "--out", out)
        assert answer.code == 0, answer.err
    text = (tmp_path / "proof.txt").read_text(encoding="utf-8")
    assert "What they said, the oldest first" in text
    assert "not legal advice" in text
    record = json.loads((tmp_path / "proof.json").read_text(encoding="utf-8"))
    assert record["person"] == "c001"
    assert {one["channel"] for one in record["channels"]} >= {"email"}
    assert "no customer" in refused("consent", "proof", "nobody", "-C", begun)


def test_a_list_of_consents_given_as_suppressions_suppresses_nobody_who_agreed(begun: Path) -> None:
    path = write(
        begun,
        "email,consent,date",
        "c005@example.com,yes,2024-08-01",
        "c006@example.com,no,31.02.2024",
    )
    space = Workspace.open(begun)
    taken = import_suppressions(space, path, ListDefaults(Channel("email")), who="ann")
    assert [(one.line, one.problem, one.detail) for one in taken.refused] == [
        (2, "no_suppression", "'yes' keeps nobody from being written to"),
        (3, "unreadable", "at '31.02.2024' is no date"),
    ]
    people = ("c005", "c006")
    assert [bool(space.history.suppressions_of(one)) for one in people] == [False, True]


def test_the_day_somebody_signed_up_is_not_the_day_they_left(begun: Path) -> None:
    path = write(
        begun,
        "Email Address,OPTIN_TIME,CONFIRM_TIME,LAST_CHANGED,UNSUB_TIME,UNSUB_REASON",
        "c001@example.com,2001-01-01 10:00:00,2001-01-01 10:00:00,,2099-01-01 10:00:00,NORMAL",
    )
    told = rekindle("suppressions", "import", path, "-C", begun, "--json").document
    assert told["taken"] == {"suppressed": 1}
    bare = write(begun, "Email Address,OPTIN_TIME", "c001@example.com,2001-01-01 10:00:00")
    told = rekindle("suppressions", "import", bare, "-C", begun, "--json").document
    assert told["taken"] == {"suppressed": 1}
