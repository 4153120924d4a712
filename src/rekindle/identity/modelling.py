"""Who may be one person by a model of a shop's own cards, as Splink fits it: suggestions alone.

The model is Fellegi and Sunter's (https://doi.org/10.1080/01621459.1969.10501049). It joins
nobody: on a generated town a fifth of what it adds to the rules was right, because those who
share a family name and a home look like one person to it (``make bench ONLY=identity``).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import pyarrow as pa

from rekindle.errors import UsageError
from rekindle.identity.suggesting import Acquaintance, Suggestion, plain

LEAST_CARDS = 1_000
"""Cards below which a model is none: what it learns of a name rests on few."""
LEAST_SHARE = 0.05
LIKELY = 0.99
SAMPLED_PAIRS = 1e6
# How many of the pairs that are one share both names and postcode, or a number: of the
# generated town's two thirds do. It moves every probability alike, and no order.
RECALL = 0.6
BESIDE_NAMES = ("postcode", "phone")


def suggest_by_model(
    people: Iterable[Acquaintance],
    *,
    apart: Collection[tuple[str, str]] = (),
    suggested: Iterable[Suggestion] = (),
) -> list[Suggestion]:
    """Return pairs of persons whom the model takes for one, the likeliest first.

    ``apart`` are pairs that somebody said are two, ``suggested`` those that are told already.

    Raises:
        UsageError: Splink is not installed, or these cards are too few or say too little.
    """
    known = [plain(one) for one in people]
    said = [name for name in BESIDE_NAMES if _share(known, name) >= LEAST_SHARE]
    if len(known) < LEAST_CARDS or not said:
        raise UsageError(
            f"a model is fitted to cards with names and {' or '.join(BESIDE_NAMES)}; it takes "
            f"{LEAST_CARDS:,} of them, and here are {len(known) if said else 0:,}"
        )
    unwanted = {frozenset(pair) for pair in apart}
    unwanted |= {frozenset((one.one, one.other)) for one in suggested}
    person = {one.customer_id: one.person for one in known}
    found: dict[frozenset[str], Suggestion] = {}
    for a, b, chance in _fit(known, said):
        pair = frozenset((person[a], person[b]))
        if len(pair) == 2 and pair not in unwanted and pair not in found:
            one, other = sorted(pair)
            found[pair] = Suggestion(one, other, f"a model of these cards gives it {chance:.4f}")
    return list(found.values())


def _share(people: Sequence[Acquaintance], name: str) -> float:
    return sum(1 for one in people if getattr(one, name)) / max(1, len(people))


def _fit(people: Sequence[Acquaintance], said: Sequence[str]) -> list[tuple[str, str, float]]:
    """Fit the model and return the pairs that are likely one, with their probabilities."""
    try:
        import splink.comparison_library as compare
        from splink import DuckDBAPI, Linker, SettingsCreator, block_on
        from splink.internals.exceptions import SplinkException  # it has no public name
    except ImportError as error:
        raise UsageError("install the extra: pip install 'rekindle[splink]'") from error
    beside: dict[str, Any] = {
        "postcode": compare.ExactMatch("postcode"),
        "phone": compare.LevenshteinAtThresholds("phone", 1),
    }
    names = ("first_name", "last_name")
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            *(
                compare.JaroWinklerAtThresholds(name, 0.9).configure(
                    term_frequency_adjustments=True
                )
                for name in names
            ),
            *(beside[name] for name in said),
        ],
        blocking_rules_to_generate_predictions=[
            block_on(*names),
            *(block_on(name, "substr(last_name, 1, 2)") for name in said),
        ],
    )
    columns = ("customer_id", *names, *said)
    cards = pa.table(
        [[getattr(one, name) or None for one in people] for name in columns],
        names=["unique_id", *columns[1:]],
    )
    try:
        linker = Linker(DuckDBAPI().register(cards), settings, log_level=logging.ERROR)
        training = linker.training
        training.estimate_probability_two_random_records_match(
            [block_on(*names, name) for name in said], recall=RECALL
        )
        training.estimate_u_using_random_sampling(max_pairs=SAMPLED_PAIRS, seed=1)
        for rule in (block_on(*names), *(block_on(name) for name in said)):
            training.estimate_parameters_using_expectation_maximisation(rule)
        pairs = linker.inference.predict(threshold_match_probability=LIKELY).as_record_list()
    except SplinkException as error:
        raise UsageError(f"no model can be fitted to these cards: {error}") from error
    found = [(p["unique_id_l"], p["unique_id_r"], p["match_probability"]) for p in pairs]
    return sorted(found, key=lambda one: (-one[2], one[0], one[1]))
