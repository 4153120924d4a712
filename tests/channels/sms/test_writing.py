"""What is written, how many segments it takes, and what that costs."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

import pytest
import smsutil

from rekindle.channels import build_outlet, find_channel
from rekindle.channels.sms.settings import SmsSettings
from rekindle.channels.sms.writing import count_segments, dialled, fold, write_text
from rekindle.errors import MalformedAddressError, RefusedContentError
from rekindle.messages import Links
from rekindle.vocabulary import Purpose
from tests.channels.sms.texting import LINK, build_text

STOP = "Reply STOP to opt out"
POOLS = ("abcXYZ 12@£\n", "€^{}[]~|\\\f", "áя漢ع", "😀👍🏽👨‍👩‍👧", "אבגדה", "שלום ")
LENGTHS = (0, 1, 66, 67, 68, 70, 71, 133, 134, 135, 152, 153, 154, 160, 161, 305, 306, 307, 460)


@pytest.mark.long
def test_segments_are_counted_as_an_independent_counter_does() -> None:
    rolls = random.Random(20260302)
    for _ in range(3000):
        pools = rolls.sample(POOLS, rolls.randint(1, 3))
        text = "".join(rolls.choice(rolls.choice(pools)) for _ in range(rolls.choice(LENGTHS)))
        assert count_segments(text) == len(smsutil.split(text).parts), text


# 3GPP TS 23.038, 6.2.1: 160 characters, or 153 with a header; twice that for the extension.
@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 153, 3),  # an escape and what it escapes are not parted
        ("я" * 70, 1),
        ("я" * 71, 2),
        ("😀" * 35, 1),
        ("я" * 66 + "😀" + "я" * 66, 3),  # nor are the halves of a character
        ("ש" * 134, 2),
    ],
)
def test_a_text_is_cut_at_the_edges_of_the_standard(text: str, segments: int) -> None:
    assert count_segments(text) == segments


def test_plain_quotes_are_written_where_they_are_cheaper_and_nowhere_else() -> None:
    quoted = "Ann’s size – “43” – is back… " * 5
    assert count_segments(quoted) == 3
    assert fold(quoted) == 'Ann\'s size - "43" - is back... ' * 5
    assert fold("Ann’s") == "Ann’s"  # one segment either way
    assert fold("Привет – " * 20) == "Привет – " * 20
    settings = SmsSettings(plain_punctuation=False, stop_text="STOP?")
    assert "’" in write_text(build_text(quoted), settings)


@pytest.mark.parametrize(
    ("text", "stop_text", "written"),
    [
        ("Back!", STOP, f"Back!\n{STOP}"),
        (f"Back! {STOP}", STOP, f"Back! {STOP}"),
        (f"Back! {LINK}", STOP, f"Back! {LINK}"),
        ("Back!", "Opt out: {link}", f"Back!\nOpt out: {LINK}"),
        ("Do not stop shopping", STOP, f"Do not stop shopping\n{STOP}"),
    ],
)
def test_every_marketing_text_tells_how_to_stop(text: str, stop_text: str, written: str) -> None:
    assert write_text(build_text(text), SmsSettings(stop_text=stop_text)) == written


def test_a_receipt_says_what_its_template_says() -> None:
    message = build_text("Your order is on its way.", purpose=Purpose.TRANSACTIONAL, links=Links())
    assert write_text(message, SmsSettings()) == "Your order is on its way."


@pytest.mark.parametrize("text", ["", " \n "])
def test_nothing_to_say_is_not_said(text: str) -> None:
    with pytest.raises(RefusedContentError):
        write_text(build_text(text), SmsSettings())


def test_a_text_costs_its_segments_and_never_more_than_was_set_aside() -> None:
    folder = find_channel("sms")
    assert folder.price is not None
    settings = SmsSettings(cost=Decimal("0.04"), max_segments=3)
    assert settings.highest_cost == Decimal("0.12")
    for length, cost in ((100, "0.04"), (200, "0.08"), (2000, "0.12"), (0, "0.04")):
        assert folder.price(settings, build_text("a" * length)) == Decimal(cost)


def test_a_text_too_long_is_refused_before_anybody_is_asked(tmp_path: Path) -> None:
    outlet = build_outlet("sms_folder", SmsSettings(max_segments=2), base=tmp_path, secrets={})
    with pytest.raises(RefusedContentError, match=r"takes 3 segments .* is 2"):
        outlet.send(build_text("a" * 300))
    assert not (tmp_path / "state").exists()


def test_the_folder_holds_one_file_a_text(tmp_path: Path) -> None:
    outlet = build_outlet("sms_folder", SmsSettings(), base=tmp_path, secrets={})
    message = build_text("Ann 😀")
    assert outlet.send(message) == outlet.send(message)
    (file,) = (tmp_path / "state" / "sms").iterdir()
    assert file.read_text(encoding="utf-8") == (
        f"To: +442079460018\nSegments: 1\nUntil: 2026-03-02T20:30:00+00:00\n\nAnn 😀\n{STOP}\n"
    )


@pytest.mark.parametrize(
    ("card", "number"),
    [
        ("+44 (20) 7946-0018", "+442079460018"),
        ("0044 20.7946/0018", "+442079460018"),
        ("+44 (0)20 7946 0018", "+442079460018"),
        ("+290 22222", "+29022222"),
    ],
)
def test_a_number_is_dialled_with_its_country(card: str, number: str) -> None:
    assert dialled(card) == number


@pytest.mark.parametrize("card", ["020 7946 0018", "+0 20 7946 0018", "+44", "call me", "+44x18"])
def test_a_number_without_a_country_is_nobodys(card: str) -> None:
    with pytest.raises(MalformedAddressError):
        dialled(card)
