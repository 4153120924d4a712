"""What a new workspace begins with can be sent as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rekindle.content import MARKETING_VARIABLES, Templates, load_templates, starter_templates
from rekindle.journeys import parse_journey, starter_journeys

NAMES = (
    "basket-question",
    "basket-reminder",
    "check-in",
    "confirm-consent",
    "new-arrivals",
    "nudge",
    "second-chance",
    "stay-in-touch",
    "welcome-back",
)


@pytest.fixture
def starters(tmp_path: Path) -> Templates:
    for name, text in starter_templates().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return load_templates(tmp_path)


def test_every_starter_is_known_here(starters: Templates) -> None:
    assert starters.names == NAMES


def test_every_starter_journey_finds_its_templates(starters: Templates) -> None:
    journeys = [parse_journey(text) for text in starter_journeys().values()]
    assert {send.template for journey in journeys for send in journey.sends} == set(starters.names)


@pytest.mark.parametrize("name", NAMES)
def test_a_starter_may_be_sent_as_marketing(starters: Templates, name: str) -> None:
    starters.check(name, required=MARKETING_VARIABLES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("first_name", ["Alice", ""])
def test_a_starter_reads_well_with_and_without_a_name(
    starters: Templates, alice: dict[str, Any], name: str, first_name: str
) -> None:
    rendered = starters.render(name, {**alice, "first_name": first_name})
    for words in (rendered.subject, rendered.text):
        assert " ," not in words
        assert " ." not in words
        assert "  " not in words
    assert ("Alice" in rendered.text) == bool(first_name)


@pytest.mark.parametrize("name", NAMES)
def test_both_parts_of_a_starter_show_sender_and_way_out(
    starters: Templates, alice: dict[str, Any], name: str
) -> None:
    rendered = starters.render(name, alice)
    assert "Unsubscribe (https://portal.example.com/u/token?a=1&b=2)" in rendered.text
    assert 'href="https://portal.example.com/u/token?a=1&amp;b=2"' in rendered.html
    assert "1 High Street, Leeds LS1 1AA" in rendered.text
    assert "1 High Street, Leeds LS1 1AA" in rendered.html
    assert '<html lang="en"' in rendered.html
