"""Finds the providers: the folders of this room, and those of installed packages.

No list names them. A package brings one by an entry point of the group ``rekindle.billers``
that leads to its ``BillerFolder``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta

from rekindle.billing.model import Biller, BillerFolder
from rekindle.config import BillingSettings, find_pieces, load_secrets
from rekindle.errors import ConfigError

logger = logging.getLogger(__name__)

GROUP = "rekindle.billers"
FACE = "BILLER"
HEADS: tuple[str, ...] = (
    "`provider`",
    "install",
    "secrets",
    "an ended subscription",
    "its notices",
    "charges when asked",
    "pauses",
    "a key is known for",
    "changes plans, gives discounts",
)


def find_billers() -> Mapping[str, BillerFolder]:
    """Return the providers there are, by name.

    Raises:
        ConfigError: a package's cannot be loaded, or two have one name.
    """
    found: dict[str, BillerFolder] = {}
    for place, folder in find_pieces(__package__, FACE, GROUP, are_folders=True):
        if not isinstance(folder, BillerFolder):
            raise ConfigError(f"{place} is no BillerFolder; export one as `{FACE}`")
        if folder.name in found:
            raise ConfigError(f"{place} brings the biller {folder.name!r}, which there is")
        found[folder.name] = folder
    return found


def build_biller_or_tell(settings: BillingSettings, trouble: str) -> Biller | None:
    """Return the provider, or None with ``trouble`` in the log where it cannot be asked.

    What else goes on does not stop for a key of the biller.
    """
    try:
        return build_biller(settings)
    except ConfigError:
        logger.exception(trouble)
        return None


def build_biller(settings: BillingSettings) -> Biller | None:
    """Return the provider that the settings name, None where they name none.

    Raises:
        ConfigError: there is none of that name, or a secret or library of it is missing.
    """
    if not settings.provider:
        return None
    known = find_billers()
    if settings.provider not in known:
        raise ConfigError(
            f"billing.provider is {settings.provider!r}; there are {', '.join(sorted(known))}"
        )
    folder = known[settings.provider]
    secrets = load_secrets(folder.secrets)
    if missing := [name for name in folder.secrets if not secrets[name]]:
        raise ConfigError(
            f"{', '.join(missing)} is empty; set it, or {missing[0]}_FILE, in the environment"
        )
    return folder.build(settings, secrets)


def describe_billers() -> str:
    """Return what each provider can, as a table in Markdown."""
    rows = [HEADS, ("---",) * len(HEADS), *(_described(one) for one in find_billers().values())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _described(folder: BillerFolder) -> tuple[str, ...]:
    can = folder.abilities
    return (
        f"`{folder.name}`",
        f"`rekindle[{folder.extra}]`" if folder.extra else "its own package",
        ", ".join(f"`{one}`" for one in folder.secrets) or "none",
        "runs again" if can.revives else "another takes its place",
        "are signed" if can.is_signed else "are asked for again by their id",
        "yes" if can.can_charge else "no",
        "yes" if can.can_pause else "no",
        _told(can.keys_live),
        "yes" if can.can_change else "no",
    )


def _told(lasting: timedelta) -> str:
    minutes = int(lasting.total_seconds()) // 60
    return f"{minutes // 60} hours" if minutes >= 120 else f"{minutes} minutes"
