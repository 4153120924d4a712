"""Writes each message: the template, the person's card and profile, and their links."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
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
from rekindle.ledger import OutboxMessage
from rekindle.messages import Address, Links, Message
from rekindle.profiles import FAMILIES
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel, Money, Purpose
from rekindle.worker.keeping.noticing import add_picture, find_uses
from rekindle.worker.links.clicking import build_links
from rekindle.worker.links.coming_back import sign_return
from rekindle.worker.links.subscribing import find_subscriptions, sign_subscription
from rekindle.worker.showing import Shown, blocks_in, load_blocks

logger = logging.getLogger(__name__)

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


class Composer:
    """Composes messages for one workspace."""

    def __init__(self, workspace: Workspace, audience: LiveAudience) -> None:
        self._workspace, self._audience = workspace, audience
        self._known: dict[tuple[str, Channel], frozenset[str]] = {}
        self._versions: dict[str, dict[int, JourneyVersion]] = {}
        self._policies: dict[tuple[str, int], JourneyRules] = {}
        self._shops: dict[Channel, Mapping[str, str]] = {}
        self._ready: set[Channel] = set()
        self._unsound: dict[tuple[str, Channel, str, int], BrokenTemplateError | None] = {}

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

        One that cannot be written does not keep the others back, whatever is wrong with it.
        """
        readers = self._readers(messages)
        mails: dict[str, Message | RekindleError] = {}
        self._ready.clear()  # settings are read once a pass, and say the same of all
        for message in messages:
            try:
                self._require_ready(message.channel)
                mails[message.key] = self._written(message, readers)
            except RekindleError as error:
                mails[message.key] = error
            except Exception as error:
                about = {"message": message.key, "person": message.person}
                logger.exception(
                    "message %s cannot be written", message.key[:12], extra={"about": about}
                )
                mails[message.key] = RekindleError(f"{type(error).__name__}: {error}")
        return mails

    def _require_ready(self, channel: Channel) -> None:
        if channel not in self._ready:
            self._workspace.require_ready(channel)
            self._ready.add(channel)

    def _unsubscribe_url(self, person: str, channel: Channel) -> str:
        """Return the signed link on which ``person`` leaves a channel's list (RFC 8058)."""
        space = self._workspace
        list_name = space.config.channel(channel).list_name or channel
        token = sign_unsubscribe(space.secret, person, list_name, channel=channel)
        return space.config.portal.page("u", token)

    def _preferences_url(self, person: str, at: datetime) -> str:
        """Return the signed link on which ``person`` chooses what they hear of."""
        space = self._workspace
        token = sign_preferences(space.secret, person, at)
        return space.config.portal.page("p", token)

    def _subscriptions(self, messages: Sequence[OutboxMessage], at: datetime) -> Mapping[str, str]:
        """Return the subscriptions of those whose template leads to theirs."""
        asked = {one.person for one in messages if self._leads_to_subscription(one)}
        return find_subscriptions(self._workspace, asked, at) if asked else {}

    def _leads_to_subscription(self, message: OutboxMessage) -> bool:
        """Return whether a message shows the page of a subscription that a biller knows."""
        has_biller = bool(self._workspace.config.billing.provider)
        return has_biller and "subscription_url" in self._variables(message)

    def _subscription_url(self, message: OutboxMessage, readers: _Readers) -> str:
        """Return the signed link to a reader's subscription.

        Raises:
            WorkError: the template shows it, and they have none.
        """
        if not self._leads_to_subscription(message):
            return ""
        person = message.person
        if person not in readers.subscriptions:
            raise WorkError("there is no subscription of theirs to lead to")
        found, touch = readers.subscriptions[person], message.key[:24]
        return sign_subscription(self._workspace, person, found, touch, readers.at)

    def _return_url(self, message: OutboxMessage, at: datetime) -> str:
        """Return the signed link to what was kept for the reader of a message."""
        if "return_url" not in self._variables(message):
            return ""
        token = sign_return(self._workspace.secret, message, at)
        return self._workspace.config.portal.page("return", token)

    def _confirm_url(self, message: OutboxMessage, waiting: Pending) -> str:
        """Return the signed link that confirms a yes to the channel of a message.

        Raises:
            WorkError: the template shows it, and there is nothing to confirm.
        """
        if not self._asks_to_confirm(message):
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

    def _asks_to_confirm(self, message: OutboxMessage) -> bool:
        return "confirm_url" in self._variables(message)

    def _readers(self, messages: Sequence[OutboxMessage]) -> _Readers:
        """Return what these messages say of those to whom they go."""
        at = self._workspace.clock.now()
        asked = {one.person for one in messages if self._asks_to_confirm(one)}
        cards = self._workspace.history.people({message.person for message in messages})
        return _Readers(
            at,
            cards=cards,
            noticed=self._noticed(messages, cards, at),
            subscriptions=self._subscriptions(messages, at),
            profiles=self._profiles(messages, at),
            shown=self._blocks(messages, at),
            pending=self._workspace.book.unconfirmed(asked, at) if asked else {},
        )

    def _noticed(
        self, messages: Sequence[OutboxMessage], cards: Mapping[str, Person], at: datetime
    ) -> frozenset[str]:
        """Return which of these messages may report that they were opened."""
        mails = [one for one in messages if find_form(one.channel).is_mail]
        found: set[str] = set()
        for channel in {one.channel for one in mails}:
            own = [one for one in mails if one.channel == channel]
            people = {one.person: cards[one.person] for one in own if one.person in cards}
            uses = find_uses(self._workspace, people, channel, at)
            found |= {one.key for one in own if one.person in uses}
        return frozenset(found)

    def _profiles(self, messages: Sequence[OutboxMessage], at: datetime) -> Profiles:
        """Return the profiles of those whose template shows something of theirs."""
        taking = [one for one in messages if self._columns(one)]
        if not taking:
            return {}
        columns = frozenset().union(*(self._columns(one) for one in taking))
        return self._audience.describe({one.person for one in taking}, at, columns)

    def _blocks(self, messages: Sequence[OutboxMessage], at: datetime) -> Mapping[str, Shown]:
        """Return the products for those whose template shows some."""
        asked: dict[str, set[str]] = {}
        for one in messages:
            for block in blocks_in(self._variables(one)):
                asked.setdefault(block, set()).add(one.person)
        found: dict[str, Shown] = {}
        for block, people in asked.items():
            for person, shown in load_blocks(self._workspace, people, [block], at).items():
                found[person] = {**found.get(person, {}), **shown}
        return found

    def _columns(self, message: OutboxMessage) -> frozenset[str]:
        """Return the profile columns that a message's template takes."""
        return self._variables(message) & FAMILIES.by_column.keys()

    def _variables(self, message: OutboxMessage) -> frozenset[str]:
        """Return every name that a message's template takes."""
        template = self._template(message)
        use = (template, message.channel)
        if use not in self._known:
            try:
                form = find_form(message.channel)
                self._known[use] = self.templates.variables(template, form)
            except RekindleError:
                return frozenset()  # said of the message itself when it is written
        return self._known[use]

    def _template(self, message: OutboxMessage) -> str:
        """Return by which name the templates know a message, as its variant is worded."""
        journey = self._journey(message) if message.variant else None
        if journey is None:
            return message.template
        written = (one.variant(message.variant) for one in journey.sends if one.key == message.step)
        variant = next(written, None)
        return self.templates.worded(message.template, variant.subject if variant else "")

    def _require_sound(self, message: OutboxMessage) -> None:
        """Refuse a template that was changed for the worse since its journey started.

        Raises:
            BrokenTemplateError: nobody can be written to with it, or not for this purpose.
        """
        use = (self._template(message), message.channel, message.journey, message.version)
        if use not in self._unsound:
            self._unsound[use] = self._find_fault(message)
        if (fault := self._unsound[use]) is not None:
            raise fault

    def _find_fault(self, message: OutboxMessage) -> BrokenTemplateError | None:
        is_marketing = self._purpose(message) is not Purpose.TRANSACTIONAL
        required = MARKETING_VARIABLES if is_marketing else ()
        form = find_form(message.channel)
        try:
            template = self._template(message)
            self.templates.check(template, FAMILIES.names, required=required, form=form)
        except BrokenTemplateError as error:
            return error
        return None

    def _version(self, message: OutboxMessage) -> JourneyVersion | None:
        """Return the version of a journey that a message is of, read once a version."""
        if message.journey not in self._versions:
            versions = self._workspace.book.versions(message.journey)
            self._versions[message.journey] = {one.version: one for one in versions}
        return self._versions[message.journey].get(message.version)

    def _journey(self, message: OutboxMessage) -> Journey | None:
        """Return the journey of a message as it was started."""
        version = self._version(message)
        return None if version is None else version.journey

    def _purpose(self, message: OutboxMessage) -> Purpose:
        journey = self._journey(message)
        return Purpose.MARKETING if journey is None else journey.purpose

    def _written(self, message: OutboxMessage, readers: _Readers) -> Message:
        self._require_sound(message)
        card = readers.cards.get(message.person)
        profile = readers.profiles.get(message.person, {})
        link = self._unsubscribe_url(message.person, message.channel)
        properties = card.properties if card else {}
        shown = {column: profile.get(column) for column in self._columns(message)}
        context = {
            **build_person(properties, card.address if card else None, shown),
            "blocks": readers.shown.get(message.person, {}),
            "variant": message.variant,
            "offer": _offer(message),
            "shop": self._shop(message.channel),
            "unsubscribe_url": link,
            "preferences_url": self._preferences_url(message.person, readers.at),
            "return_url": self._return_url(message, readers.at),
            "confirm_url": self._confirm_url(message, readers.pending),
            "subscription_url": self._subscription_url(message, readers),
        }
        journey = self._journey(message)
        written = Message(
            key=message.key,
            channel=message.channel,
            person=message.person,
            address=Address(message.address_kind, message.address),
            parts=self._parts(message, context, is_noticed=message.key in readers.noticed),
            at=readers.at,
            purpose=self._purpose(message),
            topic="" if journey is None else journey.topic,
            name=full_name(properties),
            links=Links(link),
            cost_micros=message.cost_micros,
            leave_by=self._leave_by(message, readers.at),
        )
        return self._priced(written)

    def _parts(
        self, message: OutboxMessage, context: Mapping[str, object], *, is_noticed: bool
    ) -> Mapping[str, str]:
        """Return what a message says; what is asked for, or printed, counts no clicks by links."""
        form = find_form(message.channel)
        parts = self._casts.render_for(self._template(message), context, form)
        can = self._workspace.capabilities[message.channel]
        if can.is_asked_for or can.is_on_paper:
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

    def _leave_by(self, message: OutboxMessage, at: datetime) -> datetime:
        """Return until when the message may reach the person, as the gate sees it."""
        version = self._version(message)
        if version is None:
            return message.expires_at
        key = (version.journey.name, version.version)
        if key not in self._policies:  # the rules of the house are built anew at each asking
            self._policies[key] = build_journey_rules(version, self._workspace.rules)
        policy = self._policies[key]
        step = Send(message.step, message.channel, message.template)
        latest = find_leave_by(message.dossier, step, policy, at)
        return latest if message.offer is None else min(latest, message.offer.ends_at)

    def _shop(self, channel: Channel) -> Mapping[str, str]:
        """Return what a template may show of the business."""
        if channel not in self._shops:
            config = self._workspace.config
            self._shops[channel] = build_shop(config, config.channel(channel).shown)
        return self._shops[channel]


def _offer(message: OutboxMessage) -> Mapping[str, str]:
    """Return what a template may show of the offer that a message brings."""
    given = message.offer
    if given is None:
        return {"text": "", "code": "", "ends": ""}
    return {"text": given.text, "code": given.code, "ends": given.ends_on.isoformat()}
