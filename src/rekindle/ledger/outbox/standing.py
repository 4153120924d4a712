"""Reads what the gate would be told of one person if a message were to leave now.

It is for those who ask without sending anything: the verdict of ``rekindle explain``.
"""

from __future__ import annotations

from datetime import datetime

from rekindle.consent import NO_PREFERENCES
from rekindle.gate import BookRules, Dossier, DossierBuilder, Enrolment, OnFile
from rekindle.ledger import models
from rekindle.ledger.book.addresses import load_address
from rekindle.ledger.outbox.leaving import load_beside, load_papers
from rekindle.ledger.statements import last_word
from rekindle.messages import find_problem
from rekindle.vocabulary import Arm, Channel, Purpose


def read_standing(
    alias: str,
    person: str,
    channel: Channel,
    *,
    terms: BookRules,
    at: datetime,
    last_order_at: datetime | None,
) -> Dossier:
    """Return the dossier of a marketing message that fell due at ``at``."""
    card = models.Person.objects.using(alias).filter(pk=person).first() or models.Person(person)
    papers = load_papers(alias, {person}, frozenset(), terms, at)
    kind = terms.address_kind(channel)
    address = load_address(alias, card, kind)
    beside = load_beside(alias, {person}, terms, papers, at).get(person, ())
    known = OnFile(
        channel,
        Purpose.MARKETING,
        last_word(papers.statements.get(person, ""), channel),
        (card.timezone, card.country, card.phone),
        not find_problem(address),
        papers.is_suppressed(person, channel.value, kind, Purpose.MARKETING),
        card.erased_at is not None,
        papers.wishes.get(person, NO_PREFERENCES),
        papers.exclusions.get(person),
        papers.events.get(person, ()),
        person in papers.withheld,
    )
    enrolment = Enrolment(person, "", 0, 0, Arm.TREATMENT, at, last_order_at, 0, at, at)
    sent = tuple(other.sent for other in beside)
    return DossierBuilder(terms, at).build(enrolment, known, exit=None, sent=sent)
