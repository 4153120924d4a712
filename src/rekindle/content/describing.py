"""What the reference page of templates says, from the tables that the code goes by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rekindle.content.checks import CHECKS
from rekindle.content.model import LAYOUT_VARIABLES, VARIABLES
from rekindle.content.products import PRODUCT
from rekindle.profiles import find_blocks

REFUSED = "a name that is not known here or in the profile, or, in marketing, no way out"


def describe_content() -> Mapping[str, Sequence[Mapping[str, str]]]:
    """Return the tables of the reference page, by their titles."""
    names = [("variable", REFUSED, True)]
    checks = [(one.name, one.meaning, one.refuses) for one in CHECKS.values()]
    return {
        "Variables": [{"name": name, "meaning": text} for name, text in VARIABLES.items()],
        "Variables of the layout alone": [
            {"name": name, "meaning": text} for name, text in LAYOUT_VARIABLES.items()
        ],
        "Blocks": [
            {
                "list": f"blocks.{block.name}",
                "what it holds": block.meaning,
                "where there is nothing to say": block.otherwise,
            }
            for block in find_blocks().values()
        ],
        "What a product of a list has": [
            {"name": name, "meaning": text} for name, text in PRODUCT.items()
        ],
        "What is looked at": [
            {
                "check": name,
                "what is wrong": meaning,
                "what follows": "`plan` and `start` refuse" if refuses else "`plan` says so",
            }
            for name, meaning, refuses in (*names, *checks)
        ],
    }
