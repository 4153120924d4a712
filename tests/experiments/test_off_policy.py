"""Another rule is judged by choices made by chance, against worlds whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from rekindle.experiments import LoggedChoice, PolicyJudgement, judge_policy
from rekindle.vocabulary import Unknown

RUNGS = ("small", "middle", "large")
WORTH = {"small": 1.0, "middle": 3.0, "large": 2.0}
EXPLORE = 0.3
DRAWN = EXPLORE / len(RUNGS)


def log_of(seed: int, size: int = 2_000) -> list[LoggedChoice]:
    """Draw choices as a ladder makes them: people differ in what they bring and may be given."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(size):
        is_rich = rng.random() < 0.4
        options = RUNGS if is_rich else RUNGS[:2]
        each = EXPLORE / len(options)
        chances = [1 - EXPLORE + each, *[each] * (len(options) - 1)]
        number = int(rng.choice(len(options), p=chances))
        reward = (WORTH[options[number]] + 4 * is_rich) * rng.exponential()
        found.append(LoggedChoice(options[number], options, chances[number], reward))
    return found


def always(name: str, log: list[LoggedChoice]) -> list[dict[str, float]]:
    return [{name if name in one.options else one.options[0]: 1.0} for one in log]


TRUTH = {
    "small": 1 + 1.6,
    "middle": 3 + 1.6,
    "large": 0.4 * (2 + 4) + 0.6 * 1,
}


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize("rule", RUNGS)
def test_every_method_finds_the_true_value_and_keeps_its_interval(rule: str) -> None:
    held = {"IPS": 0, "SNIPS": 0, "DR": 0}
    off = dict.fromkeys(held, 0.0)
    worlds = 120
    for seed in range(worlds):
        log = log_of(seed)
        found = judge_policy(log, always(rule, log))
        assert isinstance(found, PolicyJudgement)
        for one in found.values:
            held[one.method] += one.low <= TRUTH[rule] <= one.high
            off[one.method] += (one.value - TRUTH[rule]) / worlds
    assert all(abs(bias) < 0.1 for bias in off.values()), off
    # 95 % of 120 is 114, with a standard error of 2.4.
    assert all(count >= 106 for count in held.values()), held


def test_gain_is_found_where_the_rule_is_better() -> None:
    log = log_of(7, 4_000)
    found = judge_policy(log, always("middle", log))
    assert isinstance(found, PolicyJudgement)
    assert found.gain.low > 0
    assert found.choices == 4_000
    assert found.agreeing == sum(one.action == "middle" for one in log)
    assert found.effective < found.agreeing + 1
    assert found.largest_weight == pytest.approx(1 / DRAWN)


def test_rule_that_chose_is_worth_what_was_seen() -> None:
    log = [LoggedChoice("a", ("a", "b"), 1.0, float(n)) for n in range(50)]
    found = judge_policy(log, [{"a": 1.0}] * 50)
    assert isinstance(found, PolicyJudgement)
    assert [one.value for one in (found.logged, *found.values)] == pytest.approx([24.5] * 4)
    assert found.gain.value == pytest.approx(0)
    assert found.effective == 50


def test_rule_that_the_choices_say_nothing_of_is_not_judged() -> None:
    log = [LoggedChoice("a", ("a", "b"), 1.0, float(n)) for n in range(50)]
    found = judge_policy(log, [{"b": 1.0}] * 50)
    assert isinstance(found, Unknown)
    assert "0.0 effective ones of 50 (0 as it would have chosen)" in found.reason
    assert isinstance(judge_policy([], []), Unknown)


@pytest.mark.parametrize(
    ("propensity", "rule"),
    [(0.0, {"a": 1.0}), (1.2, {"a": 1.0}), (0.5, {"c": 1.0}), (0.5, {"a": 0.4})],
)
def test_log_or_rule_that_cannot_be_is_refused(propensity: float, rule: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"chance|rule"):
        judge_policy([LoggedChoice("a", ("a", "b"), propensity, 1.0)], [rule])
