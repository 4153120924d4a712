"""Who let stopped messages leave: nothing is taken away, an end is added."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from rekindle.gate import Decision, Overrule
from rekindle.journeys import Person
from rekindle.ledger import (
    count_overruled,
    end_overrules,
    load_measured,
    load_overrules,
    models,
    note_overrule,
)
from rekindle.testing.book_contract import START, build_enrolment, build_move, build_version
from rekindle.testing.opened_books import OpenedLedgerBook
from rekindle.vocabulary import Answer

DAY = timedelta(days=1)
MADE = Overrule("lapsed", "ann", "they buy in May", START, START + 9 * DAY, "tier = lapsed", "0")


def test_what_was_ended_lasted_until_then(alias: str) -> None:
    others = replace(MADE, journey="other", step="")
    over = replace(MADE, at=START - 9 * DAY, until=START - DAY)
    for one in (MADE, others, over):
        note_overrule(alias, one)
    assert load_overrules(alias) == [over, MADE, others]
    assert end_overrules(alias, "lapsed", START + DAY, "bob") == 1
    assert load_overrules(alias, "lapsed") == [over, replace(MADE, until=START + DAY)]
    assert end_overrules(alias, "lapsed", START + 2 * DAY, "bob") == 0
    assert load_overrules(alias, "other") == [others]


def test_messages_that_left_by_it_are_counted_and_compared_with_nobody(
    book: OpenedLedgerBook, alias: str
) -> None:
    book.start(build_version())
    book.save_people([Person("alice", "alice@example.com", "GB")])
    entered = build_enrolment("alice")
    book.enrol([entered])
    assert count_overruled(alias, "lapsed") == (0, 0)
    detail = "overruled by ann until 2026-05-01 00:00 UTC: they buy in May; measured: a message"
    move = replace(build_move(entered, decision=Decision(Answer.SEND)), detail=detail)
    assert book.save([move]) == 1
    assert count_overruled(alias, "lapsed") == (0, 0)  # it waits, and may be cancelled yet
    models.Touch.objects.using(alias).update(state="accepted")
    assert count_overruled(alias, "lapsed") == (1, move.cost_micros)
    assert load_measured(alias, "lapsed") == []
