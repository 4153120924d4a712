from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from rekindle.insights import Audit, JourneyReport, audit_page, report_page
from rekindle.insights.model import LINES, EarlierCut, GapDays, Proof, TierLine, TierTotal
from rekindle.insights.report import ArmResult
from rekindle.vocabulary import Arm, Money, Reason, Tier, Unknown

VOID = {"meta", "br", "link", "img"}


class Outline(HTMLParser):
    """Checks that tags close in order; keeps what a page would fetch or run."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.reaches: list[str] = []
        self.ids: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.reaches += list(outward(tag, attrs))
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.reaches += list(outward(tag, attrs))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def outward(tag: str, attrs: list[tuple[str, str | None]]) -> Iterator[str]:
    """Yield what makes a browser run or fetch something."""
    if tag in {"script", "link", "img", "iframe", "object", "image", "base", "form"}:
        yield tag
    for name, value in attrs:
        if name.startswith("on") or (name.endswith(("href", "src")) and value and value[0] != "#"):
            yield f"{tag} {name}={value}"


def both_pages(audit: Audit, report: JourneyReport) -> tuple[str, str]:
    return audit_page(audit), report_page(report)


@pytest.mark.long
def test_a_page_stands_alone_and_runs_nothing(audit: Audit, report: JourneyReport) -> None:
    for page in both_pages(audit, report):
        outline = Outline(page)
        assert outline.open == []
        assert outline.reaches == []
        assert not re.search(r"url\((?!#)|@import", page)


@pytest.mark.long
def test_what_people_named_themselves_is_text_and_no_markup(
    audit: Audit, report: JourneyReport, nasty: str
) -> None:
    for page in both_pages(audit, report):
        assert "<script" not in page
        assert nasty in Outline(page).text


@pytest.mark.long
def test_every_chart_is_well_formed_and_has_a_title_and_a_description(
    audit: Audit, report: JourneyReport
) -> None:
    charts = [
        c for page in both_pages(audit, report) for c in re.findall(r"<svg.*?</svg>", page, re.S)
    ]
    assert len(charts) == 4 + 3
    for chart in charts:
        root = ElementTree.fromstring(chart)
        title, text = root[0], root[1]
        assert root.get("role") == "img"
        assert root.get("aria-labelledby") == f"{title.get('id')} {text.get('id')}"
        assert title.text
        assert text.text


@pytest.mark.long
def test_no_two_elements_of_a_page_share_an_id(audit: Audit, report: JourneyReport) -> None:
    for page in both_pages(audit, report):
        ids = Outline(page).ids
        assert len(ids) == len(set(ids))


@pytest.mark.long
def test_the_same_audit_gives_the_same_page(audit: Audit) -> None:
    assert audit_page(audit) == audit_page(audit)


@pytest.mark.long
def test_the_headline_figures_come_first(audit: Audit, report: JourneyReport) -> None:
    text = Outline(audit_page(audit)).text
    assert text.index("20 of 300 buyers (7 %) have drifted away") < text.index(
        "Where your customers"
    )
    assert report.finding in Outline(report_page(report)).text


def test_a_page_about_nothing_says_so(audit: Audit, report: JourneyReport) -> None:
    reason = Unknown("nobody has bought yet")
    nothing = GapDays(0, reason, reason, reason, reason)
    empty = replace(
        audit,
        buyers=0,
        rows=reason,
        gap_days=nothing,
        gap_days_by_category={},
        gap_counts=(),
        return_curve=(),
        most_valuable=(),
        tiers={tier: TierTotal(0, Money(Decimal(0), "GBP")) for tier in Tier},
        tier_lines={tier: TierLine(reason, reason) for tier in LINES},
        proof=Proof(
            EarlierCut(audit.as_of, 0, 0, reason, reason),
            replace(audit.proof.holdout, people=0),
            reason,
            reason,
            reason,
        ),
    )
    assert "Nobody has bought yet" in Outline(audit_page(empty)).text
    nobody = {arm: ArmResult(0, 0, 0, 0.0) for arm in Arm}
    unmeasured = replace(report, arms=nobody, lift=reason, return_rate_lift=reason, reasons={})
    page = report_page(unmeasured)
    assert "No lift can be stated: nobody has bought yet." in Outline(page).text
    assert "<svg" not in page


@pytest.mark.long
def test_a_page_names_the_business_as_text(audit: Audit, report: JourneyReport) -> None:
    for page in (audit_page(audit, "Wick & <Mug>"), report_page(report, "Wick & <Mug>")):
        assert '<p class="shop">Wick &amp; &lt;Mug&gt;</p>' in page
        assert "· Wick &amp; &lt;Mug&gt;</title>" in page


@pytest.mark.long
def test_charts_take_their_colours_from_the_page(audit: Audit, report: JourneyReport) -> None:
    for page in both_pages(audit, report):
        named = set(re.findall(r"var\(--([a-z]+)", page))
        themes = [set(re.findall(r"--([a-z]+):", theme)) for theme in page.split("@media")[:2]]
        assert named <= themes[0] == themes[1]
        for chart in re.findall(r"<svg.*?</svg>", page, re.S):
            fixed = re.findall(r"(?:fill|stroke): (#[0-9a-f]+)", chart)
            assert set(fixed) <= {"#000000"}


def test_the_ghosts_of_the_holdout_are_in_the_chart(report: JourneyReport) -> None:
    with_ghosts = replace(report, reasons={Reason.HELD_OUT: 41, Reason.CAP: 7})
    chart = re.findall(
        r'<svg[^>]*aria-labelledby="reasons.*?</svg>', report_page(with_ghosts), re.S
    )[0]
    assert "held out" in chart
    assert ">41<" in chart


@pytest.mark.long
def test_every_cell_knows_its_column_for_a_narrow_screen(audit: Audit) -> None:
    page = audit_page(audit)
    assert 'data-name="lifetime value"' in page
    assert len(re.findall("<td ", page)) == len(re.findall("<td data-name=", page))


@pytest.mark.long
def test_a_replay_does_not_claim_to_have_earned(report: JourneyReport) -> None:
    assert "<h1>What" in report_page(report)
    assert "earned</h1>" in report_page(report)
    page = report_page(replace(report, is_replay=True))
    text = Outline(page).text
    assert "would have done</h1>" in page
    assert "nobody was contacted" in text
    assert "Would have been sent" in text


@pytest.mark.long
@pytest.mark.parametrize("gaps", [((1, 5),), ((1, 5), (9_000, 1)), ((7, 10**7),)])
def test_gaps_of_any_length_can_be_drawn(audit: Audit, gaps: tuple[tuple[int, int], ...]) -> None:
    assert 'id="gaps-title"' in audit_page(replace(audit, gap_counts=gaps))


@pytest.mark.long
def test_a_customer_id_is_never_read_as_a_formula(audit: Audit) -> None:
    named = replace(audit.most_valuable[0], customer_id="$a_1$")
    page = audit_page(replace(audit, most_valuable=(named,)))
    assert len(re.findall(r">\$a_1\$</text>", page)) == 1
