"""What a journey's offers refer to, checked before it starts, and what they ask the profile."""

from __future__ import annotations

from difflib import get_close_matches

from rekindle.audiences import parse_predicate
from rekindle.channels import find_form
from rekindle.content import Templates
from rekindle.errors import JourneyError, TemplateError
from rekindle.journeys import BASKET, Journey, Send, WaitForDate
from rekindle.offers import Codes, Offers, Option, Wanted
from rekindle.runtime import Workspace

CODE = "offer.code"
SHOWING = frozenset({CODE, "return_url"})
"""What shows a code to its reader: the message itself, or the page it leads to."""


def check_offers(workspace: Workspace, journey: Journey, templates: Templates) -> None:
    """Check the offers of a journey: that they are there, can be priced and show their code.

    Raises:
        OfferError: ``offers.yaml`` cannot be used.
        JourneyError: a step wants an offer that is not there, or that can never be given.
        PredicateError: a condition of one asks for what the profile does not hold.
        TemplateError: a message brings a code and does not show it.
    """
    giving = [send for send in journey.sends if send.offer is not None]
    offers = workspace.offers if giving else Offers()
    for send in giving:
        assert send.offer is not None
        candidates = list(offers.candidates(send.offer))
        if not candidates:
            raise JourneyError(_say_unknown(journey, send.offer, offers))
        for predicate in (text for one in candidates for text in one.predicates):
            parse_predicate(predicate)
        _require_margin(workspace, journey, candidates)
        _require_shown(send, candidates, templates)
        _require_reachable_tie(journey, candidates)


def predicates_of_offers(journey: Journey, offers: Offers) -> list[str]:
    """Return every predicate that the offers of a journey ask the profile."""
    wanted = (send.offer for send in journey.sends if send.offer is not None)
    candidates = (one for each in wanted for one in offers.candidates(each))
    return list(dict.fromkeys(text for one in candidates for text in one.predicates))


def columns_of(journey: Journey) -> list[str]:
    """Return the columns whose values a journey's steps ask for: dates, and the basket."""
    dates = [step.column for step in journey.all_steps if isinstance(step, WaitForDate)]
    return [*dates, BASKET] if any(send.offer for send in journey.sends) else dates


def _say_unknown(journey: Journey, wanted: Wanted, offers: Offers) -> str:
    known = list(offers.ladders if wanted.is_ladder else offers.terms)
    near = get_close_matches(wanted.name, known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"it knows {', '.join(known) or 'none'}"
    return f"journey {journey.name} gives the {_noun(wanted)}, which offers.yaml lacks; {hint}"


def _noun(wanted: Wanted) -> str:
    return str(wanted) if wanted.is_ladder else f"offer {wanted}"


def _require_margin(workspace: Workspace, journey: Journey, candidates: list[Option]) -> None:
    """Refuse what would never be given, for nobody can tell what it leaves."""
    if workspace.config.offers.margin is not None:
        return
    basket = workspace.config.offers.basket or 100
    if any(one.terms.cost(type(one.terms.minimum_basket)(basket)) for one in candidates):
        raise JourneyError(
            f"journey {journey.name} gives an offer that costs something, and nobody said what is "
            "left of a price; set [offers] margin in rekindle.toml"
        )


def _require_reachable_tie(journey: Journey, candidates: list[Option]) -> None:
    """Refuse a tie to what begins the journey: only what is done after entering counts."""
    trigger = journey.trigger
    for one in candidates:
        if trigger is not None and trigger.event in one.events:
            raise JourneyError(
                f"journey {journey.name} begins with {trigger.event}, and gives {one.offer}, which "
                "is tied to that and asks for it once more; remove tied_to from the offer"
            )


def _require_shown(send: Send, candidates: list[Option], templates: Templates) -> None:
    """Refuse a message that brings a code which its reader would never see."""
    if all(one.terms.codes is Codes.NONE for one in candidates):
        return
    for one in send.wordings:
        if not SHOWING & templates.variables(one.template, find_form(send.channel)):
            raise TemplateError(
                f"the step {send.key} brings a code, but its template {one.template} does not show "
                f"{{{{ {CODE} }}}}; add it, or {{{{ return_url }}}}, whose page shows it"
            )
