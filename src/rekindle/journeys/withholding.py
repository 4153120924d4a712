"""Who gets nothing from any marketing journey, so that all of them together can be measured.

People are drawn once, when they first enter a marketing journey while there is such a
holdout, and both books remember what was drawn: a share that is changed draws new people
alone. So a comparison is of people drawn alike, and nobody changes sides after messages.
"""

from __future__ import annotations

from rekindle.experiments import assigner
from rekindle.gate import GlobalHoldout
from rekindle.vocabulary import Arm, Purpose


def draw_withheld(holdout: GlobalHoldout, person: str, purpose: Purpose) -> Arm | None:
    """Return the arm of somebody who enters a journey; None where nobody is drawn."""
    if purpose is not Purpose.MARKETING or holdout.share <= 0:
        return None
    return assigner(holdout.salt, holdout.share)(person)
