"""The template that the guide shows is one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from rekindle.content import MARKETING_VARIABLES, VARIABLES, load_templates
from rekindle.profiles import FAMILIES
from tests.content.conftest import Write

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-template.md"


def test_the_template_of_the_guide_can_be_sent(write: Write, alice: dict[str, Any]) -> None:
    shown = re.search(r"```mjml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert shown is not None
    templates = load_templates(write(source=shown[1]))
    templates.check("letter", FAMILIES.names, required=MARKETING_VARIABLES)
    rendered = templates.render("letter", {**alice, "silence_days": 240})
    assert "Dear Alice,\nit has been 240 days." in rendered.text


def test_the_guide_names_every_variable() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert [name for name in VARIABLES if f"`{name}`" not in text] == []
