"""What each channel can do, as a table: the page of channels is written from it."""

from __future__ import annotations

from datetime import timedelta

from rekindle.channels.discovery import discover
from rekindle.messages import FOR_EVER, Capabilities, ChannelFolder, OutletEntry

HEAD = (
    "| outlet | channel | what it does | writes to | the same key twice | tells later what became "
    "of a message | can be withdrawn | secrets |\n|---|---|---|---|---|---|---|---|"
)
ASKS = (
    "| channel | asks for consent | keeps quiet hours | shows a postal address | cap |\n"
    "|---|---|---|---|---|"
)


def describe_channels() -> str:
    """Return the matrix of channels and their outlets as Markdown tables."""
    channels = discover().values()
    asks = [_asks(one) for one in channels]
    rows = [_row(one, entry) for one in channels for entry in one.outlets]
    return "\n".join([HEAD, *rows]) + "\n\n" + "\n".join([ASKS, *asks]) + "\n"


def _row(folder: ChannelFolder, entry: OutletEntry) -> str:
    can = entry.capabilities
    secrets = ", ".join(f"`{secret}`" for secret in entry.secrets) or "–"
    return (
        f"| `{entry.name}` | {folder.channel} | {entry.summary} | {can.address_kind} | "
        f"{_idempotency(can)} | {_yes(can.has_receipts)} | {_withdrawn(can)} | "
        f"{secrets} |"
    )


def _withdrawn(can: Capabilities) -> str:
    return "until it leaves there" if can.can_be_called_back else _yes(can.can_be_withdrawn)


def _asks(folder: ChannelFolder) -> str:
    can = folder.outlets[0].capabilities
    cap = "–" if folder.cap is None else f"{folder.cap.max} in {_hours(folder.cap.per)}"
    return (
        f"| `{folder.channel}` | {_yes(can.needs_consent)} | {_yes(can.needs_quiet_hours)} | "
        f"{_yes(can.needs_postal_address)} | {cap} |"
    )


def _idempotency(can: Capabilities) -> str:
    if can.idempotent_for is None:
        return "would arrive twice; never tried"
    if can.idempotent_for == FOR_EVER:
        return "arrives once"
    return f"arrives once within {_hours(can.idempotent_for)}"


def _hours(span: timedelta) -> str:
    hours = span / timedelta(hours=1)
    return f"{hours:g} hour{'' if hours == 1 else 's'}"


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"
