"""The words for an order's state are known by system and language; others are named."""

from __future__ import annotations

import pytest

from rekindle.facts.folding import sort_states
from rekindle.vocabulary import OrderState
from tests.facts.conftest import Desk

STATES = {
    OrderState.PURCHASE: "paid Completed wc-processing Fulfilled bezahlt livré Entregado Spedito "
    "Verzonden Payment_accepted Shipped authorized",
    OrderState.CANCELLED: "voided Storniert annulé wc-cancelled Order_Cancelled CANCELED "
    "geannuleerd Annullato Bestellung_wurde_storniert",
    OrderState.PENDING: "failed declined Payment_error Denied Not_Paid expired draft "
    "checkout-draft on-hold pending offen Awaiting_bank_wire_payment test Payment_failed_(3DS)",
    OrderState.REFUNDED: "Refunded erstattet Remboursé wc-refunded Shipped_-_Returned_to_Seller",
    OrderState.PART_REFUNDED: "partially_refunded Partially_Refunded teilweise_erstattet",
    OrderState.REFUND: "Refund Gutschrift remboursement",
}


@pytest.mark.parametrize("state", STATES)
def test_states_are_understood(state: OrderState) -> None:
    words = [word.replace("_", " ") for word in STATES[state].split()]
    assert sort_states(dict.fromkeys(words, 1), {}).meanings == dict.fromkeys(words, state)


def test_the_words_of_a_source_win() -> None:
    found = sort_states({"Closed": 2, "im Ofen": 1}, {"closed": OrderState.REFUNDED})
    assert found.meanings == {"Closed": OrderState.REFUNDED}
    assert found.unknown == {"im Ofen": 1}


def test_numbers_of_a_system_are_no_words() -> None:
    assert sort_states({"1": 1, "0": 1}, {}).unknown == {}
    assert sort_states({"1": 1, "2": 1, "6": 1}, {}).unknown == {"1": 1, "2": 1, "6": 1}


@pytest.mark.long
def test_an_unknown_state_is_a_purchase_and_is_named_with_its_count(desk: Desk) -> None:
    text = "id,who,at,total,state\n1,a,2024-01-01,5,im Ofen\n2,b,2024-01-02,5,im Ofen\n"
    text += "3,c,2024-01-02,5,wurde storniert\n"
    result = desk.orders(text, columns={"status": "state"})
    assert "'im Ofen' (2) is no state" in result.notes[0]
    assert "'wurde storniert' (1) is taken as the state cancelled" in result.notes[1]
    assert [order["kind"] for order in desk.rows("orders")].count("purchase") == 2
    result = desk.orders(text, columns={"status": "state"}, states={"im ofen": "pending"})
    assert not [note for note in result.notes if "im Ofen" in note]
    assert [order["kind"] for order in desk.rows("orders")].count("pending") == 2
