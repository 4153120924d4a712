"""The published models of buying and leaving, fitted by maximum likelihood.

They are fitted on unique cells: people with the same figures are one row with a weight. The
gradients are exact, in the logarithms of the parameters, which keeps these above zero.

None of them may rank people who went silent; ``hazard.py`` says who comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln, digamma, gammaln, logsumexp

from rekindle.errors import UsageError
from rekindle.vocabulary import Unknown

Floats = NDArray[np.float64]
Values = Sequence[float] | Floats
Likelihood = Callable[[Floats], tuple[Floats, Sequence[Floats | float]]]

NODES, AREAS = np.polynomial.legendre.leggauss(48)
"""Where the Pareto/NBD's chance of an unseen leave is summed up, and by how much."""
AT_MOST = 1e6
"""A parameter that runs further has no finite estimate."""


@dataclass(frozen=True)
class Fit:
    """A model's parameters by their published names, and its log-likelihood."""

    parameters: dict[str, float]
    log_likelihood: float
    people: float


def fit_bg_nbd(x: Values, t_x: Values, t: Values, people: Values) -> Fit | Unknown:
    """Return r, alpha, a and b of the BG/NBD (Fader, Hardie & Lee, Marketing Sc. 24 (2005)).

    ``x`` repeat purchases, the last at age ``t_x``, seen to age ``t``, by so many ``people``.
    """
    return _fit_beta_geometric(x, t_x, t, people, at_once=False)


def fit_mbg_nbd(x: Values, t_x: Values, t: Values, people: Values) -> Fit | Unknown:
    """Return r, alpha, a and b of the MBG/NBD (Batislam, Denizel & Filiztekin, IJRM 24 (2007)).

    Unlike in the BG/NBD somebody may leave after the very first purchase.
    """
    return _fit_beta_geometric(x, t_x, t, people, at_once=True)


def _fit_beta_geometric(
    x: Values, t_x: Values, t: Values, people: Values, *, at_once: bool
) -> Fit | Unknown:
    count, last, age, weights = _histories(x, t_x, t, people)
    if not count.any():
        return Unknown("nobody bought twice")
    # Special functions are dear and of the counts alone, of which there are few.
    counts, which = np.unique(count, return_inverse=True)
    # Without a repeat purchase nobody can have left by the BG/NBD.
    may_leave = (counts > 0) | at_once
    can, stays = may_leave[which], np.where(may_leave, counts if at_once else counts - 1, 0.0)

    def likelihood(theta: Floats) -> tuple[Floats, Sequence[Floats | float]]:
        r, alpha, a, b = theta
        rate = r + counts
        log_age, log_last = np.log(alpha + age), np.log(alpha + last)
        alive = np.log(b + stays)[which] - rate[which] * log_age
        gone = np.log(a) - rate[which] * log_last
        either = np.where(can, np.logaddexp(alive, gone), alive)
        ends = np.where(can, np.exp(gone - either), 0.0)
        known = gammaln(rate) - gammaln(r) + r * np.log(alpha)
        # Nobody who may not leave says anything of leaving: its factor is one.
        leaving = gammaln(a + b) - gammaln(b) + gammaln(b + stays) - gammaln(a + b + stays + 1)
        known += np.where(may_leave, leaving, -np.log(b))
        shared = digamma(a + b) - digamma(a + b + stays + 1)
        d_r = digamma(rate) - digamma(r) + np.log(alpha)
        d_b = (shared - digamma(b) + digamma(b + stays))[which] + (1 - ends) / (b + stays)[which]
        slope = (1 - ends) / (alpha + age) + ends / (alpha + last)
        logs = (1 - ends) * log_age + ends * log_last
        return known[which] + either, (
            d_r[which] - logs,
            r / alpha - rate[which] * slope,
            np.where(can, shared[which] + ends / a, 0.0),
            np.where(can, d_b, 0.0),
        )

    return _maximise(
        ("r", "alpha", "a", "b"), (1.0, float(age.mean()) / 4, 1.0, 1.0), likelihood, weights
    )


def fit_pareto_nbd(x: Values, t_x: Values, t: Values, people: Values) -> Fit | Unknown:
    """Return r, alpha, s and beta of the Pareto/NBD (Schmittlein and others, MS 33 (1987)).

    The likelihood is taken as an integral over the day of leaving, so its gradient is one too,
    and no hypergeometric function has to be differentiated.
    """
    count, last, age, weights = _histories(x, t_x, t, people)
    if not count.any():
        return Unknown("nobody bought twice")

    counts, which = np.unique(count, return_inverse=True)
    dies = np.concatenate([[0.0], np.ones(NODES.size)])

    def likelihood(theta: Floats) -> tuple[Floats, Sequence[Floats | float]]:
        r, alpha, s, beta = theta
        # Nodes by the logarithm of the day: powers of it are steep just after the last purchase.
        low, high = np.log(alpha + last)[:, None], np.log(alpha + age)[:, None]
        bought = np.column_stack([high, low + (high - low) * ((NODES + 1) / 2)])
        since = np.exp(bought)  # alpha and the day
        left = np.log(since + (beta - alpha))
        with np.errstate(divide="ignore"):  # nobody can leave between equal days
            area = bought[:, 1:] + np.log((high - low) / 2) + np.log(AREAS * s)
        terms = -(r + count)[:, None] * bought - (s + dies) * left
        terms[:, 1:] += area
        most = terms.max(axis=1, keepdims=True)
        share = np.exp(terms - most)
        whole = share.sum(axis=1, keepdims=True)
        share /= whole
        total = (most + np.log(whole))[:, 0]
        rises = (digamma(r + counts) - digamma(r) + np.log(alpha))[which]
        known = gammaln(r + counts) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
        found = known[which] + total
        return found, (
            rises - (share * bought).sum(axis=1),
            r / alpha - (r + count) * (share / since).sum(axis=1),
            np.log(beta) - (share * left).sum(axis=1) + (share @ dies) / s,
            s / beta - (share * (s + dies) * np.exp(-left)).sum(axis=1),
        )

    size = float(age.mean()) / 4
    return _maximise(("r", "alpha", "s", "beta"), (1.0, size, 1.0, size), likelihood, weights)


def fit_gamma_gamma(x: Values, worth: Values, people: Values) -> Fit | Unknown:
    """Return p, q and gamma of the Gamma-Gamma model (Fader & Hardie, note 25, 2013).

    ``worth`` is the mean of ``x`` purchases; rows without a purchase or a worth say nothing.
    """
    count, mean, weights = _numbers(x, worth, people)
    kept = (count > 0) & (mean > 0)
    count, mean, weights = count[kept], mean[kept], weights[kept]
    if count.size < 2 or np.ptp(mean) == 0:
        return Unknown("purchases are all of one worth")
    total, logs = count * mean, np.log(count * mean)

    def likelihood(theta: Floats) -> tuple[Floats, Sequence[Floats | float]]:
        p, q, gamma = theta
        shape = p * count
        both = np.log(gamma + total)
        found = gammaln(shape + q) - gammaln(shape) - gammaln(q) + q * np.log(gamma)
        found += shape * logs - np.log(mean) - (shape + q) * both
        rise = digamma(shape + q)
        return found, (
            count * (rise - digamma(shape) + logs - both),
            rise - digamma(q) + np.log(gamma) - both,
            q / gamma - (shape + q) / (gamma + total),
        )

    return _maximise(("p", "q", "gamma"), (1.0, 2.0, float(mean.mean())), likelihood, weights)


def fit_sbg(survivors: Values) -> Fit | Unknown:
    """Return alpha and beta of the sBG (Fader & Hardie, J. Interactive Marketing 21 (2007)).

    ``survivors`` of one cohort: those who began, then those still there at each renewal.
    """
    (kept,) = _numbers(survivors)
    if kept.size < 3 or (np.diff(kept) > 0).any():
        raise UsageError("survivors need three renewals or more, and never become more")
    if kept[-1] == kept[0]:
        return Unknown("nobody left")
    seen = np.zeros(kept.size - 1)
    seen[-1] = kept[-1]
    return fit_sbg_counts(-np.diff(kept), seen)


def fit_sbg_counts(left: Values, staying: Values) -> Fit | Unknown:
    """Return alpha and beta of the sBG for people who did not all begin at once.

    ``left[n]`` people left at renewal n + 1; ``staying[n]`` are there still, and renewed
    n + 1 times so far.
    """
    ended, running, _ = _numbers(left, staying, np.add(left, staying))
    if ended.size < 2:
        raise UsageError("counts need two renewals or more")
    if not ended.any():
        return Unknown("nobody left")
    renewals = np.arange(1.0, ended.size + 1)
    year = np.concatenate([renewals, renewals])
    weights = np.concatenate([ended, running])
    leaves = np.concatenate([np.ones(ended.size), np.zeros(ended.size)])
    held = weights > 0
    year, weights, leaves = year[held], weights[held], leaves[held]

    def likelihood(theta: Floats) -> tuple[Floats, Sequence[Floats | float]]:
        a, b = theta
        found = betaln(a + leaves, b + year - leaves) - betaln(a, b)
        shared = digamma(a + b) - digamma(a + b + year)
        return found, (
            shared + digamma(a + leaves) - digamma(a),
            shared + digamma(b + year - leaves) - digamma(b),
        )

    return _maximise(("alpha", "beta"), (1.0, 1.0), likelihood, weights)


def fit_bg_bb(x: Values, t_x: Values, n: Values, people: Values) -> Fit | Unknown:
    """Return alpha, beta, gamma and delta of the BG/BB (Fader and others, Marketing Sc. 29 (2010)).

    ``x`` purchases in ``n`` occasions, the last at occasion ``t_x``.
    """
    count, last, chances, weights = _histories(x, t_x, n, people)
    if not count.any():
        return Unknown("nobody bought twice")
    later = np.arange(int(np.max(chances - last)))
    seen = np.column_stack([chances, last[:, None] + later])
    is_possible = seen < chances[:, None]
    is_possible[:, 0] = True
    seen = np.minimum(seen, chances[:, None])
    leaves = np.concatenate([[0.0], np.ones(later.size)])
    bought, missed = count[:, None], seen - count[:, None]

    def likelihood(theta: Floats) -> tuple[Floats, Sequence[Floats | float]]:
        a, b, g, d = theta
        terms = betaln(a + bought, b + missed) + betaln(g + leaves, d + seen)
        terms = np.where(is_possible, terms, -np.inf)
        total = logsumexp(terms, axis=1)
        share = np.exp(terms - total[:, None])
        buys = digamma(a + b) - digamma(a + b + seen)
        ends = digamma(g + d) - digamma(g + d + seen + leaves)
        return total - betaln(a, b) - betaln(g, d), (
            (share * (buys + digamma(a + bought) - digamma(a))).sum(axis=1),
            (share * (buys + digamma(b + missed) - digamma(b))).sum(axis=1),
            (share * (ends + digamma(g + leaves) - digamma(g))).sum(axis=1),
            (share * (ends + digamma(d + seen) - digamma(d))).sum(axis=1),
        )

    return _maximise(("alpha", "beta", "gamma", "delta"), (1.0, 1.0, 1.0, 1.0), likelihood, weights)


def _maximise(
    names: tuple[str, ...], start: tuple[float, ...], likelihood: Likelihood, weights: Floats
) -> Fit | Unknown:
    people = float(weights.sum())

    def loss(logs: Floats) -> tuple[float, Floats]:
        theta = np.exp(logs)
        found, slopes = likelihood(theta)
        slope = np.array([float(np.sum(weights * each)) for each in slopes])
        return -float(weights @ found) / people, -slope * theta / people

    edge = float(np.log(AT_MOST))
    best = minimize(
        loss,
        np.log(start),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-edge, edge)] * len(start),
        options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 2000, "maxfun": 4000},
    )
    theta = np.exp(best.x)
    for name, value in zip(names, theta, strict=True):
        if not np.isfinite(value) or abs(np.log(value)) > edge - 0.1:
            return Unknown(f"{name} has no finite estimate; people are too much alike")
    values = {name: float(value) for name, value in zip(names, theta, strict=True)}
    return Fit(values, -float(best.fun) * people, people)


def _histories(x: Values, t_x: Values, t: Values, people: Values) -> list[Floats]:
    found = _numbers(x, t_x, t, people)
    count, last, age, _ = found
    if (last > age).any():
        raise UsageError("a last purchase lies after the end of what was seen")
    if (count != np.round(count)).any() or ((count == 0) != (last == 0)).any():
        raise UsageError("repeat purchases are whole, and have a last one unless there are none")
    return found


def _numbers(*columns: Values) -> list[Floats]:
    found = [np.asarray(column, dtype=np.float64) for column in columns]
    if any(column.ndim != 1 or column.size != found[0].size for column in found):
        raise UsageError("the columns of a model are lists of one length")
    if not found[0].size or not found[-1].any():
        raise UsageError("a model needs people")
    if any(not np.isfinite(column).all() or (column < 0).any() for column in found):
        raise UsageError("the figures of a model are zero or more")
    return found
