"""What we say: templates, checked before anyone is written to, and rendered for one."""

from rekindle.content.casting import Casts
from rekindle.content.language import render_page
from rekindle.content.model import MARKETING_VARIABLES, VARIABLES, Rendered
from rekindle.content.starters import starter_templates
from rekindle.content.templates import Templates, load_templates

__all__ = [
    "MARKETING_VARIABLES",
    "VARIABLES",
    "Casts",
    "Rendered",
    "Templates",
    "load_templates",
    "render_page",
    "starter_templates",
]
