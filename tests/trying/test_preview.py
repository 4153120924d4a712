"""A preview shows what would be sent, to people as different as they are, and sends nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from rekindle.errors import UsageError
from rekindle.worker import save_preview, write_letters
from rekindle.worker.trying.pictures import Pane, Shot, find_browser, take_pictures
from tests.runtime.shops import NOW, Team, set_key

HOSTILE = "</iframe><script>alert(1)</script>"


@pytest.fixture
def shop(team: Team) -> Team:
    set_key(team.folder, "url", '"https://shop.example/"')
    return Team.at_work(team.folder)


@pytest.mark.long
def test_every_message_is_shown_to_real_people_and_to_those_who_differ(
    shop: Team, tmp_path: Path
) -> None:
    space = shop.workspace
    letters = write_letters(space, space.journey("calm"), NOW)
    assert {one.step for one in letters} == {"check-in", "new-arrivals", "nudge"}
    labels = [one.reader.label for one in letters if one.number == 1]
    assert labels[2:] == [
        "no name",
        "written from right to left",
        "a name of 10,000 letters",
        "no history",
    ]
    assert not [one.trouble for one in letters if one.trouble]
    assert all(len(one.parts["subject"]) < 100 for one in letters)
    saved = save_preview(letters, tmp_path, title=HOSTILE, at=NOW, with_pictures=False)
    page = saved.index.read_text(encoding="utf-8")
    assert HOSTILE not in page
    assert page.count("<iframe") == 3 * len(letters)
    assert page.count("sandbox") == 3 * len(letters)
    for ending in (".html", ".dark.html", ".txt"):
        assert len(list(tmp_path.glob(f"[0-9]*{ending}"))) >= len(letters)
    dark = next(tmp_path.glob("01-*.dark.html")).read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" not in dark
    assert "@media (min-width: 0)" in dark


def test_nobody_can_be_unsubscribed_by_a_preview_and_nothing_is_written(shop: Team) -> None:
    space = shop.workspace
    letters = write_letters(space, space.journey("few"), NOW, customer="c001")
    assert letters[0].reader.person == "c001"
    assert "/u/a-preview-leads-nowhere" in letters[0].parts["html"]
    assert not space.history.messages_of("few")


def test_a_journey_that_reaches_nobody_is_shown_to_those_who_differ(shop: Team) -> None:
    path = shop.folder / "journeys" / "few.yaml"
    text = path.read_text(encoding="utf-8").replace("orders_count >= 1", "orders_count >= 9999")
    path.write_text(text, encoding="utf-8")
    letters = write_letters(shop.workspace, shop.workspace.journey("few"), NOW)
    assert len(letters) == 4
    assert not [one for one in letters if one.trouble or one.reader.person]


def test_a_stranger_is_refused_by_name(shop: Team) -> None:
    with pytest.raises(UsageError, match="nobody is known as 'zoe'"):
        write_letters(shop.workspace, shop.workspace.journey("few"), NOW, customer="zoe")


def test_what_cannot_be_written_for_one_is_told_and_the_rest_is_shown(shop: Team) -> None:
    path = shop.folder / "templates" / "check-in.mjml"
    words = "{{ silence_days | divided_by: orders_count }}"
    text = path.read_text(encoding="utf-8").replace("We noticed", words)
    path.write_text(text, encoding="utf-8")
    letters = write_letters(shop.workspace, shop.workspace.journey("few"), NOW)
    troubled = [one.reader.label for one in letters if one.trouble]
    assert troubled == ["no history"]


@pytest.mark.skipif(find_browser() is None, reason="no Chromium is here")
@pytest.mark.parametrize(("widths", "wide"), [((375,), 375), ((680, 375, 680), 1775)])
def test_a_picture_is_as_wide_as_its_pages_side_by_side(
    tmp_path: Path, widths: tuple[int, ...], wide: int
) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>Hello", encoding="utf-8")
    shot = Shot(tmp_path / "one.png", [Pane(page, width) for width in widths])
    assert take_pictures(find_browser() or "", [shot]) == [shot.picture]
    assert int.from_bytes(shot.picture.read_bytes()[16:20]) == wide


def test_a_browser_that_fails_takes_no_picture(tmp_path: Path) -> None:
    shot = Shot(tmp_path / "picture.png", [Pane(tmp_path / "page.html", 680)])
    assert take_pictures("/bin/false", [shot]) == []
    assert take_pictures(str(tmp_path / "gone"), [shot]) == []
