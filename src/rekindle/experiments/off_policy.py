"""What another rule would have earned, by choices that were drawn by a known chance.

Each choice is weighed by the chance that the other rule makes it over the chance it had: the
mean is right whatever the people are like (inverse propensities; Horvitz & Thompson, JASA 47
(1952)), less noisy by the sum of the weights (self-normalised; Swaminathan & Joachims, NIPS
2015), and less again where a model of the reward is right (doubly robust; Dudik, Langford & Li,
ICML 2011). How many choices speak at all is the effective sample size (Kish 1965).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekindle.vocabulary import Unknown

FEWEST = 30.0
"""With fewer effective choices an interval by the normal distribution is not to be relied on."""
FOLDS = 5
_TWO_SIDED = 1.959963984540054

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LoggedChoice:
    """One choice: what was chosen of ``options``, with which chance, and what came of it.

    ``propensity`` is the chance of ``action``, which is one of the options.
    """

    action: str
    options: Sequence[str]
    propensity: float
    reward: float


@dataclass(frozen=True, slots=True)
class PolicyValue:
    """What one choice is worth under a rule, with its ends at 95 %, and how it was reckoned."""

    method: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PolicyJudgement:
    """A rule held against the one that chose.

    ``logged`` is what a choice was worth as they were made; ``values`` what it would be, by each
    method; ``gain`` is the doubly robust value less the logged one, of the same choices.
    """

    choices: int
    agreeing: int
    effective: float
    largest_weight: float
    logged: PolicyValue
    values: tuple[PolicyValue, ...]
    gain: PolicyValue


def judge_policy(
    log: Sequence[LoggedChoice], wanted: Sequence[Mapping[str, float]]
) -> PolicyJudgement | Unknown:
    """Return what a rule would have earned that gives each option of a choice its chance.

    ``wanted`` has for each choice the rule's chances by option; they come to 1.

    Raises:
        ValueError: a propensity is not above 0 and at most 1, or the chances of a rule are none.
    """
    _check(log, wanted)
    if not log:
        return Unknown("nothing was chosen yet whose time is over")
    reward = np.array([one.reward for one in log])
    pairs = list(zip(log, wanted, strict=True))
    weight = np.array([rule.get(one.action, 0.0) / one.propensity for one, rule in pairs])
    agreeing = int((weight > 0).sum())
    effective = float(weight.sum() ** 2 / (weight**2).sum()) if agreeing else 0.0
    if effective < FEWEST:
        return Unknown(
            f"too few choices speak of this rule: {effective:.1f} effective ones of {len(log):,} "
            f"({agreeing:,} as it would have chosen); {FEWEST:.0f} are needed"
        )
    model = _learn(log)
    expected = np.array(
        [sum(chance * model[n][name] for name, chance in rule.items())
         for n, (_, rule) in enumerate(pairs)]
    )  # fmt: skip
    own = np.array([model[n][one.action] for n, one in enumerate(log)])
    robust = expected + weight * (reward - own)
    mean = float((weight * reward).sum() / weight.sum())
    return PolicyJudgement(
        choices=len(log),
        agreeing=agreeing,
        effective=effective,
        largest_weight=float(weight.max()),
        logged=_value("as chosen", reward),
        values=(
            _value("IPS", weight * reward),
            _value("SNIPS", mean + weight * (reward - mean) / weight.mean()),
            _value("DR", robust),
        ),
        gain=_value("DR less as chosen", robust - reward),
    )


def _check(log: Sequence[LoggedChoice], wanted: Sequence[Mapping[str, float]]) -> None:
    for one, rule in zip(log, wanted, strict=True):
        if not 0 < one.propensity <= 1 or one.action not in one.options:
            raise ValueError(f"no chance of {one.action} is {one.propensity}")
        if not rule.keys() <= set(one.options) or not math.isclose(sum(rule.values()), 1):
            raise ValueError(f"a rule gives what is one of {list(one.options)}, not {dict(rule)}")


def _learn(log: Sequence[LoggedChoice]) -> list[dict[str, float]]:
    """Return for each choice what each option is worth by the other folds: the mean of it there.

    Of what the others never saw it is the mean of everything.
    """
    reward = np.array([one.reward for one in log])
    fold = np.arange(len(log)) % FOLDS
    action = np.array([one.action for one in log])
    means: list[dict[str, float]] = []
    rest: list[float] = []
    for number in range(FOLDS):
        seen = fold != number if len(log) > FOLDS else np.ones(len(log), dtype=bool)
        names = sorted(set(action[seen].tolist()))
        means.append({name: float(reward[seen & (action == name)].mean()) for name in names})
        rest.append(float(reward[seen].mean()))
    return [
        {name: means[number % FOLDS].get(name, rest[number % FOLDS]) for name in one.options}
        for number, one in enumerate(log)
    ]


def _value(method: str, each: Floats) -> PolicyValue:
    """Return the mean of an estimate of each choice, with its ends."""
    value = float(each.mean())
    reach = _TWO_SIDED * float(each.std(ddof=1)) / math.sqrt(each.size) if each.size > 1 else 0.0
    return PolicyValue(method, value, value - reach, value + reach)
