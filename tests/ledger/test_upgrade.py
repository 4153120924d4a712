"""A ledger of the first layout keeps everything it held when it is brought up to date."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections

from rekindle.ledger import connect, disconnect, migrate

AT = "'2026-03-02 09:00:00+00:00'"
FIRST_LAYOUT = f"""
INSERT INTO ledger_person (id, address, properties) VALUES ('alice', 'a@example.com', '{{}}');
INSERT INTO ledger_person (id, properties) VALUES ('bob', '{{}}');
INSERT INTO ledger_consent (person_id, channel, granted, at, source)
    VALUES ('alice', 'email', true, {AT}, 'form');
INSERT INTO ledger_suppression (channel, address_hash, person_id, reason, at)
    VALUES ('email', 'abc', 'bob', 'bounce', {AT});
INSERT INTO ledger_signal (person_id, kind, at, key, recorded_at)
    VALUES ('bob', 'order', {AT}, 'order-1', {AT});
INSERT INTO ledger_journeyversion
    (name, version, text, definition, holdout_share, salt, started_at, is_running)
    VALUES ('lapsed', 1, 'journey: lapsed', '{{"steps": [
        {{"key": "0", "template": "check-in"}}, {{"key": "1", "duration": "P5D"}},
        {{"key": "2", "template": "check-in"}}]}}', 0.2, 'salt', {AT}, true);
INSERT INTO ledger_assignment (person_id, journey, arm, assigned_at, version)
    VALUES ('alice', 'lapsed', 'treatment', {AT}, 1);
INSERT INTO ledger_enrolment (id, person_id, journey, version, rotation, arm, entered_at,
    position, ready_at, due_at) VALUES
    (1, 'alice', 'lapsed', 1, 0, 'treatment', {AT}, 2, {AT}, {AT}),
    (2, 'bob', 'lapsed', 1, 0, 'holdout', {AT}, 2, {AT}, {AT});
INSERT INTO ledger_decision (enrolment_id, step, at, answer, is_ghost)
    VALUES (1, '0', {AT}, 'send', false), (2, '2', {AT}, 'skip', true);
INSERT INTO ledger_touch (id, enrolment_id, person_id, version, step, channel, at, is_ghost,
    is_marketing) VALUES
    (1, 1, 'alice', 1, '0', 'email', {AT}, false, true),
    (2, 2, 'bob', 1, '2', 'email', {AT}, true, true);
INSERT INTO ledger_message (touch_id, channel, template, state, not_before, expires_at,
    lease_until, leased_by, attempts, created_at, cost_micros)
    VALUES (1, 'email', 'check-in', 'sending', {AT}, {AT}, {AT}, 'worker', 1, {AT}, 1000)
"""


@pytest.fixture(params=["sqlite", "postgres"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the alias of a ledger of the first layout with a row in every table."""
    url = "sqlite:///old.sqlite3"
    if request.param == "postgres":
        url = str(request.getfixturevalue("postgres_url"))
        with connections[connect(url, base=tmp_path)].cursor() as cursor:
            cursor.execute("DROP DATABASE IF EXISTS upgraded")
            cursor.execute("CREATE DATABASE upgraded")
        url = url.replace("/postgres?", "/upgraded?")
    alias = connect(url, base=tmp_path)
    call_command("migrate", "ledger", "0001", database=alias, verbosity=0)
    with connections[alias].cursor() as cursor:
        for statement in FIRST_LAYOUT.split(";\n"):
            cursor.execute(statement)
    yield alias
    disconnect(alias)


def _rows(alias: str, query: str) -> list[tuple[object, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


@pytest.mark.long
@pytest.mark.draws(1)
def test_messages_and_ghosts_become_touches(old: str) -> None:
    migrate(old)
    found = _rows(old, "SELECT step, state, template, leased_by, cost_micros FROM ledger_touch")
    assert sorted(found) == [
        ("check-in", "sending", "check-in", "worker", 1000),
        ("check-in#2", "ghost", "", "", 0),
    ]


@pytest.mark.long
@pytest.mark.draws(1)
def test_steps_take_the_names_they_have_now(old: str) -> None:
    migrate(old)
    assert sorted(_rows(old, "SELECT enrolment_id, step FROM ledger_decision")) == [
        (1, "check-in"),
        (2, "check-in#2"),
    ]


@pytest.mark.long
@pytest.mark.draws(1)
def test_people_are_divided_into_lanes(old: str) -> None:
    migrate(old)
    lanes = _rows(old, "SELECT enrolment_id, lane, position FROM ledger_place ORDER BY 1")
    assert lanes == [(1, 7, 2), (2, 0, 2)]
    assert _rows(old, "SELECT count(*) FROM ledger_lane") == [(64,)]


@pytest.mark.draws(1)
def test_running_journey_goes_on(old: str) -> None:
    migrate(old)
    assert _rows(old, "SELECT name, state FROM ledger_journey") == [("lapsed", "running")]


@pytest.mark.long
@pytest.mark.draws(1)
def test_cards_say_what_else_is_on_file(old: str) -> None:
    migrate(old)
    cards = _rows(old, "SELECT id, statements, is_noted FROM ledger_person ORDER BY 1")
    assert [(who, marks, bool(noted)) for who, marks, noted in cards] == [
        ("alice", "email+", False),
        ("bob", "", True),
    ]


@pytest.mark.long
@pytest.mark.draws(1)
def test_suppressions_of_earlier_releases_bind_marketing_as_before(old: str) -> None:
    with connections[old].cursor() as cursor:
        cursor.execute(f"""
            INSERT INTO ledger_suppression (channel, address_hash, person_id, reason, at) VALUES
            ('email', 'abc', 'alice', 'opt_out', {AT}), ('email', '', 'bob', 'complaint', {AT}),
            ('email', 'def', 'alice', 'asked by phone', {AT})""")
    migrate(old)
    query = "SELECT person_id, channel, purpose, reason FROM ledger_suppression ORDER BY 1, 4"
    assert _rows(old, query) == [
        ("alice", "email", "*", "asked by phone"),
        ("alice", "*", "marketing", "opt_out"),
        ("bob", "email", "*", "bounce"),
        ("bob", "*", "marketing", "complaint"),
    ]


@pytest.mark.long
@pytest.mark.draws(1)
def test_stays_on_record_are_one_purchase_whatever_start_they_had(old: str) -> None:
    call_command("migrate", "ledger", "0041", database=old, verbosity=0)
    told = [("s1@100", "bob"), ("s1@200", "bob"), ("a@b@300", "bob"), ("s1@100", "alice")]
    with connections[old].cursor() as cursor:
        for start, person in [*told, ("", "bob")]:
            subject = f"subscription:{start}" if start else "o1"
            key = f"order:{json.dumps(['club', subject, person])}"
            cursor.execute(
                "INSERT INTO ledger_signal (person_id, kind, at, key, recorded_at, source, subject)"
                f" VALUES (%s, 'order', {AT}, %s, {AT}, 'club', %s)",
                [person, key, subject],
            )
    migrate(old)
    query = "SELECT subject, key, is_void FROM ledger_signal WHERE source = 'club' ORDER BY id"
    found = [(s, json.loads(str(key)[6:]), bool(is_void)) for s, key, is_void in _rows(old, query)]
    assert [(subject, key[2], void) for subject, key, void in found] == [
        ("subscription:s1@100", "bob", True),
        ("subscription:s1@1", "bob", False),
        ("subscription:a@b@1", "bob", False),
        ("subscription:s1@1", "alice", False),
        ("o1", "bob", False),
    ]
    assert all(key[:2] == ["club", subject] for subject, key, _ in found)
