"""What the messages of each journey met with lately: the counts its breaker looks at."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from rekindle.journeys import Window
from rekindle.ledger.queries import fetch, instant_of, ledger_transaction, text_of
from rekindle.vocabulary import SignalKind

ATTRIBUTED_WITHIN = timedelta(days=30)
"""What someone does belongs to the newest message they got by then, if it is no older."""

RATES = {
    SignalKind.COMPLAINT.value: "complaints",
    SignalKind.BOUNCE.value: "bounces",
    SignalKind.OPT_OUT.value: "opt_outs",
}


def load_windows(
    alias: str, at: datetime, length: timedelta
) -> Mapping[str, tuple[Window, Window]]:
    """Return the two windows of ``length`` up to ``at``, the newer first, by running journey.

    Nothing from before a journey was last resumed counts: its owner knew of that.
    """
    middle = at - length
    since, until = text_of(middle - length), text_of(at)
    counts: defaultdict[str, tuple[Counter[str], Counter[str]]]
    counts = defaultdict(lambda: (Counter(), Counter()))
    with ledger_transaction(alias):
        taken = fetch(alias, "messages_taken", text_of(middle), since, until)
        refused = fetch(alias, "addresses_refused", text_of(middle), since, until)
        met = fetch(alias, "what_messages_met_with", since, until)
    for journey, newer, both in taken:
        _add(counts[journey], "messages", newer, both)
    for journey, newer, both in refused:
        _add(counts[journey], "messages", newer, both)
        _add(counts[journey], "bounces", newer, both)
    for kind, happened_at, journey, accepted_at in met:
        at_once = instant_of(happened_at)
        if at_once - instant_of(accepted_at) <= ATTRIBUTED_WITHIN:
            counts[journey][at_once <= middle][RATES[kind]] += 1
    return {name: (Window(**newer), Window(**older)) for name, (newer, older) in counts.items()}


def _add(windows: tuple[Counter[str], Counter[str]], what: str, newer: int, both: int) -> None:
    windows[0][what] += newer
    windows[1][what] += both - newer
