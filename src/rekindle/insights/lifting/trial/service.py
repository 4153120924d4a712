"""Reads an experiment's file and says, for every outcome and arm, what it shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace

from rekindle.errors import SourceError
from rekindle.experiments import (
    MISMATCH,
    MOST_DEALT,
    Adjustment,
    ArmOutcome,
    ArmSums,
    Cluster,
    Lift,
    PairSums,
    PowerSums,
    SharedLevel,
    adjust_clusters,
    ask,
    ask_of_clusters,
    estimate_lift,
    estimate_lift_from_sums,
    estimate_welch,
    find_adjustment,
    find_confidence,
    find_imbalance,
    find_mismatch,
    find_trouble,
    find_warnings,
    kind_of,
    presume_shares,
    share_level,
    tell,
)
from rekindle.facts import Pairs, Trial, TrialQuestion, TrialReader, TrialSums, open_trial
from rekindle.insights.lifting.trial.model import TrialMetric, TrialPlan, TrialReport
from rekindle.vocabulary import Unknown
from rekindle.wording import counted, percent


def measure_trial(question: TrialQuestion, plan: TrialPlan) -> TrialReport:
    """Return what the file in ``question`` says, read as ``plan`` asks.

    Arms that are not as large as planned stop the report: every lift then carries that as
    the reason why it cannot be estimated.

    Raises:
        SourceError: the file cannot be read as it is.
        ValueError: the planned shares do not fit the arms.
    """
    with open_trial(question) as reader:
        trial = reader.count()
        # Who was drawn together is no coin of their own: people say nothing of clusters.
        is_presumed = not plan.shares and question.cluster is None
        shares = presume_shares(trial.assigned) if is_presumed else plan.shares
        mismatch = find_mismatch(trial.assigned, shares)
        metrics = [
            metric
            for name in question.outcomes
            for metric in _measure(_read(reader, trial, question, name), plan, mismatch)
        ]
    return TrialReport(trial.assigned, mismatch, metrics, is_presumed=is_presumed)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """One outcome of a file; ``values`` by arm where they are few enough to be dealt."""

    name: str
    control: str
    trial: Trial
    sums: Mapping[str, ArmSums]
    values: Mapping[str, Sequence[float]] | None
    before: str | None

    @property
    def arms(self) -> Mapping[str, ArmSums]:
        """Return every arm but the control."""
        return {arm: sums for arm, sums in self.sums.items() if arm != self.control}

    def of(self, arm: str) -> ArmOutcome:
        """Return an arm with its values."""
        values = () if self.values is None else tuple(self.values[arm])
        return ArmOutcome(self.sums[arm].assigned, values)

    def tell_missing(self) -> Iterator[str]:
        """Yield which rows could not be counted."""
        missing = {arm: one.missing for arm, one in self.trial.outcomes[self.name].items()}
        if any(missing.values()):
            told = ", ".join(f"{count:,} in {arm}" for arm, count in missing.items() if count)
            yield f"{counted(sum(missing.values()), 'row')} without {self.name} left out: {told}"
        if self.trial.armless:
            yield f"{counted(self.trial.armless, 'row')} without an arm left out"

    def find_uneven(self, arm: str) -> str:
        """Return why those counted cannot be compared: more are missing than by chance, or "".

        Of clusters nothing is said: who is missing may be missing together.
        """
        counts = self.trial.outcomes[self.name]
        pair = counts[arm], counts[self.control]
        chance = find_imbalance(*((of.known, of.missing) for of in pair))
        if self.trial.clusters or isinstance(chance, Unknown) or chance >= MISMATCH:
            return ""
        here, there = (percent(of.missing / (of.known + of.missing)) for of in pair)
        return (
            f"{here} of {arm} and {there} of {self.control} have no {self.name}, which is no "
            f"chance (p = {chance:.2g}): those assigned are not those compared; find out first "
            "why, and give whoever did nothing a 0"
        )


@dataclass(frozen=True, slots=True)
class _Found:
    """A lift, what the means of arm and control gain by an adjustment, and what to say of it."""

    lift: Lift | Unknown
    shifts: tuple[float, float] = (0.0, 0.0)
    notes: tuple[str, ...] = ()


def _read(reader: TrialReader, trial: Trial, question: TrialQuestion, name: str) -> _Outcome:
    try:
        sums = {
            arm: ArmSums(one.known, _powers(one.above), _powers(one.below))
            for arm, one in trial.outcomes[name].items()
        }
    except ValueError as error:
        raise SourceError(
            f"{question.path}: {name} holds numbers too large to be summed; look for one that is "
            "wrong, or give it in larger units"
        ) from error
    is_few = sum(one.count for one in sums.values()) <= MOST_DEALT
    values = reader.values(name, list(sums)) if is_few else None
    return _Outcome(name, question.control, trial, sums, values, question.before)


def _measure(one: _Outcome, plan: TrialPlan, mismatch: float | Unknown) -> list[TrialMetric]:
    if isinstance(mismatch, float) and mismatch < MISMATCH:
        stop = _Found(
            Unknown(
                f"the arms are not as large as planned (p = {mismatch:.2g}): those assigned are "
                "not those compared; find out first who is missing"
            )
        )
        return [_as_metric(one, plan, arm, stop) for arm in one.arms]
    if len(one.arms) == 1 or plan.is_welch:
        notes = (f"{len(one.arms)} arms, not adjusted for that",) if len(one.arms) > 1 else ()
        return [
            _as_metric(one, plan, arm, _estimate(one, plan, arm, plan.confidence), notes)
            for arm in one.arms
        ]
    level = _share(one, plan)
    adjusted = (f"{len(one.arms)} arms share the level (max-T)",)
    metrics = []
    for arm in one.arms:
        found = _estimate(one, plan, arm, level.confidence)
        if isinstance(found.lift, Lift) and plan.watch is None:
            found = replace(
                found, lift=replace(found.lift, p_value=level.adjust(found.lift.p_value))
            )
        metrics.append(_as_metric(one, plan, arm, found, adjusted))
    return metrics


def _share(one: _Outcome, plan: TrialPlan) -> SharedLevel:
    """Return the level that the arms share; clusters and adjusted means are taken as normal."""
    is_dealt = one.values is not None and not one.trial.clusters and not one.trial.pairs
    values = [x for of_arm in (one.values or {}).values() for x in of_arm] if is_dealt else None
    return share_level(one.sums[one.control], one.arms, values, confidence=plan.confidence)


def _estimate(one: _Outcome, plan: TrialPlan, arm: str, confidence: float) -> _Found:
    """Return the lift of an arm by what is known of its people."""
    pair = one.sums[arm], one.sums[one.control]
    if trouble := find_trouble(*pair) or one.find_uneven(arm):
        return _Found(Unknown(trouble))
    if plan.is_welch:
        return _Found(estimate_welch(*pair, metric=one.name, confidence=confidence))
    if one.trial.clusters:
        return _estimate_clusters(one, plan, arm, confidence)
    if one.trial.pairs:
        return _estimate_adjusted(one, plan, arm, confidence)
    return _Found(_estimate_plainly(one, plan, arm, confidence))


def _estimate_plainly(
    one: _Outcome, plan: TrialPlan, arm: str, confidence: float
) -> Lift | Unknown:
    if one.values is None:
        pair = one.sums[arm], one.sums[one.control]
        return estimate_lift_from_sums(
            *pair, metric=one.name, confidence=confidence, watch=plan.watch
        )
    return estimate_lift(
        one.of(arm), one.of(one.control), metric=one.name, confidence=confidence, watch=plan.watch
    )


def _estimate_clusters(one: _Outcome, plan: TrialPlan, arm: str, confidence: float) -> _Found:
    """Return the lift of an arm whose clusters were drawn, adjusted where that is worth it."""
    pair = one.sums[arm], one.sums[one.control]
    level = find_confidence(plan.watch, buyers=pair[0].count + pair[1].count, confidence=confidence)
    if isinstance(level, Unknown):
        return _Found(level)
    of_arm = one.trial.clusters[one.name]
    mine, theirs = ([Cluster(*astuple(each)) for each in of_arm[a]] for a in (arm, one.control))
    notes = [counted(len(mine) + len(theirs), "cluster")]
    shifts, more = (0.0, 0.0), ""
    if one.before is not None:
        adjusted = adjust_clusters(mine, theirs)
        if isinstance(adjusted, Unknown):
            notes.append(f"{one.before} not used: {adjusted.reason}")
        else:
            adjustment, changed = adjusted
            notes += _tell_adjustment(one, adjustment, sum(c.seen for c in (*mine, *theirs)), pair)
            if adjustment.is_used:
                (mine, theirs), shifts, more = changed, adjustment.shifts, ", adjusted"
    asked = ask_of_clusters(mine, theirs, pair, level)
    if isinstance(asked, Unknown):
        return _Found(asked)
    question, reach = asked
    way = "score interval, clusters permuted" if reach.low is not None else _BY_CLUSTERS
    notes[0] += f"; the variance is {question.factor:.2f} times that of people drawn one by one"
    lift = tell(question, reach, one.name, way + more)
    return _Found(lift, shifts, (*notes, *find_warnings(*pair)))


_BY_CLUSTERS = "score interval from sums of clusters"


def _estimate_adjusted(one: _Outcome, plan: TrialPlan, arm: str, confidence: float) -> _Found:
    """Return the lift with what a figure from before explains taken off, where it is worth it."""
    pair = one.sums[arm], one.sums[one.control]
    pairs = one.trial.pairs[one.name]
    mine, theirs = ([PairSums(*_fields(half)) for half in pairs[a]] for a in (arm, one.control))
    assigned = pair[0].assigned, pair[1].assigned
    adjustment = find_adjustment(mine, theirs, assigned)
    if isinstance(adjustment, Unknown):
        note = f"{one.before} not used: {adjustment.reason}"
        return _Found(_estimate_plainly(one, plan, arm, confidence), notes=(note,))
    known = sum(half.count for half in (*mine, *theirs))
    notes = _tell_adjustment(one, adjustment, known, pair)
    if not adjustment.is_used:
        return _Found(_estimate_plainly(one, plan, arm, confidence), notes=notes)
    level = find_confidence(plan.watch, buyers=pair[0].count + pair[1].count, confidence=confidence)
    if isinstance(level, Unknown):
        return _Found(level)
    plain = ask(*pair, level)
    shift = adjustment.shifts[0] - adjustment.shifts[1]
    question = replace(plain, difference=plain.difference + shift, factor=1 - adjustment.saving)
    lift = tell(question, question.ask_gamma(), one.name, "score interval from sums, adjusted")
    return _Found(lift, adjustment.shifts, (*notes, *find_warnings(*pair)))


def _tell_adjustment(
    one: _Outcome, adjustment: Adjustment, known: int, arms: tuple[ArmSums, ArmSums]
) -> tuple[str, ...]:
    """Return what to say of a figure from before: what it explains, and of how many it is known."""
    explains = f"{one.before} explains {percent(max(adjustment.saving, 0.0))} of the variance"
    if not adjustment.is_used:
        return (f"{explains} and is not used: below 5 % it is not worth it",)
    unknown = sum(arm.assigned for arm in arms) - known
    if not unknown:
        return (explains,)
    return (explains, f"{counted(unknown, 'row')} without {one.before} not adjusted")


def _as_metric(
    one: _Outcome, plan: TrialPlan, arm: str, found: _Found, notes: tuple[str, ...] = ()
) -> TrialMetric:
    warnings = [*one.tell_missing(), *notes, *found.notes]
    if isinstance(found.lift, Lift):
        warnings += found.lift.warnings
        if plan.watch is not None:
            level = 1 - found.lift.confidence
            warnings.append(f"at this look a difference is shown when p is at most {level:.2g}")
    names = {"of the holdout": f"of {one.control}", "of the treatment arm": f"of {arm}"}
    for said, name in names.items():
        warnings = [warning.replace(said, name) for warning in warnings]
    return TrialMetric(
        outcome=one.name,
        arm=arm,
        interval=kind_of(plan.watch),
        control_mean=_mean(one.sums[one.control], found.shifts[1]),
        arm_mean=_mean(one.sums[arm], found.shifts[0]),
        lift=found.lift,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _mean(arm: ArmSums, shift: float) -> float | Unknown:
    return arm.mean + shift if arm.assigned else Unknown("nobody has a number")


def _powers(sums: TrialSums) -> PowerSums:
    return PowerSums(sums.count, sums.first, sums.second, sums.third)


def _fields(half: Pairs) -> tuple[int, float, float, float, float, float]:
    return half.count, half.x, half.y, half.xx, half.xy, half.yy
