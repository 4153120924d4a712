"""Who is one person follows from the evidence, and not from the order it came in."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.identity import (
    MOST_PEOPLE,
    Evidence,
    Handle,
    HandleKind,
    JoinReason,
    Name,
    decide_change,
    find_groups,
    is_nobody,
    normalise_phone,
)

ADA, ADAM, BOB = Name("Ada", "King"), Name("Adam", "King"), Name("Bob", "King")
MAIL, PHONE = Handle(HandleKind.EMAIL, "king@example.org"), Handle(HandleKind.PHONE, "+44207")


def groups(evidence: Evidence) -> list[list[str]]:
    return sorted(map(list, find_groups(evidence).groups))


def test_ids_with_one_address_are_one_person() -> None:
    assert groups(Evidence({MAIL: ["2", "1", "2"]}, {"1": ADA})) == [["1", "2"]]


def test_handles_of_different_kinds_meet_in_one_person() -> None:
    assert groups(Evidence({MAIL: ["1", "2"], PHONE: ["2", "3"]})) == [["1", "2", "3"]]


def test_a_family_with_one_mailbox_is_several_buyers() -> None:
    """Whose the nameless id is, nobody knows."""
    names = {"1": ADA, "2": BOB, "3": ADAM}
    assert groups(Evidence({MAIL: ["1", "2", "3", "4"]}, names)) == [["1", "3"]]


def test_a_nameless_id_does_not_bring_two_together() -> None:
    names = {"1": ADA, "3": BOB}
    found = groups(Evidence({MAIL: ["1", "2"], PHONE: ["2", "3"]}, names))
    assert len(found) == 1
    assert not {"1", "3"} <= set(found[0])


def test_a_mailbox_of_half_the_shop_joins_nobody() -> None:
    ids = [str(number) for number in range(MOST_PEOPLE + 1)]
    found = find_groups(Evidence({MAIL: ids}))
    assert not found.groups
    assert [(one.handle, one.people) for one in found.shared] == [(MAIL, MOST_PEOPLE + 1)]


def test_somebody_who_always_checks_out_as_a_guest_stays_one() -> None:
    ids = [str(number) for number in range(50)]
    assert len(groups(Evidence({MAIL: ids}, dict.fromkeys(ids, ADA)))[0]) == 50


def test_what_somebody_said_stands_against_initials_and_a_no_against_handles() -> None:
    names = {"1": ADA, "2": BOB}
    told = {("1", "2"): JoinReason.BY_HAND}
    assert groups(Evidence({}, names, told)) == [["1", "2"]]
    assert groups(Evidence({MAIL: ["1", "2"]}, {}, {}, [("2", "1")])) == []
    assert groups(Evidence({MAIL: ["1", "2"]}, names, {("1", "2"): JoinReason.EARLIER})) == []


IDS = st.sampled_from("abcdefgh")
CLAIMS = st.lists(st.tuples(st.sampled_from([MAIL, PHONE, Handle(HandleKind.LOYALTY, "7")]), IDS))
NAMES = st.dictionaries(IDS, st.sampled_from([ADA, BOB, ADAM, Name()]))
PAIRS = st.lists(st.tuples(IDS, IDS), max_size=2)


def imported(parts: list[list[tuple[Handle, str]]], evidence: Evidence) -> dict[str, str]:
    """Return id to person after imports that bring the claims part by part."""
    known: dict[str, str] = {}
    claims: defaultdict[Handle, list[str]] = defaultdict(list)
    first: dict[str, int] = {}
    for number, part in enumerate(parts):
        for handle, id_ in part:
            claims[handle].append(id_)
            first.setdefault(id_, number)
        so_far = Evidence(claims, evidence.names, evidence.together, evidence.apart)
        change = decide_change(
            find_groups(so_far), known, rank=lambda id_: (first.get(id_, 99), id_)
        )
        known = {id_: person for id_, person in known.items() if id_ not in change.splits}
        for link in change.links:
            assert known.get(link.kept, link.kept) == link.kept
            known = {i: link.kept if p == link.gone else p for i, p in known.items()}
            known[link.gone] = link.kept
    return known


def partition(known: dict[str, str]) -> set[frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for id_ in "abcdefgh":
        found[known.get(id_, id_)].add(id_)
    return {frozenset(ids) for ids in found.values()}


@pytest.mark.long
@settings(max_examples=300)
@given(CLAIMS, NAMES, PAIRS, st.randoms(use_true_random=False), st.integers(1, 5))
def test_the_order_of_imports_matters_to_nobody(
    claims: list[tuple[Handle, str]],
    names: dict[str, Name],
    apart: list[tuple[str, str]],
    chance: random.Random,
    parts: int,
) -> None:
    evidence = Evidence(names=names, apart=[pair for pair in apart if pair[0] != pair[1]])
    at_once = partition(imported([claims], evidence))
    shuffled = chance.sample(claims, len(claims))
    in_parts = [shuffled[number::parts] for number in range(parts)]
    assert partition(imported(in_parts, evidence)) == at_once


def test_who_was_there_first_keeps_the_id() -> None:
    """A smaller id that turns up later changes nothing."""
    known = imported([[(MAIL, "b")], [(MAIL, "a")]], Evidence())
    assert known == {"a": "b"}


def test_a_second_import_of_the_same_changes_nothing() -> None:
    found = find_groups(Evidence({MAIL: ["a", "b", "c"]}))
    change = decide_change(found, {"a": "b", "c": "b"}, rank=lambda id_: (id_,))
    assert not change.links
    assert not change.splits


NOBODY = (
    "n/a", "none@shop", "null@x.org", "noreply@shop.example", "guest@shop.example", "@", "a@",
    "nobody@nowhere.invalid", "x@localhost",
)  # fmt: skip


@pytest.mark.parametrize("value", NOBODY)
def test_a_stand_in_is_nobody(value: str) -> None:
    assert is_nobody(Handle(HandleKind.EMAIL, value))


@pytest.mark.parametrize("value", ["ada@example.org", "nono@example.org", "xavier@none.example"])
def test_an_address_is_somebody(value: str) -> None:
    assert not is_nobody(Handle(HandleKind.EMAIL, value))


@pytest.mark.parametrize("number", ["+440000000000", "+441234567890", "+49111111111"])
def test_a_made_up_number_is_nobody(number: str) -> None:
    assert is_nobody(Handle(HandleKind.PHONE, number))


def test_numbers_have_one_spelling() -> None:
    ways = ("+44 20 7183 8750", "+44 (0)20 7183 8750", "0044 20 7183 8750", "020-7183.8750")
    assert {normalise_phone(way, "GB") for way in ways} == {"+442071838750"}
    assert not is_nobody(Handle(HandleKind.PHONE, "+442071838750"))
    assert normalise_phone("020 7183 8750") == normalise_phone("12", "GB") == ""


@pytest.mark.parametrize(
    ("first", "parted", "other"), [("k", "a", "b"), ("a", "k", "b"), ("b", "a", "k")]
)
def test_who_is_parted_takes_nobody_along_however_ids_are_spelled(
    first: str, parted: str, other: str
) -> None:
    evidence = Evidence({MAIL: [first, parted, other]}, apart=[(parted, first)])
    order = [first, parted, other]
    found = find_groups(evidence, rank=lambda id_: (order.index(id_), id_))
    assert [set(group) for group in found.groups] == [{first, other}]
