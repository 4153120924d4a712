"""Draws the arm of a person from a hash, so that nobody has to remember the draw.

The same person and salt give the same arm on every machine and in every year. One
threshold decides, so a treatment widened later takes people in and puts nobody out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import blake2b

from rekindle.vocabulary import Arm

_BYTES = 8
_PLACES = 2 ** (8 * _BYTES)
# A float keeps 53 bits apart; with more of them the largest draw would round up to 1.
_FLOAT_BITS = 53
_BEYOND_FLOAT = 8 * _BYTES - _FLOAT_BITS


def assign(person: str, *, salt: str, holdout_share: float) -> Arm:
    """Return the arm of ``person`` in the experiment named by ``salt``.

    ``holdout_share`` lies in 0-1. Two salts give independent draws. A person treated
    at one share stays treated at every smaller one.

    Raises:
        ValueError: the share is not in 0-1.
    """
    return assigner(salt, holdout_share)(person)


@lru_cache(maxsize=1024)
def assigner(salt: str, holdout_share: float) -> Callable[[str], Arm]:
    """Return ``assign`` with salt and share filled in, for many people at once.

    Raises:
        ValueError: the share is not in 0-1.
    """
    if not 0 <= holdout_share <= 1:
        raise ValueError(f"a holdout share lies between 0 and 1, not {holdout_share}")
    if holdout_share == 1:  # its threshold would need a ninth byte
        return lambda _person: Arm.HOLDOUT
    threshold = int(holdout_share * _PLACES).to_bytes(_BYTES)
    # The length in front keeps ("ab", "c") and ("a", "bc") apart.
    start = blake2b(f"{len(salt)}:{salt}".encode("utf-8", "surrogatepass"), digest_size=_BYTES)

    def arm_of(person: str) -> Arm:
        drawn = start.copy()
        drawn.update(person.encode("utf-8", "surrogatepass"))
        # Big-endian bytes of one length compare like the numbers they spell.
        return Arm.HOLDOUT if drawn.digest() < threshold else Arm.TREATMENT

    return arm_of


def draw(person: str, *, salt: str) -> float:
    """Return a number in [0, 1) that is the same for a person and salt for ever.

    For sticky choices beside the arm: a pilot's share, a variant, a place in a queue.
    """
    key = f"{len(salt)}:{salt}{person}".encode("utf-8", "surrogatepass")
    drawn = int.from_bytes(blake2b(key, digest_size=_BYTES).digest())
    return float(drawn >> _BEYOND_FLOAT) / float(2**_FLOAT_BITS)


def choose(person: str, *, salt: str, weights: Mapping[str, float]) -> str:
    """Return one of the names of ``weights``, each as often as its weight says.

    Each name has a draw of its own, and the earliest of them in a race is taken (Efraimidis
    & Spirakis, Information Processing Letters 97 (2006), 181-185). So the order says nothing,
    and whoever is drawn anew after a change of the list goes to what was added or made more
    of, or comes from what was left out or made less of; everybody else stays.

    Raises:
        ValueError: there is no name, or a weight is not above 0.
    """
    if not weights or not all(0 < weight < math.inf for weight in weights.values()):
        raise ValueError(f"each of some names has a weight above 0, not {dict(weights)}")
    return min(
        sorted(weights),
        key=lambda name: -math.log1p(-draw(person, salt=f"{salt}/{name}")) / weights[name],
    )
