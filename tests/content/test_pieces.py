"""A letter is known in pieces, and what replaces some of its words keeps it so."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rekindle.content import ClickLinks
from rekindle.vocabulary import PiecedText, replace_spans

LINKS = ClickLinks(b"secret", "https://out.example/", "https://shop.example/")
KEY = "0123456789abcdef" * 4
PIECES = st.lists(st.text("ab", max_size=4), min_size=1, max_size=7).filter(lambda p: len(p) % 2)


@given(PIECES, st.lists(st.integers(0, 28), max_size=6), st.text("xy", max_size=2))
def test_the_words_are_those_of_a_plain_text(
    pieces: list[str], places: list[int], words: str
) -> None:
    text = PiecedText.of(pieces)
    found = sorted(min(place, len(text)) for place in places[: len(places) & ~1])
    spans = [(start, end, words) for start, end in zip(found[::2], found[1::2], strict=True)]
    changed = replace_spans(text, spans)
    assert changed == replace_spans(str(text), spans)
    assert isinstance(changed, PiecedText)
    assert "".join(changed.pieces) == changed


def test_what_replaces_words_is_the_texts_own() -> None:
    text = PiecedText.of(["Dear ", "Ann", ", look here: there."])
    changed = replace_spans(text, [(10, 14, "see"), (21, 26, "over"), (26, 26, "!")])
    assert changed == "Dear Ann, see here: over!."
    assert isinstance(changed, PiecedText)
    assert changed.pieces == ["Dear ", "Ann", ", ", "see", " here: ", "over!", "."]


def test_a_letter_whose_links_lead_through_the_portal_stays_in_pieces() -> None:
    begins, ends = "<p>Hello ", ', <a href="https://shop.example/cups">cups</a> wait.</p>'
    parts = {"html": PiecedText.of([begins, "Ann", ends])}
    led = LINKS.wrap(parts, message=KEY, person="ann", channel="email")["html"]
    assert isinstance(led, PiecedText)
    assert led.pieces[:3] == [begins, "Ann", ', <a href="']
    assert led.pieces[3].startswith("https://out.example/c/")
    assert led.pieces[4:] == ['">cups</a> wait.</p>']
