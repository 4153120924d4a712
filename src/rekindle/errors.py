"""Every exception Rekindle raises on purpose.

RekindleError
├── UsageError              the user's input is wrong; exit code 2
│   ├── ConfigError         rekindle.toml or the environment
│   ├── SourceError         a file or query that cannot be read as facts
│   ├── PredicateError      an audience predicate
│   ├── JourneyError        a journey file
│   ├── OfferError          the file of offers, or a file of codes
│   │   └── CodeTakenError      the shop has that code, and not from here
│   ├── TemplateError       a template
│   │   └── BrokenTemplateError  it can be written to nobody until its file is mended
│   ├── EventError          one reported event; the rest of its batch is taken
│   │   └── ForgedReportError   a provider's report that is not signed as it should be
│   └── WorkspaceError      no workspace here, or one of another format
├── WorkError               the input was right, the work failed; exit code 1
│   ├── LakeError           the facts cannot be read or written
│   ├── QuestionError       the facts' engine cannot answer one question
│   ├── LedgerError         the ledger cannot be reached or refused a write
│   ├── BillerError         the biller did not answer, or not as it should
│   │   └── BillerRefusedError  it will not do this, however often it is asked
│   └── BusyError           another process holds the workspace
└── DeliveryError           a provider did not take a message
    ├── TemporaryDeliveryError  the same message may go later
    ├── PermanentDeliveryError  the address takes no messages: a bounce
    │   └── MalformedAddressError   it is no address; nobody was asked, so no bounce
    ├── AddressGoneError        the address is none any more; the person may have another
    ├── OptedOutError           its owner told the provider to write no more
    ├── RefusedContentError     the message is not taken; its address may be good
    ├── OutletFaultError        the provider refuses all of us until we mend something
    └── UnknownFateError        nobody knows whether it left

A message says what was wrong, where, and what to do.
"""

from __future__ import annotations

from datetime import timedelta


class RekindleError(Exception):
    """The root of everything raised on purpose."""

    exit_code = 1


class UsageError(RekindleError):
    """The input is wrong: a command, a file or a setting."""

    exit_code = 2


class ConfigError(UsageError):
    """``rekindle.toml`` or the environment cannot be used as it is."""


class SourceError(UsageError):
    """A source of facts cannot be read, or holds what its contract forbids."""


class PredicateError(UsageError):
    """An audience predicate does not parse, type-check or name known columns."""


class JourneyError(UsageError):
    """A journey file cannot be used as it is."""


class OfferError(UsageError):
    """The file of offers, or a file of codes, cannot be used as it is."""


class CodeTakenError(OfferError):
    """A shop has a code already that was not made from here."""


class TemplateError(UsageError):
    """A template does not parse or uses what it may not."""


class BrokenTemplateError(TemplateError):
    """A template that can be written to nobody until its file is there and mended."""


class EventError(UsageError):
    """A reported event that cannot be taken; ``problem`` says why in one word."""

    def __init__(self, problem: str, detail: str) -> None:
        super().__init__(detail)
        self.problem = problem


class ForgedReportError(EventError):
    """A provider's report that is not signed by whom it should be."""

    def __init__(self, detail: str) -> None:
        super().__init__("forged", detail)


class WorkspaceError(UsageError):
    """The folder is no workspace, or one this version cannot open."""


class WorkError(RekindleError):
    """The input was right but the work failed."""


class LakeError(WorkError):
    """The facts cannot be read or written."""


class QuestionError(WorkError):
    """One question of the facts that their engine cannot answer; others may be answered."""


class LedgerError(WorkError):
    """The ledger cannot be reached, or refused what was asked."""


class BusyError(WorkError):
    """Another process is doing this work in the same workspace."""


class BillerError(WorkError):
    """The biller did not answer: whether it did what was asked is not known.

    The same may be asked again with the same key, which does it once.
    """


class BillerRefusedError(BillerError):
    """The biller will not do this, however often it is asked; nothing was done."""


class DeliveryError(RekindleError):
    """A provider did not take a message.

    ``permanent`` says whether trying again can help; ``retry_after`` is the
    provider's own wish for the next try, if it stated one.
    """

    permanent: bool = False

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TemporaryDeliveryError(DeliveryError):
    """The provider is busy, away or limiting; the same message may go later."""


class PermanentDeliveryError(DeliveryError):
    """The address takes no messages, and will not tomorrow; it counts as bounced."""

    permanent = True


class MalformedAddressError(PermanentDeliveryError):
    """What should be the address is none. Nobody was asked, so it is no bounce."""


class AddressGoneError(DeliveryError):
    """What was written to is no address any more: a subscription that ended, an app removed.

    It is retired, and the person is written to by the next newest of theirs; nobody bounced.
    """

    permanent = True


class OptedOutError(DeliveryError):
    """Whoever is written to told the provider, or this sender, to write no more: an opt-out."""

    permanent = True


class RefusedContentError(DeliveryError):
    """The provider will never take this message, which says nothing about its address."""

    permanent = True


class OutletFaultError(DeliveryError):
    """The provider refuses because of something we have to mend; the outlet stops.

    A key, the sender's domain, an unpaid account, what is asked of whoever sends in bulk. It
    says nothing about the message or its address, and trying the next one is no use.
    """


class UnknownFateError(DeliveryError):
    """The provider went away after it was handed the message; it may have left."""
