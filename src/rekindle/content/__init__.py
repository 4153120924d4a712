"""What we say: templates, checked before anyone is written to, and rendered for one."""

from rekindle.content.casting import Casts
from rekindle.content.checks import CHECKS, Check, Flaw, find_flaws, require_flawless
from rekindle.content.clicks import Click, ClickLinks
from rekindle.content.context import build_person, build_shop, full_name
from rekindle.content.describing import describe_content
from rekindle.content.language import render_page
from rekindle.content.model import (
    LAYOUT_VARIABLES,
    MAIL,
    MARKETING_VARIABLES,
    VARIABLES,
    Form,
    Rendered,
)
from rekindle.content.products import show_product
from rekindle.content.returning import KeptOffer, OfferFate, WayBack
from rekindle.content.starters import sequence_templates, starter_templates
from rekindle.content.templates import Templates, load_templates

__all__ = [
    "CHECKS",
    "LAYOUT_VARIABLES",
    "MAIL",
    "MARKETING_VARIABLES",
    "VARIABLES",
    "Casts",
    "Check",
    "Click",
    "ClickLinks",
    "Flaw",
    "Form",
    "KeptOffer",
    "OfferFate",
    "Rendered",
    "Templates",
    "WayBack",
    "build_person",
    "build_shop",
    "describe_content",
    "find_flaws",
    "full_name",
    "load_templates",
    "render_page",
    "require_flawless",
    "sequence_templates",
    "show_product",
    "starter_templates",
]
