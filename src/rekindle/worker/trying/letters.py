"""Writes what a journey would say to some readers, by the same templates as the worker does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rekindle.channels import find_form
from rekindle.content import Form, Templates, build_person, build_shop, load_templates
from rekindle.errors import RekindleError
from rekindle.journeys import Journey, Send
from rekindle.offers import Codes
from rekindle.profiles import FAMILIES
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel
from rekindle.worker.showing import Shown, blocks_in, load_blocks
from rekindle.worker.trying.readers import Reader, find_readers

NO_TOKEN = "a-preview-leads-nowhere"
"""What stands in links for a person's token: a page that is passed on must not act for anyone."""

NO_CODE = "NOT-A-CODE"


@dataclass(frozen=True, slots=True)
class Draft:
    """One message to the ``place``-th reader; ``trouble`` says why it could not be written."""

    number: int
    place: int
    step: str
    channel: Channel
    template: str
    variant: str
    reader: Reader
    parts: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""


def write_letters(
    workspace: Workspace, journey: Journey, at: datetime, *, customer: str = ""
) -> Sequence[Draft]:
    """Return every message of a journey, of each variant, for each reader.

    Raises:
        UsageError: nobody is known as ``customer``.
        TemplateError: a template cannot be used by anyone.
    """
    templates = load_templates(workspace.directory / "templates")
    names = (
        templates.variables(templates.worded(one.template, one.subject), find_form(send.channel))
        for send in journey.sends
        for one in send.wordings
    )
    used: frozenset[str] = frozenset().union(*names)
    columns = used & FAMILIES.by_column.keys()
    readers = find_readers(workspace, journey, at, columns=columns, customer=customer)
    # Nobody has no history, and is shown what those are shown who have none.
    people = {one.person for one in readers}
    shown = load_blocks(workspace, people, blocks_in(used), at)
    told = [(one, shown[one.person]) for one in readers]
    return list(_letters(workspace, journey, templates, told, at))


def _letters(
    workspace: Workspace,
    journey: Journey,
    templates: Templates,
    readers: Sequence[tuple[Reader, Shown]],
    at: datetime,
) -> Iterator[Draft]:
    number = 0
    for send in journey.sends:
        form = find_form(send.channel)
        offer = _sample_offer(workspace, send, at)
        for wording in send.wordings:
            number += 1
            template = templates.worded(wording.template, wording.subject)
            templates.check(template, FAMILIES.names, form=form)
            for place, (reader, shown) in enumerate(readers, 1):
                context = {
                    **_context(workspace, send, reader),
                    "offer": offer,
                    "blocks": shown,
                    "variant": wording.name,
                }
                parts, trouble = _rendered(templates, template, context, form)
                yield Draft(
                    number=number,
                    place=place,
                    step=send.key,
                    channel=send.channel,
                    template=wording.template,
                    variant=wording.name,
                    reader=reader,
                    parts=parts,
                    trouble=trouble,
                )


def _context(workspace: Workspace, send: Send, reader: Reader) -> dict[str, object]:
    config = workspace.config
    return {
        **build_person(reader.properties, reader.address, reader.profile),
        "shop": build_shop(config, config.channel(send.channel).shown),
        "unsubscribe_url": config.portal.page("u", NO_TOKEN),
        "preferences_url": config.portal.page("p", NO_TOKEN),
        "return_url": config.portal.page("return", NO_TOKEN),
        "confirm_url": config.portal.page("confirm", NO_TOKEN),
        "subscription_url": config.portal.page("s", NO_TOKEN) if config.billing.provider else "",
        "leave_url": config.portal.page("leave", NO_TOKEN) if config.billing.provider else "",
        **_sample_kept(workspace),
    }


def _sample_kept(workspace: Workspace) -> Mapping[str, object]:
    """Return what would be said of belongings on the first day on which they are warned of."""
    settings, zone = workspace.config.subscriptions.kept, workspace.zone
    if not settings.what:
        return {}
    today = workspace.clock.now().astimezone(zone).date()
    until = today + timedelta(days=settings.warning_days)
    return {"kept_until": until, "kept_things": list(settings.what)}


def _sample_offer(workspace: Workspace, send: Send, at: datetime) -> Mapping[str, str]:
    """Return what a step's first offer would look like; no code is drawn for a look."""
    if send.offer is None:
        return {}
    option = next(workspace.offers.candidates(send.offer), None)
    if option is None:
        return {}
    return {
        "text": option.terms.describe(workspace.config.workspace.currency),
        "code": "" if option.terms.codes is Codes.NONE else NO_CODE,
        "ends": (at + option.terms.lasts).astimezone(workspace.zone).date().isoformat(),
    }


def _rendered(
    templates: Templates, template: str, context: Mapping[str, object], form: Form
) -> tuple[Mapping[str, str], str]:
    try:
        return templates.render_for(template, context, form), ""
    except RekindleError as error:
        return {}, str(error)
