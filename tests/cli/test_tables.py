"""Tables fit the terminal they are shown on, and what they hold can be read whole."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from rekindle.cli.tables import is_figure, lay_out, wrap

HEADERS = ("customer", "lifetime value", "last order on", "why nobody wrote to them")
ROWS = [
    ["15682", "£30,411.26", "2010-03-17", "Neither a record nor the law allows this message."],
    ["17", "−£62.00", "2010-12-09", "It is night where the person is, or may be."],
]


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_line_is_too_wide_and_every_word_and_figure_is_whole(width: int) -> None:
    head, body = lay_out(HEADERS, ROWS, width)
    assert max(map(cell_len, [*head, *body])) <= width
    shown = " ".join([*head, *body]).split()
    for cell in [*HEADERS, *(cell for row in ROWS for cell in row)]:
        assert set(cell.split()) <= set(shown)


def test_figures_stand_under_each_other_on_the_right() -> None:
    _, body = lay_out(("", "value"), [["a", "£1.00"], ["b", "£1,000.00"]], 80)
    assert body == ["a      £1.00", "b  £1,000.00"]


def test_headers_break_before_cells_do() -> None:
    head, body = lay_out(("expected gap days", "country"), [["46", "United Kingdom"]], 24)
    assert len(head) > 1
    assert body == ["46        United Kingdom"]


def test_what_is_too_wide_even_so_is_shown_row_by_row() -> None:
    head, body = lay_out(("one", "two", "three"), [["1" * 20, "2" * 20, "3" * 20]] * 2, 50)
    assert head == []
    assert body[0].split() == ["one", "1" * 20]
    assert body[3] == ""


def test_long_ids_and_paths_break_behind_a_separator() -> None:
    path = "/data/someone/shops/gift/orders-of-the-year-2010.parquet"
    lines = wrap(path, 24)
    assert "".join(lines) == path
    assert all(line[-1] in "/-_." for line in lines[:-1])


def test_an_id_without_separators_is_shown_whole_over_several_lines() -> None:
    id_ = "x" * 200
    head, body = lay_out(("customer", "orders"), [[id_, "3"]], 80)
    assert max(map(cell_len, [*head, *body])) <= 80
    assert "".join(body).replace(" ", "").replace("3", "") == id_


def test_wide_characters_count_double_and_lines_in_a_cell_are_joined() -> None:
    head, body = lay_out(("name", "orders"), [["顧客の名前", "12"], ["a\nb", "3"]], 80)
    assert len({cell_len(line) for line in [*head, *body]}) == 1
    assert body[1].startswith("a b")


@pytest.mark.parametrize("cell", ["", "–", "12", "−£62.00", "2010-12-09", "72–73 %", "€ 3"])
def test_figures(cell: str) -> None:
    assert is_figure(cell)


@pytest.mark.parametrize("cell", ["lapsed", "a1", "123456789 is a long sentence of words"])
def test_no_figures(cell: str) -> None:
    assert not is_figure(cell)
