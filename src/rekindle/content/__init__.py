"""What we say: templates, checked before anyone is written to, and rendered for one."""

from rekindle.content.casting import Casts
from rekindle.content.context import build_person, build_shop, full_name
from rekindle.content.language import render_page
from rekindle.content.model import (
    LAYOUT_VARIABLES,
    MAIL,
    MARKETING_VARIABLES,
    VARIABLES,
    Form,
    Rendered,
)
from rekindle.content.starters import starter_templates
from rekindle.content.templates import Templates, load_templates

__all__ = [
    "LAYOUT_VARIABLES",
    "MAIL",
    "MARKETING_VARIABLES",
    "VARIABLES",
    "Casts",
    "Form",
    "Rendered",
    "Templates",
    "build_person",
    "build_shop",
    "full_name",
    "load_templates",
    "render_page",
    "starter_templates",
]
