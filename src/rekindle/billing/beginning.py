"""The first look at a biller, before a workspace is made that goes by it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from rekindle.billing.discovery import build_biller, find_billers
from rekindle.config import BillingSettings
from rekindle.errors import BillerError, BillerRefusedError, ConfigError

SUBSCRIPTIONS = "subscriptions"


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What a biller answered: how it is called, and the currency that most is billed in.

    ``currency`` is "" where there is no subscription yet, or none says.
    """

    called: str
    secrets: tuple[str, ...]
    has_subscriptions: bool
    currency: str


def look_first(settings: BillingSettings) -> FirstLook:
    """Ask a biller for the first of its subscriptions.

    Raises:
        ConfigError: there is no such biller, or a key of it is missing.
        BillerRefusedError, BillerError: it refused the key, or did not answer.
    """
    biller = build_biller(settings)
    if biller is None:
        raise ConfigError("no biller is named")
    folder = find_billers()[settings.provider]
    kind = SUBSCRIPTIONS if SUBSCRIPTIONS in biller.kinds else biller.kinds[0]
    try:
        page = biller.list_page(kind)
    except BillerRefusedError as error:
        keys = " and ".join(folder.secrets) or "its settings"
        raise BillerRefusedError(f"{folder.called} lists nothing for {keys}: {error}") from error
    except BillerError as error:
        raise BillerError(f"{folder.called} does not answer: {error}") from error
    rows = [one.row for one in page.statements if one.table == SUBSCRIPTIONS]
    said = Counter(str(row["currency"]).upper() for row in rows if row.get("currency"))
    currency = said.most_common(1)[0][0] if said else ""
    return FirstLook(folder.called, folder.secrets, bool(rows), currency)
