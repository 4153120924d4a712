"""Writes each message: the template, the person's card and profile, and their links."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from rekindle.channels import find_channel, find_form
from rekindle.consent import (
    LinkPurpose,
    PendingConsent,
    PersonLink,
    sign_link,
    sign_preferences,
    sign_unsubscribe,
    write_about,
)
from rekindle.content import (
    MARKETING_VARIABLES,
    Casts,
    ClickLinks,
    Form,
    Templates,
    build_person,
    build_shop,
    full_name,
    load_templates,
)
from rekindle.errors import BrokenTemplateError, RekindleError, WorkError
from rekindle.gate import JourneyRules, find_leave_by
from rekindle.journeys import Journey, JourneyVersion, Person, Send, build_journey_rules
from rekindle.journeys.population import LiveAudience
from rekindle.ledger import BelongingsEntry, BelongingsRegister, OutboxMessage
from rekindle.messages import Address, Links, Message
from rekindle.profiles import FAMILIES
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel, Money, Purpose
from rekindle.worker.keeping.noticing import add_picture, find_uses
from rekindle.worker.links.clicking import build_links
from rekindle.worker.links.coming_back import sign_return
from rekindle.worker.links.subscribing import find_subscriptions, sign_subscription
from rekindle.worker.showing import Shown, blocks_in, load_blocks

SUBSCRIPTION_PAGES = {
    "subscription_url": LinkPurpose.SUBSCRIPTION,
    "leave_url": LinkPurpose.LEAVE,
}

KEPT_VARIABLES = frozenset({"kept_until", "kept_things"})

logger = logging.getLogger(__name__)

_Like = tuple[str, Channel, str, int, str, str]
Profiles = Mapping[str, Mapping[str, Any]]
Pending = Mapping[tuple[str, Channel], PendingConsent]


@dataclass(frozen=True, slots=True)
class _Readers:
    """Those to whom messages go: what the messages of one pass say of them, asked once for all.

    ``pending`` are the yeses that wait for the confirmation that a message asks for;
    ``noticed`` are the messages whose opening may be kept, by their keys.
    """

    at: datetime
    cards: Mapping[str, Person]
    profiles: Profiles
    shown: Mapping[str, Shown]
    pending: Pending
    noticed: frozenset[str]
    subscriptions: Mapping[str, str]
    kept: Mapping[str, BelongingsEntry]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What all messages of one step, in one variant, have in common.

    ``template`` is by which name the templates know it, ``policy`` None where the version is
    not on record.
    """

    template: str
    form: Form
    variables: frozenset[str]
    columns: frozenset[str]
    purpose: Purpose
    topic: str
    step: Send
    policy: JourneyRules | None
    list_name: str
    has_links: bool


_Groups = Sequence[tuple[_Plan, Sequence[OutboxMessage]]]
"""Messages, with the plan that some have in common."""


class _Letters(Mapping[str, Message | RekindleError]):
    """Messages by their keys, each written when it is first looked up.

    It is looked up ahead, and again as it leaves; then it is forgotten. The next is written
    where it was, in memory that the processor has at hand: a quarter of what writing takes.
    """

    def __init__(
        self,
        messages: Sequence[OutboxMessage],
        write: Callable[[OutboxMessage], Message | RekindleError],
    ) -> None:
        self._messages = {message.key: message for message in messages}
        self._write = write
        self._written: dict[str, Message | RekindleError] = {}

    def __getitem__(self, key: str) -> Message | RekindleError:
        found = self._written.pop(key, None)
        if found is None:
            found = self._written[key] = self._write(self._messages[key])
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._messages)

    def __len__(self) -> int:
        return len(self._messages)


class Composer:
    """Composes messages for one workspace."""

    def __init__(self, workspace: Workspace, audience: LiveAudience) -> None:
        self._workspace, self._audience = workspace, audience
        self._plans: dict[_Like, _Plan] = {}
        self._versions: dict[str, dict[int, JourneyVersion]] = {}
        self._shops: dict[Channel, Mapping[str, str]] = {}
        self._ready: set[Channel] = set()
        self._unsound: dict[tuple[str, Form, Purpose], BrokenTemplateError | None] = {}

    @cached_property
    def templates(self) -> Templates:
        """Return the workspace's templates, compiled."""
        return load_templates(self._workspace.directory / "templates")

    @cached_property
    def _casts(self) -> Casts:
        return Casts(self.templates)

    @cached_property
    def _links(self) -> ClickLinks:
        return build_links(self._workspace)

    def compose(self, messages: Sequence[OutboxMessage]) -> Mapping[str, Message | RekindleError]:
        """Return each message as it leaves by its key, or why it cannot be written.

        What they say is read at once for all; each is written when it is first looked up. One
        that cannot be written does not keep the others back, whatever is wrong with it.
        """
        readers = self._readers(messages)
        self._ready.clear()  # settings are read once a pass, and say the same of all
        return _Letters(messages, lambda message: self._written_or_why(message, readers))

    def _written_or_why(self, message: OutboxMessage, readers: _Readers) -> Message | RekindleError:
        try:
            self._require_ready(message.channel)
            return self._written(message, readers)
        except RekindleError as error:
            return error
        except Exception as error:
            about = {"message": message.key, "person": message.person}
            logger.exception(
                "message %s cannot be written", message.key[:12], extra={"about": about}
            )
            return RekindleError(f"{type(error).__name__}: {error}")

    def _require_ready(self, channel: Channel) -> None:
        if channel not in self._ready:
            self._workspace.require_ready(channel)
            self._ready.add(channel)

    @cached_property
    def _secret(self) -> bytes:
        return self._workspace.secret

    def _unsubscribe_url(self, message: OutboxMessage, plan: _Plan) -> str:
        """Return the signed link on which a person leaves a channel's list (RFC 8058)."""
        token = sign_unsubscribe(
            self._secret, message.person, plan.list_name, channel=message.channel
        )
        return self._workspace.config.portal.page("u", token)

    def _preferences_url(self, person: str, plan: _Plan, at: datetime) -> str:
        """Return the signed link on which ``person`` chooses what they hear of."""
        if "preferences_url" not in plan.variables:
            return ""
        token = sign_preferences(self._secret, person, at)
        return self._workspace.config.portal.page("p", token)

    def _subscriptions(self, groups: _Groups, at: datetime) -> Mapping[str, str]:
        """Return the subscriptions of those whose template leads to theirs."""
        asked = _people(groups, self._leads_to_subscription)
        return find_subscriptions(self._workspace, asked, at) if asked else {}

    def _leads_to_subscription(self, plan: _Plan) -> bool:
        """Return whether a message shows the page of a subscription that a biller knows."""
        has_biller = bool(self._workspace.config.billing.provider)
        return has_biller and not SUBSCRIPTION_PAGES.keys().isdisjoint(plan.variables)

    def _subscription_urls(
        self, message: OutboxMessage, plan: _Plan, readers: _Readers
    ) -> Iterator[tuple[str, str]]:
        """Yield the signed links to a reader's subscription, by variable.

        Raises:
            WorkError: the template shows one, and they have none.
        """
        has = self._leads_to_subscription(plan)
        for name, purpose in SUBSCRIPTION_PAGES.items():
            shows = has and name in plan.variables
            yield name, self._subscription_url(message, readers, purpose) if shows else ""

    def _subscription_url(
        self, message: OutboxMessage, readers: _Readers, purpose: LinkPurpose
    ) -> str:
        person = message.person
        if person not in readers.subscriptions:
            raise WorkError("there is no subscription of theirs to lead to")
        found, touch = readers.subscriptions[person], message.key[:24]
        space, at = self._workspace, readers.at
        return sign_subscription(space, person, found, touch, at, purpose=purpose)

    def _kept(self, groups: _Groups) -> Mapping[str, BelongingsEntry]:
        """Return what is kept for those whose template says so."""
        asked = _people(groups, _says_kept)
        return BelongingsRegister(self._workspace.ledger).newest_of(asked) if asked else {}

    def _told_kept(
        self, message: OutboxMessage, plan: _Plan, readers: _Readers
    ) -> Mapping[str, object]:
        """Return what is kept for a reader and until when.

        Raises:
            WorkError: the template says it, and nothing is kept for them any more.
        """
        if not _says_kept(plan):
            return {}
        found = readers.kept.get(message.person)
        today = readers.at.astimezone(self._workspace.zone).date()
        if found is None or found.state(today) != "kept":
            raise WorkError("nothing is kept for them, or not any more")
        return {"kept_until": found.kept_until, "kept_things": list(found.what)}

    def _return_url(self, message: OutboxMessage, plan: _Plan, at: datetime) -> str:
        """Return the signed link to what was kept for the reader of a message."""
        if "return_url" not in plan.variables:
            return ""
        token = sign_return(self._workspace.secret, message, at)
        return self._workspace.config.portal.page("return", token)

    def _confirm_url(self, message: OutboxMessage, plan: _Plan, waiting: Pending) -> str:
        """Return the signed link that confirms a yes to the channel of a message.

        Raises:
            WorkError: the template shows it, and there is nothing to confirm.
        """
        if not _asks_to_confirm(plan):
            return ""
        space = self._workspace
        pending = waiting.get((message.person, message.channel))
        if pending is None:
            raise WorkError(f"no yes of theirs to {message.channel} waits for a confirmation")
        about = write_about(space.secret, pending, message.address)
        until = pending.at + space.config.consent.confirm_within
        token = sign_link(
            space.secret, LinkPurpose.CONFIRM, PersonLink(message.person, until, about)
        )
        return space.config.portal.page("confirm", token)

    def _readers(self, messages: Sequence[OutboxMessage]) -> _Readers:
        """Return what these messages say of those to whom they go."""
        at = self._workspace.clock.now()
        groups = self._grouped(messages)
        asked = _people(groups, _asks_to_confirm)
        cards = self._workspace.history.people({message.person for message in messages})
        return _Readers(
            at,
            cards=cards,
            noticed=self._noticed(groups, cards, at),
            subscriptions=self._subscriptions(groups, at),
            kept=self._kept(groups),
            profiles=self._profiles(groups, at),
            shown=self._blocks(groups, at),
            pending=self._workspace.book.unconfirmed(asked, at) if asked else {},
        )

    def _grouped(self, messages: Sequence[OutboxMessage]) -> _Groups:
        """Return messages by what they have in common: of what a plan asks, it is asked once."""
        found: dict[int, tuple[_Plan, list[OutboxMessage]]] = {}
        for one in messages:
            plan = self._plan(one)
            found.setdefault(id(plan), (plan, []))[1].append(one)
        return list(found.values())

    def _noticed(
        self, groups: _Groups, cards: Mapping[str, Person], at: datetime
    ) -> frozenset[str]:
        """Return which of these messages may report that they were opened."""
        mails: dict[Channel, list[OutboxMessage]] = {}
        for plan, own in groups:
            if plan.form.is_mail:
                mails.setdefault(plan.step.channel, []).extend(own)
        found: set[str] = set()
        for channel, own in mails.items():
            people = {one.person: cards[one.person] for one in own if one.person in cards}
            uses = find_uses(self._workspace, people, channel, at)
            found |= {one.key for one in own if one.person in uses}
        return frozenset(found)

    def _profiles(self, groups: _Groups, at: datetime) -> Profiles:
        """Return the profiles of those whose template shows something of theirs."""
        columns = frozenset().union(*(plan.columns for plan, _ in groups))
        if not columns:
            return {}
        return self._audience.describe(_people(groups, _shows_columns), at, columns)

    def _blocks(self, groups: _Groups, at: datetime) -> Mapping[str, Shown]:
        """Return the products for those whose template shows some."""
        asked: dict[str, set[str]] = {}
        for plan, own in groups:
            for block in blocks_in(plan.variables):
                asked.setdefault(block, set()).update(one.person for one in own)
        found: dict[str, Shown] = {}
        for block, people in asked.items():
            for person, shown in load_blocks(self._workspace, people, [block], at).items():
                found[person] = {**found.get(person, {}), **shown}
        return found

    def _plan(self, message: OutboxMessage) -> _Plan:
        """Return what all messages like this one have in common, found once."""
        like = (
            message.template,
            message.channel,
            message.journey,
            message.version,
            message.step,
            message.variant,
        )
        found = self._plans.get(like)
        if found is None:
            found = self._plans[like] = self._planned(message)
        return found

    def _planned(self, message: OutboxMessage) -> _Plan:
        version = self._version(message)
        journey = None if version is None else version.journey
        template = self._template(message, journey)
        form = find_form(message.channel)
        can = self._workspace.capabilities[message.channel]
        try:
            variables = self.templates.variables(template, form)
        except RekindleError:
            variables = frozenset()  # said of the message itself when it is written
        return _Plan(
            template=template,
            form=form,
            variables=variables,
            columns=variables & FAMILIES.by_column.keys(),
            purpose=Purpose.MARKETING if journey is None else journey.purpose,
            topic="" if journey is None else journey.topic,
            step=Send(message.step, message.channel, message.template),
            policy=None if version is None else build_journey_rules(version, self._workspace.rules),
            list_name=self._workspace.config.channel(message.channel).list_name or message.channel,
            has_links=not (can.is_asked_for or can.is_on_paper),
        )

    def _template(self, message: OutboxMessage, journey: Journey | None) -> str:
        """Return by which name the templates know a message, as its variant is worded."""
        if journey is None or not message.variant:
            return message.template
        written = (one.variant(message.variant) for one in journey.sends if one.key == message.step)
        variant = next(written, None)
        return self.templates.worded(message.template, variant.subject if variant else "")

    def _require_sound(self, plan: _Plan) -> None:
        """Refuse a template that was changed for the worse since its journey started.

        Raises:
            BrokenTemplateError: nobody can be written to with it, or not for this purpose.
        """
        use = (plan.template, plan.form, plan.purpose)
        if use not in self._unsound:
            self._unsound[use] = self._find_fault(plan)
        if (fault := self._unsound[use]) is not None:
            raise fault

    def _find_fault(self, plan: _Plan) -> BrokenTemplateError | None:
        required = MARKETING_VARIABLES if plan.purpose is not Purpose.TRANSACTIONAL else ()
        try:
            self.templates.check(plan.template, FAMILIES.names, required=required, form=plan.form)
        except BrokenTemplateError as error:
            return error
        return None

    def _version(self, message: OutboxMessage) -> JourneyVersion | None:
        """Return the version of a journey that a message is of, read once a version."""
        if message.journey not in self._versions:
            versions = self._workspace.book.versions(message.journey)
            self._versions[message.journey] = {one.version: one for one in versions}
        return self._versions[message.journey].get(message.version)

    def _written(self, message: OutboxMessage, readers: _Readers) -> Message:
        plan = self._plan(message)
        self._require_sound(plan)
        card = readers.cards.get(message.person)
        profile = readers.profiles.get(message.person, {})
        link = self._unsubscribe_url(message, plan)
        properties = card.properties if card else {}
        shown = {column: profile.get(column) for column in plan.columns}
        context = {
            **build_person(properties, card.address if card else None, shown),
            "blocks": readers.shown.get(message.person, {}),
            "variant": message.variant,
            "offer": _offer(message),
            "shop": self._shop(message.channel),
            "unsubscribe_url": link,
            "preferences_url": self._preferences_url(message.person, plan, readers.at),
            "return_url": self._return_url(message, plan, readers.at),
            "confirm_url": self._confirm_url(message, plan, readers.pending),
            **dict(self._subscription_urls(message, plan, readers)),
            **self._told_kept(message, plan, readers),
        }
        written = Message(
            key=message.key,
            channel=message.channel,
            person=message.person,
            address=Address(message.address_kind, message.address),
            parts=self._parts(message, plan, context, is_noticed=message.key in readers.noticed),
            at=readers.at,
            purpose=plan.purpose,
            topic=plan.topic,
            name=full_name(properties),
            links=Links(link),
            cost_micros=message.cost_micros,
            leave_by=self._leave_by(message, plan, readers.at),
        )
        return self._priced(written)

    def _parts(
        self,
        message: OutboxMessage,
        plan: _Plan,
        context: Mapping[str, object],
        *,
        is_noticed: bool,
    ) -> Mapping[str, str]:
        """Return what a message says; what is asked for, or printed, counts no clicks by links."""
        parts = self._casts.render_for(plan.template, context, plan.form)
        if not plan.has_links:
            return parts
        key, person, channel = message.key, message.person, message.channel
        parts = self._links.wrap(parts, message=key, person=person, channel=channel)
        if not is_noticed:
            return parts
        return add_picture(self._workspace, parts, message=key, person=person, channel=channel)

    def _priced(self, written: Message) -> Message:
        """Return a message with what it costs as it was written."""
        config, folder = self._workspace.config, find_channel(written.channel)
        if folder.price is None:
            return written
        cost = folder.price(config.channel(written.channel), written)
        return replace(written, cost_micros=Money(cost, config.workspace.currency).micros)

    def _leave_by(self, message: OutboxMessage, plan: _Plan, at: datetime) -> datetime:
        """Return until when the message may reach the person, as the gate sees it."""
        if plan.policy is None:
            return message.expires_at
        latest = find_leave_by(message.dossier, plan.step, plan.policy, at)
        return latest if message.offer is None else min(latest, message.offer.ends_at)

    def _shop(self, channel: Channel) -> Mapping[str, str]:
        """Return what a template may show of the business."""
        if channel not in self._shops:
            config = self._workspace.config
            self._shops[channel] = build_shop(config, config.channel(channel).shown)
        return self._shops[channel]


def _people(groups: _Groups, asks: Callable[[_Plan], bool]) -> set[str]:
    """Return those to whom the messages go of which the plan asks something."""
    return {one.person for plan, own in groups if asks(plan) for one in own}


def _shows_columns(plan: _Plan) -> bool:
    return bool(plan.columns)


def _says_kept(plan: _Plan) -> bool:
    return not KEPT_VARIABLES.isdisjoint(plan.variables)


def _asks_to_confirm(plan: _Plan) -> bool:
    return "confirm_url" in plan.variables


def _offer(message: OutboxMessage) -> Mapping[str, str]:
    """Return what a template may show of the offer that a message brings."""
    given = message.offer
    if given is None:
        return {"text": "", "code": "", "ends": ""}
    return {"text": given.text, "code": given.code, "ends": given.ends_on.isoformat()}
