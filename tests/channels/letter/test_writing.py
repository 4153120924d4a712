"""What a letter says and what stands on its envelope, whoever prints it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rekindle.channels import build_outlet, find_channel, find_outlet, require_ready
from rekindle.channels.letter.settings import LOB_KEY
from rekindle.channels.letter.writing import envelope_lines, read_place, write_letter
from rekindle.errors import (
    ConfigError,
    MalformedAddressError,
    OutletFaultError,
    RefusedContentError,
)
from rekindle.messages import Address, AddressKind, Outlet, Surroundings
from rekindle.vocabulary import Purpose
from tests.channels.letter.posting import HOME, LINK, build_letter, home, settings


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({}, ["12 Mill Lane", "Leeds", "LS1 4AB"]),
        (
            {"city": "Austin", "state": "TX", "postal_code": "78701", "country": "US"},
            ["12 Mill Lane", "Austin, TX 78701", "UNITED STATES"],
        ),
        (
            {"street": "Weg 1", "city": "Köln", "postal_code": "50667", "country": "DE"},
            ["Weg 1", "50667 Köln", "GERMANY"],
        ),
        ({"postal_code": "", "country": ""}, ["12 Mill Lane", "Leeds"]),
    ],
)
def test_an_envelope_is_as_the_post_of_the_country_asks(
    changes: Mapping[str, str], lines: list[str]
) -> None:
    place = read_place(home(**changes))
    assert envelope_lines("Ann  Archer", place, posted_in="GB") == ["Ann Archer", *lines]


@pytest.mark.parametrize(
    "value",
    ["", "no address", "[]", "null", "[" * 100_000, '{"street": "1 High Street"}',
     '{"street": "' + "x" * 60 + '", "city": "Leeds"}', '{"street": 7, "city": "Leeds"}'],
)  # fmt: skip
def test_what_is_no_postal_address_is_nobodys_bounce(value: str) -> None:
    with pytest.raises(MalformedAddressError):
        write_letter(build_letter(address=Address(AddressKind.POSTAL, value)), settings())


@pytest.mark.parametrize("parts", [{"title": "", "text": "x"}, {"title": "x", "text": " "}, {}])
def test_a_letter_that_says_nothing_is_not_written(parts: Mapping[str, str]) -> None:
    with pytest.raises(RefusedContentError):
        write_letter(build_letter(parts=parts), settings())


def test_marketing_says_how_letters_end_and_a_receipt_does_not() -> None:
    told = settings(stop_text="No more: {link}")
    assert write_letter(build_letter(), told).stop == f"No more: {LINK}"
    assert write_letter(build_letter(f"Out: {LINK}"), told).stop == ""
    assert write_letter(build_letter(purpose=Purpose.TRANSACTIONAL), told).stop == ""


def test_somebody_without_a_name_is_called_as_the_settings_say() -> None:
    assert write_letter(build_letter(name=""), settings()).recipient[0] == "To our customer"


def test_the_folder_shows_what_would_be_posted(tmp_path: Path) -> None:
    outlet = build_outlet("letter_folder", settings(), base=tmp_path, secrets={})
    name = outlet.send(build_letter()).provider_id
    text = (tmp_path / "state" / "letters" / name).read_text(encoding="utf-8")
    assert text.startswith(
        "Ann Archer\n12 Mill Lane\nLeeds\nLS1 4AB\n\nYour size is back\n\nDear Ann,"
    )


HOSTILE = [
    "#read(\"/etc/passwd\")",
    "*bold* _it_ $x$ = heading \\ #sys.version <label> @ref",
    "\"), evil: (\"",
    "=HYPERLINK(\"http://evil.example\")",
    "\u202eAnn\u202c",
    "x" * 10_000,
]  # fmt: skip


@pytest.fixture
def pdf(tmp_path: Path) -> Outlet:
    return build_outlet("letter_pdf", settings("letter_pdf"), base=tmp_path, secrets={})


def listed(tmp_path: Path) -> list[dict[str, Any]]:
    with (tmp_path / "state" / "print" / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_pdf_is_tagged_has_its_fonts_inside_and_stands_on_the_list_once(
    pdf: Outlet, tmp_path: Path
) -> None:
    name = pdf.send(build_letter()).provider_id
    assert pdf.send(build_letter()).provider_id == name
    pdf.close()  # as the next pass begins
    pdf.send(build_letter())
    made = (tmp_path / "state" / "print" / name).read_bytes()
    assert made.startswith(b"%PDF-")
    assert b"pdfuaid:part" in made
    assert b"/FontFile3" in made
    (row,) = listed(tmp_path)
    assert row["file"] == name
    assert (row["street"], row["city"], row["country"]) == (HOME["street"], HOME["city"], "GB")


@pytest.mark.parametrize("word", HOSTILE)
def test_what_a_name_says_is_data_and_never_source(pdf: Outlet, tmp_path: Path, word: str) -> None:
    pdf.send(build_letter(f"Dear {word[:60]},\n\nwelcome.", name=word))
    (row,) = listed(tmp_path)
    assert not row["name"].startswith("=")
    assert word in (row["name"], row["name"].removeprefix("'"))


def test_a_template_cannot_read_a_file_of_this_machine(pdf: Outlet, tmp_path: Path) -> None:
    """Were it source, this text would stop the compiler."""
    pdf.send(build_letter('#panic("run") #assert(false)'))
    assert listed(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"), [("漢字" * 3, "could not be displayed"), ("word\n\n" * 200, "pages")]
)
def test_what_would_be_printed_with_gaps_or_is_too_long_is_refused(
    pdf: Outlet, tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(RefusedContentError, match=says):
        pdf.send(build_letter(text))
    assert not (tmp_path / "state" / "print" / "manifest.csv").exists()


def test_a_font_that_is_not_there_is_ours_to_mend(tmp_path: Path) -> None:
    own = settings("letter_pdf", pdf={"font": "No Such Font"})
    with pytest.raises(OutletFaultError, match="unknown font"):
        build_outlet("letter_pdf", own, base=tmp_path, secrets={}).send(build_letter())


def test_a_list_that_was_cut_off_goes_on_in_a_line_of_its_own(pdf: Outlet, tmp_path: Path) -> None:
    pdf.send(build_letter())
    path = tmp_path / "state" / "print" / "manifest.csv"
    path.write_bytes(path.read_bytes()[:-9])
    pdf.close()
    pdf.send(build_letter(key="1f" * 32))
    assert listed(tmp_path)[-1]["file"] == f"{'1f' * 32}.pdf"


@pytest.mark.parametrize(
    ("outlet", "changes", "secrets", "says"),
    [
        ("letter_lob", {}, {LOB_KEY: "live_x"}, "letter.lob.sender"),
        ("letter_lob", {"lob": {"sender": "adr_1"}}, {}, LOB_KEY),
        ("letter_lob", {"lob": {"sender": "adr_1", "api_url": "http://lob.example"}},
         {LOB_KEY: "live_x"}, "https"),
        ("letter_pdf", {"stop_text": " "}, {}, "stop_text"),
    ],
)  # fmt: skip
def test_what_the_settings_lack_is_said_before_anything_leaves(
    monkeypatch: pytest.MonkeyPatch,
    outlet: str,
    changes: Mapping[str, Any],
    secrets: Mapping[str, str],
    says: str,
) -> None:
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    _, entry = find_outlet(outlet)
    assert entry.capabilities.is_on_paper
    with pytest.raises(ConfigError, match=says):
        require_ready(find_channel("letter"), settings(outlet, **changes), Surroundings(""))


def test_a_country_is_called_what_an_envelope_calls_it() -> None:
    assert envelope_lines("Ann", read_place(home()), posted_in="DE")[-1] == "UNITED KINGDOM"
    korea = read_place(home(country="KR"))
    assert envelope_lines("Ann", korea, posted_in="GB")[-1] == "SOUTH KOREA"
