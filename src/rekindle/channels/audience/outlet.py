"""The lists people can be put on. What each needs is loaded when it is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rekindle.channels.audience.members import (
    JoiningOutlet,
    google_member,
    meta_member,
    plain_member,
)
from rekindle.channels.audience.settings import GOOGLE_ACCOUNT, META_TOKEN, AudienceSettings
from rekindle.messages import FOR_EVER, AddressKind, Capabilities, Outlet, OutletEntry, Roster

# Nobody is woken by being on a list. What is sent again takes the same person down once.
ON_A_LIST = Capabilities(
    AddressKind.EMAIL,
    idempotent_for=FOR_EVER,
    needs_own_yes=True,
    needs_quiet_hours=False,
    can_be_withdrawn=True,
)


def join_csv(settings: AudienceSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return what takes people down for a file."""
    return JoiningOutlet(settings, plain_member)


def join_meta(settings: AudienceSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return what takes people down for Meta."""
    return JoiningOutlet(settings, meta_member)


def join_google(settings: AudienceSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return what takes people down for Google."""
    return JoiningOutlet(settings, google_member)


def keep_csv(settings: AudienceSettings, *, base: Path, secrets: Mapping[str, str]) -> Roster:
    """Return what writes the files."""
    from rekindle.channels.audience.files.roster import FileRoster

    return FileRoster(base / settings.csv.path)


def keep_meta(settings: AudienceSettings, *, base: Path, secrets: Mapping[str, str]) -> Roster:
    """Return what tells Meta."""
    from rekindle.channels.audience.meta.roster import MetaRoster

    return MetaRoster(settings, secrets.get(META_TOKEN, ""))


def keep_google(settings: AudienceSettings, *, base: Path, secrets: Mapping[str, str]) -> Roster:
    """Return what tells Google."""
    from rekindle.channels.audience.google.roster import GoogleRoster

    return GoogleRoster(settings, secrets.get(GOOGLE_ACCOUNT, ""))


OUTLETS = (
    OutletEntry(
        "audience_csv",
        "writes lists of hashed addresses for any ad system",
        replace(ON_A_LIST, reaches_people=False),
        join_csv,
        roster=keep_csv,
    ),
    OutletEntry(
        "audience_meta",
        "keeps Custom Audiences of Meta",
        ON_A_LIST,
        join_meta,
        secrets=(META_TOKEN,),
        roster=keep_meta,
    ),
    OutletEntry(
        "audience_google",
        "keeps audiences by Google's Data Manager API",
        ON_A_LIST,
        join_google,
        secrets=(GOOGLE_ACCOUNT,),
        roster=keep_google,
    ),
)
