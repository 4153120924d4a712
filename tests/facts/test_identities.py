"""Who is one person after an import: by handles, not by chance, and the same in any order."""

from __future__ import annotations

import itertools
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekindle.errors import SourceError
from rekindle.facts.evidence import BARE_PHONE, PLAIN_ADDRESS, PLAIN_PHONE
from rekindle.identity import normalise_address, normalise_phone
from tests.facts.conftest import ORDERS, Desk

HEAD = "id,who,at,total\n"
CARDS = {
    "name": "crm",
    "table": "customers",
    "path": "c.csv",
    "columns": {"customer_id": "id", "email": "mail", "first_name": "name", "phone": "tel"},
}


def source(name: str, **changes: Any) -> dict[str, Any]:
    return {**CARDS, "name": name, "path": f"{name}.csv", **changes}


def cards(desk: Desk, name: str, *rows: str) -> None:
    desk.write(f"{name}.csv", "id,mail,name,tel\n" + "".join(f"{row}\n" for row in rows))


def persons(desk: Desk) -> dict[str, str]:
    """Return order to the person it is of."""
    return {one["order_id"]: one["customer_id"] for one in desk.rows("orders")}


def bought(desk: Desk, *ids: str) -> dict[str, Any]:
    rows = "".join(f"{number},{id_},2024-01-0{number},5\n" for number, id_ in enumerate(ids, 1))
    desk.write("orders.csv", HEAD + rows)
    return ORDERS


@pytest.mark.long
def test_a_smaller_id_that_turns_up_later_changes_nothing(desk: Desk) -> None:
    cards(desk, "crm", "9876,ada@x.example,Ada,")
    desk.bring(bought(desk, "9876", "10234"), source("crm"))
    cards(desk, "crm", "9876,ada@x.example,Ada,", "10234,Ada@X.example,Ada,")
    desk.bring()
    assert set(persons(desk).values()) == {"9876"}


def test_a_family_with_one_mailbox_stays_two_buyers(desk: Desk) -> None:
    cards(desk, "crm", "1,king@x.example,Ada,", "2,king@x.example,Bob,")
    desk.bring(bought(desk, "1", "2"), source("crm"))
    assert persons(desk) == {"1": "1", "2": "2"}


@pytest.mark.long
def test_one_number_in_two_spellings_is_one_person(desk: Desk) -> None:
    cards(desk, "crm", "1,,Ada,+44 20 7183 8750", "2,,Ada,00 44 (0)20 7183-8750")
    columns = {**CARDS["columns"], "country": "land"}  # type: ignore[dict-item]
    desk.write(
        "crm.csv",
        "id,mail,name,tel,land\n1,,Ada,+44 20 7183 8750,GB\n2,,Ada,020 7183-8750,GB\n",
    )
    desk.bring(bought(desk, "1", "2"), source("crm", columns=columns))
    assert set(persons(desk).values()) == {"1"}


@pytest.mark.long
@pytest.mark.draws(2)
@pytest.mark.parametrize(
    "word", ["none@shop", "n/a", "NULL", "noreply@shop.example", "\u200b", "-"]
)
def test_a_placeholder_joins_nobody(desk: Desk, word: str) -> None:
    cards(desk, "crm", f"1,{word},,", f"2,{word},,")
    desk.bring(bought(desk, "1", "2"), source("crm"))
    assert persons(desk) == {"1": "1", "2": "2"}


@pytest.mark.long
def test_a_mailbox_of_half_the_shop_joins_nobody_and_is_told(desk: Desk) -> None:
    cards(desk, "crm", *(f"{number},till@shop.example,," for number in range(1, 10)))
    found = desk.bring(bought(desk, *map(str, range(1, 10))), source("crm"))
    assert len(set(persons(desk).values())) == 9
    assert "till@shop.example (email) is of 9 people" in found[-1].notes[0]


@pytest.mark.parametrize("word", ["0", "null", "Guest", "n/a", " \ufeff"])
def test_an_order_of_nobody_is_of_no_customer(desk: Desk, word: str) -> None:
    desk.bring(bought(desk, word, "2"))
    assert persons(desk) == {"1": None, "2": "2"}


def test_a_card_of_nobody_is_refused(desk: Desk) -> None:
    cards(desk, "crm", "null,a@x.example,Ada,", "2,b@x.example,Bob,")
    assert desk.bring(source("crm"))[0].reasons == {"missing_customer_id": 1}


@pytest.mark.long
def test_equal_ids_of_two_systems_are_two_people(desk: Desk) -> None:
    cards(desk, "store", "17,ada@x.example,Ada,")
    cards(desk, "till", "17,bob@x.example,Bob,")
    found = desk.bring(source("store"), source("till"))
    assert {(one["customer_id"], one["email"]) for one in desk.rows("customers")} == {
        ("17", "ada@x.example"),
        ("till:17", "bob@x.example"),
    }
    assert 'ids = "own"' in found[-1].notes[0]
    before = desk.lake.versions()["customers"]
    desk.bring()
    assert desk.lake.versions()["customers"] == before


@pytest.mark.long
def test_orders_with_addresses_of_two_tills_are_of_two_people(desk: Desk) -> None:
    columns = {**ORDERS["columns"], "email": "mail", "first_name": "name"}  # type: ignore[dict-item]
    for name, who in (("north", "ada"), ("south", "bob")):
        desk.write(
            f"{name}.csv", f"id,who,at,total,mail,name\n1,17,2024-01-01,5,{who}@x.example,{who}\n"
        )
    north = {**ORDERS, "name": "north", "path": "north.csv", "columns": columns}
    desk.bring(north, {**north, "name": "south", "path": "south.csv"})
    assert {one["source"]: one["customer_id"] for one in desk.rows("orders")} == {
        "north": "17",
        "south": "south:17",
    }


@pytest.mark.long
def test_ids_of_its_own_are_nobody_elses(desk: Desk) -> None:
    cards(desk, "till", "17,,,")
    desk.bring(bought(desk, "17"), source("till", ids="own"))
    assert persons(desk) == {"1": "17"}
    assert [one["customer_id"] for one in desk.rows("customers")] == ["till:17"]


@pytest.mark.long
def test_ids_with_colons_of_two_systems_never_meet(desk: Desk) -> None:
    cards(desk, "till", "17,a@x.example,Ada,", ":17,d@x.example,Dan,")
    cards(desk, "crm", "till:17,b@x.example,Bob,", ":till:17,c@x.example,Cleo,", "x:17,,,")
    found = (bought(desk, "till:17", "17"), source("till", ids="own"), source("crm"))
    for sources in itertools.permutations(found):
        desk.bring(*sources)
        assert {(one["customer_id"], one["first_name"]) for one in desk.rows("customers")} == {
            ("till:17", "Ada"),
            ("till::17", "Dan"),
            (":till:17", "Bob"),
            ("::till:17", "Cleo"),
            ("x:17", None),
        }
        assert persons(desk) == {"1": ":till:17", "2": "17"}


@pytest.mark.long
def test_ids_that_a_source_was_parted_by_are_nobody_elses(desk: Desk) -> None:
    cards(desk, "store", "17,ada@x.example,Ada,", "till:17,eve@x.example,Eve,")
    cards(desk, "till", "17,bob@x.example,Bob,")
    desk.bring(source("store"), source("till"))
    known = {(one["customer_id"], one["first_name"]) for one in desk.rows("customers")}
    assert known == {("17", "Ada"), (":till:17", "Eve"), ("till:17", "Bob")}


@pytest.mark.long
def test_a_word_of_ids_is_no_other_sources_name(desk: Desk) -> None:
    cards(desk, "till", "17,,,")
    cards(desk, "crm", "17,,,")
    with pytest.raises(SourceError, match='ids = "till" is the name of a source'):
        desk.bring(source("till"), source("crm", ids="till"))
    desk.bring(source("till", ids="own"), source("crm", ids="till"))
    assert {one["customer_id"] for one in desk.rows("customers")} == {"till:17"}


@pytest.mark.long
def test_the_same_person_in_two_systems_stays_one(desk: Desk) -> None:
    cards(desk, "store", "17,ada@x.example,Ada,")
    cards(desk, "till", "17,ada@home.example,Ada,")
    desk.bring(source("store"), source("till"))
    assert {one["customer_id"] for one in desk.rows("customers")} == {"17"}


@pytest.mark.long
@pytest.mark.draws(2)
@pytest.mark.parametrize("order", [*itertools.permutations(["one", "two", "three"])])
def test_the_order_of_sources_does_not_matter(desk: Desk, order: tuple[str, ...]) -> None:
    cards(desk, "one", "1,ada@x.example,Ada,+442071838750")
    cards(desk, "two", "2,ada@x.example,,", "3,king@x.example,Bob,")
    cards(desk, "three", "4,king@x.example,Ada,", "5,,Ada,+442071838750")
    sources = {name: source(name) for name in order}
    for name in order:
        desk.bring(sources[name])
    desk.bring(bought(desk, "1", "2", "3", "4", "5"), *sources.values())
    found = persons(desk)
    assert found["1"] == found["2"] == found["5"]
    assert len({found["1"], found["3"], found["4"]}) == 3


@pytest.mark.long
def test_somebody_who_moved_stays_who_they_were(desk: Desk) -> None:
    cards(desk, "crm", "1,ada@x.example,Ada,", "2,ada@x.example,Ada,")
    desk.bring(bought(desk, "1", "2"), source("crm"))
    cards(desk, "crm", "1,ada@x.example,Ada,", "2,ada@new.example,Ada,")
    desk.bring()
    assert set(persons(desk).values()) == {"1"}


@pytest.mark.long
def test_a_mailbox_that_turns_out_to_be_shared_parts_its_people(desk: Desk) -> None:
    cards(desk, "crm", "1,king@x.example,,", "2,king@x.example,Ada,")
    desk.bring(bought(desk, "1", "2"), source("crm"))
    assert set(persons(desk).values()) == {"1"}
    cards(desk, "crm", "1,king@x.example,Bob,", "2,king@x.example,Ada,")
    desk.bring()
    assert persons(desk) == {"1": "1", "2": "2"}


@pytest.mark.long
@given(st.emails() | st.text(min_size=1, max_size=30))
def test_the_engine_spells_plain_addresses_as_the_one_function_does(text: str) -> None:
    query = (
        f"select rtrim(lower(email), '.') from (select ?::varchar as email) where {PLAIN_ADDRESS}"
    )
    if "\x00" not in text and text.isprintable():
        for (spelled,) in duckdb.execute(query, [text]).fetchall():
            assert spelled == normalise_address(text)


@pytest.mark.long
@given(st.from_regex(r"\+?[0-9 ().\-/]{5,18}", fullmatch=True))
def test_the_engine_spells_plain_numbers_as_the_one_function_does(text: str) -> None:
    query = f"select {BARE_PHONE} from (select ?::varchar as phone) where {PLAIN_PHONE}"
    for (spelled,) in duckdb.execute(query, [text]).fetchall():
        assert spelled == normalise_phone(text)


def test_what_a_guest_ordered_is_of_whoever_has_their_address(desk: Desk) -> None:
    head, columns = "id,who,at,total,mail\n", {"email": "mail"}
    rows = [
        "1,7,2024-01-01,5,Ann@shop.example",
        "2,,2024-01-02,6, ann@shop.example",
        "3,0,2024-01-03,7,bob@shop.example",
        "4,,2024-01-04,8,noreply@shop.example",
        "5,,2024-01-05,9,",
        *(f"{n},,2024-01-06,1,till@shop.example" for n in range(10, 111)),
    ]
    result = desk.orders(head + "\n".join(rows) + "\n", columns=columns)
    assert result.anonymous == 103
    assert "orders.csv: 2 orders without a customer number: taken by the e-mail address" in (
        result.notes
    )
    assert any("102 orders without a customer number: nobody's" in one for one in result.notes)
    found = persons(desk)
    assert found["1"] == found["2"]
    assert found["3"] == "bob@shop.example"
    assert not found["4"]
    assert not found["5"]


@pytest.mark.long
def test_lines_of_an_order_that_names_its_customer_once_are_no_guests(desk: Desk) -> None:
    head, columns = "id,who,at,sku,qty,price,mail\n", {"email": "mail"}
    rows = ["1,7,2024-01-01,p,1,5,ann@shop.example", "1,,2024-01-01,q,1,6,ann@shop.example",
            "2,,2024-01-02,p,1,5,bob@shop.example", "2,,2024-01-02,q,1,6,"]  # fmt: skip
    desk.lines(head + "\n".join(rows) + "\n", columns=columns)
    assert persons(desk) == {"1": "7", "2": "bob@shop.example"}
