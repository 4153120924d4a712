"""What else is known of people: who was drawn together, and what they did before.

Both change how far chance takes a difference, by a factor on its variance: above 1 where
households or shops were drawn as one, below 1 where a figure from before the draw explains
a part of what came after.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rekindle.experiments.hypothesis import Hypotheses
from rekindle.experiments.interval import ChanceReach, LiftQuestion
from rekindle.experiments.lift import DEFAULT_DRAWS, DEFAULT_SEED, find_coarseness
from rekindle.experiments.permutation import deal_sums
from rekindle.experiments.sums import ArmSums
from rekindle.vocabulary import Unknown

LEAST_SAVING = 0.05
"""Below this part of the variance a figure from before is not used: it only adds an error."""

MOST_CLUSTERS_DEALT = 5_000


class Cluster(NamedTuple):
    """How many people were drawn together, and the sum of their numbers.

    Of ``seen`` of them a figure from before the draw is known, which sums up to ``before``;
    ``half`` is the half of all clusters it is in, 0 or 1.
    """

    people: int
    total: float
    seen: int = 0
    before: float = 0.0
    half: int = 0


def ask_of_clusters(
    treatment: Sequence[Cluster],
    holdout: Sequence[Cluster],
    sums: tuple[ArmSums, ArmSums],
    confidence: float,
) -> tuple[LiftQuestion, ChanceReach] | Unknown:
    """Return the question and the reach of chance when clusters, not people, were drawn.

    A cluster counts by how far its sum lies from what its people would have on average, so
    that large and small ones are on one scale; these numbers are dealt.
    """
    if min(len(treatment), len(holdout)) < 2:
        return Unknown("an arm has fewer than two clusters")
    people = [sum(one.people for one in arm) for arm in (treatment, holdout)]
    means = [
        sum(one.total for one in arm) / count
        for arm, count in zip((treatment, holdout), people, strict=True)
    ]
    off = _off([*treatment, *holdout])
    weight = 1 / people[0] + 1 / people[1]
    spread = float((off**2).sum()) / (off.size - 1)
    chance = spread * len(treatment) * len(holdout) / off.size * weight**2
    hypotheses = Hypotheses(*sums)
    plain = hypotheses.at(0.0).variance
    if chance <= 0 or plain <= 0:
        return Unknown("every cluster has the same value per person")
    question = LiftQuestion(means[0] - means[1], hypotheses, confidence, factor=chance / plain)
    if off.size > MOST_CLUSTERS_DEALT:
        return question, question.ask_gamma()
    dealt, _ = deal_sums(
        (len(treatment), len(holdout)),
        off[off != 0].tolist(),
        draws=DEFAULT_DRAWS,
        rng=np.random.default_rng(DEFAULT_SEED),
    )
    deals = np.sort(dealt * weight)
    rank = int((1 - confidence) / 2 * (deals.size + 1) + 1e-9)
    if rank < 1:
        return question, question.ask_gamma()
    if trouble := find_coarseness(deals, rank, confidence):
        return Unknown(trouble)
    return question, question.ask_deals(deals, rank)


def _off(clusters: Sequence[Cluster]) -> npt.NDArray[np.float64]:
    """Return how far each sum lies from what its people would have on average."""
    people = np.array([one.people for one in clusters])
    total = np.array([one.total for one in clusters])
    return np.asarray(total - people * (total.sum() / people.sum()))


@dataclass(frozen=True, slots=True)
class PairSums:
    """Half of an arm's people who have both: the number after (y) and the figure before (x)."""

    count: int
    x: float
    y: float
    xx: float
    xy: float
    yy: float


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What a figure from before explains: ``saving`` is its part of the variance, in 0-1.

    ``shifts`` is what each arm's mean gains by taking it into account, treatment first, and
    ``slopes`` what one unit of the figure takes off in each half.
    """

    saving: float
    shifts: tuple[float, float]
    slopes: tuple[float, float]

    @property
    def is_used(self) -> bool:
        """Return whether it saves enough to be taken into account."""
        return self.saving >= LEAST_SAVING


def find_adjustment(
    treatment: Sequence[PairSums], holdout: Sequence[PairSums], assigned: tuple[int, int]
) -> Adjustment | Unknown:
    """Return what the figure before the draw explains of the outcome (CUPED).

    The slope that is taken off one half of the people is estimated from the other half, so
    that it does not fit the noise it takes away. Deng, Xu, Kohavi & Walker, WSDM 2013,
    123-132; cross-fitted as Jin & Ba, Technometrics 65 (2023), 240-251.
    """
    arms = (treatment, holdout)
    if any(len(arm) < 2 or half.count < 2 for arm in arms for half in arm):
        return Unknown("too few people have the figure from before")
    slopes = [_slope([arm[1 - half] for arm in arms]) for half in (0, 1)]
    if any(math.isnan(slope) for slope in slopes):
        return Unknown("the figure from before is the same for everybody")
    everyone = sum(half.count for arm in arms for half in arm)
    middle = sum(half.x for arm in arms for half in arm) / everyone
    shifts = [
        -sum(
            slope * (half.x - half.count * middle) for slope, half in zip(slopes, arm, strict=True)
        )
        / people
        for arm, people in zip(arms, assigned, strict=True)
    ]
    plain = explained = 0.0
    for arm in arms:
        for slope, half in zip(slopes, arm, strict=True):
            xx, xy, yy = _within(half)
            plain += yy
            explained += 2 * slope * xy - slope**2 * xx
    if plain <= 0:
        return Unknown("the outcome does not vary")
    return Adjustment(explained / plain, (shifts[0], shifts[1]), (slopes[0], slopes[1]))


def adjust_clusters(
    treatment: Sequence[Cluster], holdout: Sequence[Cluster]
) -> tuple[Adjustment, tuple[list[Cluster], list[Cluster]]] | Unknown:
    """Return what the figure before the draw explains between clusters, and it taken off them.

    What ``find_adjustment`` does with people is done with clusters, by how far their sums lie
    from what their people would have on average. Of whom no figure is known nothing is taken
    off.
    """
    arms = (treatment, holdout)
    seen = sum(one.seen for arm in arms for one in arm)
    if not seen:
        return Unknown("nobody has the figure from before")
    middle = sum(one.before for arm in arms for one in arm) / seen
    off = iter(_off([*treatment, *holdout]).tolist())
    apart = [[(one.half, one.before - one.seen * middle, next(off)) for one in arm] for arm in arms]
    sums = [[_pair_sums(arm, half) for half in (0, 1)] for arm in apart]
    people = [sum(one.people for one in arm) for arm in arms]
    found = find_adjustment(sums[0], sums[1], (people[0], people[1]))
    if isinstance(found, Unknown):
        return found

    def less(one: Cluster) -> Cluster:
        off = found.slopes[one.half] * (one.before - one.seen * middle)
        return one._replace(total=one.total - off)

    return found, ([less(one) for one in treatment], [less(one) for one in holdout])


def _pair_sums(clusters: Sequence[tuple[int, float, float]], half: int) -> PairSums:
    """Return the sums of one half of an arm's clusters, each given as half, x and y."""
    chosen = [(x, y) for part, x, y in clusters if part == half]
    x, y = np.array(chosen).reshape(-1, 2).T
    return PairSums(len(chosen), *map(float, (x.sum(), y.sum(), x @ x, x @ y, y @ y)))


def _slope(halves: Sequence[PairSums]) -> float:
    """Return how much of the outcome goes with one unit of the figure, within the arms."""
    xx = sum(_within(half)[0] for half in halves)
    return sum(_within(half)[1] for half in halves) / xx if xx > 0 else math.nan


def _within(half: PairSums) -> tuple[float, float, float]:
    """Return the sums of squares and products around the means."""
    n = half.count
    return (
        max(half.xx - half.x**2 / n, 0.0),
        half.xy - half.x * half.y / n,
        max(half.yy - half.y**2 / n, 0.0),
    )
