"""How much of an offer is expected to be redeemed, learned from those whose time is over.

Beta-binomial: the share expected at first counts like ``STRENGTH`` offers that are over.
Whose time is not over says nothing yet and is left out, redeemed or not: what is open would
make every new offer look bad, and the redeemed alone, who are early, every new offer good.
"""

from __future__ import annotations

from dataclasses import dataclass

STRENGTH = 20


@dataclass(frozen=True, slots=True)
class Redemptions:
    """How many of an offer that are over were redeemed, and how many were not."""

    redeemed: int = 0
    lapsed: int = 0


def expect_share(prior: float, outcomes: Redemptions) -> float:
    """Return the posterior mean of the share that is redeemed, 0 to 1.

    It is the mean of Beta(prior × STRENGTH + redeemed, (1 − prior) × STRENGTH + lapsed);
    see Gelman et al., Bayesian Data Analysis, 3rd ed., section 2.4.
    """
    count = outcomes.redeemed + outcomes.lapsed
    return (prior * STRENGTH + outcomes.redeemed) / (STRENGTH + count)
