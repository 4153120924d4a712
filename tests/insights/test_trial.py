"""A file of any experiment is counted as it is, and what cannot be counted is said."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from rekindle.cli import app
from rekindle.errors import UsageError
from rekindle.experiments import OpenEnded, ReadingDate
from rekindle.facts import TrialQuestion
from rekindle.insights import TrialPlan, measure_trial, trial_tables

FIGURES = Path(__file__).parents[1] / "experiments" / "figures" / "hillstrom_spend.toml"
HILLSTROM: dict[str, Any] = tomllib.loads(FIGURES.read_text(encoding="utf-8"))
HEADER = "id,arm,spend,before,home"

Measure = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def hillstrom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return Hillstrom's people as far as the golden figures tell of them."""
    rows: dict[str, list[Any]] = {"arm": [], "visit": [], "conversion": [], "spend": []}
    for arm, told in HILLSTROM.items():
        people, bought = told["assigned"], len(told["spend"])
        rows["arm"] += [arm] * people
        rows["spend"] += told["spend"] + [0.0] * (people - bought)
        for column, event in (("visit", "visits"), ("conversion", "conversions")):
            rows[column] += [1] * told[event] + [0] * (people - told[event])
    path = tmp_path_factory.mktemp("trial") / "hillstrom.parquet"
    pq.write_table(pa.table(rows), path)
    return path


@pytest.fixture
def measure(tmp_path: Path) -> Measure:
    def run(lines: list[str], *, plan: TrialPlan | None = None, **asked: Any) -> dict[str, Any]:
        path = tmp_path / "trial.csv"
        path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
        question = {"arm": "arm", "control": "c", "outcomes": ["spend"]} | asked
        report = measure_trial(TrialQuestion(path=path, **question), plan or TrialPlan())
        assert all(table.headers for table in trial_tables(report))
        told = json.loads(json.dumps(report.to_json(), allow_nan=False))
        assert isinstance(told, dict)
        return told

    return run


def crowd(arm: str, people: int, buyers: int, *, value: float = 20) -> list[str]:
    """Return rows of an arm; buyers come first, and homes hold two people."""
    return [
        f"{arm}{n},{arm},{value + n % 7 if n < buyers else 0},{n % 50},{arm}{n // 2}"
        for n in range(people)
    ]


EVEN = crowd("t", 900, 90) + crowd("c", 300, 20)


def test_welch_gives_the_published_columns(hillstrom: Path) -> None:
    # FIELD figures of the three outcomes, as any tool prints them: differences and 95 %.
    question = TrialQuestion(hillstrom, "arm", "control", ["visit", "conversion", "spend"])
    told: Any = measure_trial(question, TrialPlan(is_welch=True)).to_json()
    found = {(one["outcome"], one["arm"]): one for one in told["metrics"]}
    published = {
        ("visit", "womens"): (0.045233, 0.038893, 0.051573),
        ("conversion", "womens"): (0.003111, 0.001499, 0.004724),
        ("spend", "womens"): (0.424412, 0.168957, 0.679868),
        ("spend", "mens"): (0.769827, 0.485140, 1.054515),
    }
    for names, figures in published.items():
        one = found[names]
        assert [one["difference"], one["low"], one["high"]] == pytest.approx(figures, abs=6e-7)
    assert found["visit", "mens"]["difference"] == pytest.approx(0.076590, abs=6e-7)
    assert found["conversion", "mens"]["difference"] == pytest.approx(0.006805, abs=6e-7)


def test_json_has_its_keys(measure: Measure) -> None:
    told = measure(EVEN)
    assert told["assigned"] == {"c": 300, "t": 900}
    assert told["srm_p_value"] is None
    (metric,) = told["metrics"]
    assert list(metric) == [
        "outcome",
        "arm",
        "control_mean",
        "arm_mean",
        "difference",
        "low",
        "high",
        "p_value",
        "relative",
        "interval",
        "method",
        "warnings",
    ]
    assert metric["difference"] == pytest.approx(metric["arm_mean"] - metric["control_mean"])
    assert metric["relative"] == pytest.approx(metric["difference"] / metric["control_mean"])
    assert metric["interval"] == "fixed"


def test_several_arms_share_their_level(hillstrom: Path) -> None:
    question = TrialQuestion(hillstrom, "arm", "control", ["spend"])
    told: Any = measure_trial(question, TrialPlan()).to_json()
    for one, width in zip(told["metrics"], (0.629, 0.556), strict=True):
        assert one["high"] - one["low"] == pytest.approx(width, abs=0.03)
        assert "2 arms share the level (max-T)" in one["warnings"]


def test_arms_not_as_planned_stop_the_report(measure: Measure) -> None:
    told = measure(EVEN, plan=TrialPlan(shares={"t": 0.5, "c": 0.5}))
    assert told["srm_p_value"] < 1e-9
    (metric,) = told["metrics"]
    assert "not as large as planned" in metric["not_estimable"]
    assert "difference" not in metric


@pytest.mark.parametrize(
    ("treated", "p_value"),
    [(300, 1.0), (310, pytest.approx(0.6856, abs=1e-4)), (400, None)],
)
def test_arms_of_about_one_size_are_judged_as_equal_ones(
    measure: Measure, treated: int, p_value: float | None
) -> None:
    rows = [row for row in EVEN if ",c," in row]
    rows += [row for row in EVEN if ",t," in row][:treated]
    assert measure(rows)["srm_p_value"] == p_value


def test_half_of_an_experiment_that_was_lost_stops_the_report(measure: Measure) -> None:
    rows = [
        f"{arm}{n},{arm},{n % 7},1,h"
        for arm, many in (("c", 9_200), ("t", 10_000))
        for n in range(many)
    ]
    told = measure(rows)
    assert told["srm_p_value"] < 1e-6
    assert "not as large as planned" in told["metrics"][0]["not_estimable"]


def test_arms_as_planned_pass(measure: Measure) -> None:
    told = measure(EVEN, plan=TrialPlan(shares={"t": 3, "c": 1}))
    assert told["srm_p_value"] == 1.0
    assert "difference" in told["metrics"][0]


def test_missing_numbers_are_named_and_left_out(measure: Measure) -> None:
    told = measure([*EVEN, "x,t,,1,h", "y,t,NaN,1,h", "z,c,n/a,1,h", "w,,5,1,h"])
    (metric,) = told["metrics"]
    assert metric["warnings"][:2] == [
        "3 rows without spend left out: 1 in c, 2 in t",
        "1 row without an arm left out",
    ]
    assert metric["control_mean"] == measure(EVEN)["metrics"][0]["control_mean"]


def _without(lines: list[str], arm: str, people: int) -> list[str]:
    """Return rows of which the last people of an arm, who bought nothing, have no number."""
    own = [line for line in lines if line.split(",")[1] == arm][-people:]
    emptied = {line: ",".join([*line.split(",")[:2], "", *line.split(",")[3:]]) for line in own}
    return [emptied.get(line, line) for line in lines]


def test_numbers_that_are_missing_from_one_arm_by_no_chance_stop_the_outcome(
    measure: Measure,
) -> None:
    told = measure(_without(EVEN, "t", 60))["metrics"][0]
    assert told["not_estimable"].startswith(
        "6.7 % of t and 0 % of c have no spend, which is no chance (p = "
    )
    assert "60 rows without spend left out" in " ".join(told["warnings"])


def test_numbers_that_are_missing_from_both_arms_alike_do_not(measure: Measure) -> None:
    told = measure(_without(_without(EVEN, "t", 60), "c", 20))["metrics"][0]
    assert "not_estimable" not in told
    few = measure(_without(EVEN, "t", 9))["metrics"][0]
    assert "not_estimable" not in few


def test_households_are_dealt_as_one(measure: Measure) -> None:
    (metric,) = measure(EVEN, cluster="home")["metrics"]
    assert metric["method"] == "score interval, clusters permuted"
    plain = measure(EVEN)["metrics"][0]
    assert metric["high"] - metric["low"] > plain["high"] - plain["low"]
    assert any("600 clusters" in warning for warning in metric["warnings"])


def test_what_households_did_before_narrows_their_interval(measure: Measure) -> None:
    lines = []
    for number in range(800):
        home, arm = number // 2, "t" if number // 2 % 3 == 0 else "c"
        before = home * 7 % 40
        lines.append(f"{number},{arm},{before + home % 5},{before},h{home}")
    (plain,) = measure(lines, cluster="home")["metrics"]
    (metric,) = measure(lines, cluster="home", before="before")["metrics"]
    assert metric["method"] == "score interval, clusters permuted, adjusted"
    assert metric["high"] - metric["low"] < 0.5 * (plain["high"] - plain["low"])
    assert metric["arm_mean"] - metric["control_mean"] == pytest.approx(metric["difference"])
    said = " ".join(metric["warnings"])
    assert "400 clusters" in said
    assert "before explains 98.5 % of the variance" in said


def test_whoever_names_no_household_was_drawn_alone(measure: Measure) -> None:
    lines = [line.rsplit(",", 1)[0] + "," for line in EVEN]
    (alone,) = measure(lines, cluster="home")["metrics"]
    assert any(f"{len(lines):,} clusters" in warning for warning in alone["warnings"])
    (plain,) = measure(lines)["metrics"]
    assert alone["low"] == pytest.approx(plain["low"], rel=0.1)


def test_what_is_known_from_before_narrows_the_interval(measure: Measure) -> None:
    lines = [f"{n},{'c' if n % 3 else 't'},{n * 7 % 40 + n % 3},{n * 7 % 40},h" for n in range(600)]
    (metric,) = measure(lines, before="before")["metrics"]
    plain = measure(lines)["metrics"][0]
    assert metric["high"] - metric["low"] < 0.5 * (plain["high"] - plain["low"])
    assert any("of the variance" in warning for warning in metric["warnings"])
    assert metric["difference"] == pytest.approx(metric["arm_mean"] - metric["control_mean"])


def test_what_explains_nothing_is_not_used(measure: Measure) -> None:
    (metric,) = measure(EVEN, before="before")["metrics"]
    assert any("is not used" in warning for warning in metric["warnings"])
    assert metric["low"] == measure(EVEN)["metrics"][0]["low"]


@pytest.mark.parametrize("watch", [ReadingDate(0.5), OpenEnded()])
def test_watched_figures_say_their_level(measure: Measure, watch: Any) -> None:
    (metric,) = measure(EVEN, plan=TrialPlan(watch=watch))["metrics"]
    assert metric["interval"] in {"reading-date", "open-ended"}
    assert any("at this look" in warning for warning in metric["warnings"])


def test_too_early_is_not_estimable(measure: Measure) -> None:
    (metric,) = measure(EVEN, plan=TrialPlan(watch=ReadingDate(0.1)))["metrics"]
    assert metric["not_estimable"].startswith("too early")


def test_nobody_bought_is_not_estimable(measure: Measure) -> None:
    (metric,) = measure(crowd("t", 50, 0) + crowd("c", 50, 0))["metrics"]
    assert metric["not_estimable"] == "nobody bought in either arm"


def test_yes_and_no_are_numbers(measure: Measure) -> None:
    words = [f"{n},{'ct'[n % 2]},{'true' if n % 5 == 0 else 'False'},1,h" for n in range(200)]
    assert measure(words)["metrics"][0]["control_mean"] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("lines", "asked", "words"),
    [
        ([*EVEN, "x,t,ten,1,h"], {}, "spend is no number in 1 row, first in row 1201: 'ten'"),
        ([*EVEN, "x,t,inf,1,h"], {}, "spend is infinite in 1 row, first in row 1201"),
        ([*EVEN, 'x,t,"1,50",1,h'], {}, "no number"),
        (EVEN, {"outcomes": ["money"]}, "no column 'money'; it has id, arm, spend"),
        (EVEN, {"control": "nobody"}, "is the control 'nobody'; it holds 'c', 't'"),
        (crowd("c", 9, 2), {}, "needs another arm"),
        ([], {}, "a header and no rows"),
        ([*EVEN, "t1,t,0,1,h"], {"unit": "id"}, "id 't1' stands in 2 rows"),
        ([*EVEN, "x,c,0,1,t0"], {"cluster": "home"}, "home 't0' is in two arms"),
        (EVEN, {"arm": "id", "control": "c1"}, "that is no column of arms"),
        (["t1,t,5,1,h,more", "c1,c,0,1,h"], {}, "more or fewer cells than the header"),
        ([*EVEN, "x,t,1e300,1,h"], {}, "spend holds numbers too large to be summed"),
    ],
)
def test_a_file_that_cannot_be_read_as_it_is_says_why(
    measure: Measure, lines: list[str], asked: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        measure(lines, **asked)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "not there"),
        (b"", "is empty"),
        (b"\xff\xfe\x00,", "has no column"),
        (bytes(range(256)), "or no text at all"),
    ],
)
def test_no_file_of_rows_is_a_message(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "trial.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=words):
        measure_trial(TrialQuestion(path, "arm", "c", ["spend"]), TrialPlan())


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig"])
def test_a_file_of_a_spreadsheet_is_read_in_its_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "trial.csv"
    lines = ["arm;dépense", *("Büro;12" for _ in range(9)), *("Büro;0", "contrôle;0") * 40]
    path.write_text("\r\n".join(lines), encoding=encoding)
    report = measure_trial(TrialQuestion(path, "arm", "contrôle", ["dépense"]), TrialPlan())
    assert report.assigned == {"Büro": 49, "contrôle": 40}
    assert str(path.parent) not in str(report.to_json())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--outcome", "arm"], "is the arm"),
        (["--method", "welch", "--interval", "open-ended"], "--method welch knows no"),
        (["--elapsed", "0.5"], "--elapsed goes with --interval reading-date"),
        (["--interval", "reading-date", "--elapsed", "0.3", "--look", "0.5"], "lies after"),
        (["--expected", "c"], "is not ARM=SHARE"),
        (["--expected", "c=1"], "no share is planned for the arm 't'"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    tmp_path: Path, options: list[str], words: str
) -> None:
    path = tmp_path / "trial.csv"
    path.write_text("\n".join([HEADER, *EVEN]), encoding="utf-8")
    asked = ["lift", str(path), "--arm", "arm", "--control", "c", "--outcome", "spend", *options]
    result = CliRunner().invoke(app, asked)
    assert isinstance(result.exception, UsageError)
    assert words in str(result.exception)


def test_the_command_prints_json_alone(tmp_path: Path) -> None:
    path = tmp_path / "trial.csv"
    path.write_text("\n".join([HEADER, *EVEN]), encoding="utf-8")
    asked = ["lift", str(path), "--arm", "arm", "--control", "c", "--outcome", "spend", "--json"]
    told = json.loads(CliRunner().invoke(app, asked).stdout)
    assert set(told) == {"assigned", "srm_p_value", "srm_unknown", "metrics"}


def test_a_column_that_has_to_be_named_is_asked_for(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["lift", str(tmp_path), "--arm", "arm", "--control", "c"])
    assert result.exit_code == 2
    assert "--outcome" in result.output
