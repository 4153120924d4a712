"""Writes a new workspace: a commented ``rekindle.toml``, journeys and templates."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rekindle.channels import discover
from rekindle.config import (
    FILE_NAME,
    FORMAT,
    BillingSettings,
    SourceSettings,
    parse_config,
    write_duration,
)
from rekindle.content import starter_templates
from rekindle.errors import WorkspaceError
from rekindle.journeys import starter_journeys
from rekindle.messages import ChannelFolder

GITIGNORE = "# Facts, ledger, secret and outbox: state, not decisions.\nstate/\n"


@dataclass(frozen=True, slots=True)
class Scaffold:
    """What a new workspace starts with."""

    name: str
    currency: str
    timezone: str
    sources: tuple[SourceSettings, ...] = ()
    billing: BillingSettings | None = None


def create_workspace(directory: Path, scaffold: Scaffold) -> list[Path]:
    """Write the files of a new workspace and return them; ``rekindle.toml`` comes last.

    Raises:
        WorkspaceError: there is a workspace already, or the folder cannot be written.
        ConfigError: the name, currency or zone cannot be used; nothing is written then.
    """
    target = directory / FILE_NAME
    if target.exists():
        raise WorkspaceError(f"{target} exists; edit it, or choose another folder")
    files = {f"journeys/{name}": text for name, text in starter_journeys().items()}
    files |= {f"templates/{name}": text for name, text in starter_templates().items()}
    files[".gitignore"] = GITIGNORE
    files[FILE_NAME] = build_settings(scaffold)
    parse_config(files[FILE_NAME], name=f"the new {FILE_NAME}")
    written = []
    try:
        for name, text in files.items():
            path = directory / name
            if path.exists() and name != FILE_NAME:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(path.name + ".new")
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(path)
            written.append(path)
    except OSError as error:
        raise WorkspaceError(f"{directory} cannot be written: {error}") from error
    return written


LIMITS = """\
# At most this many marketing messages in any rolling window, across all journeys.
[caps]
{caps}
all = {max = 4, per = "7 days"}

# No marketing leaves at night, on the clock of the person it is for.
[quiet_hours]
start = "21:00"
end = "08:00"

# Days off, and the most a month may cost. More: `rekindle schema rekindle`.
# [calendar]
# blackout = ["2026-11-27..2026-11-30", "12-24..12-26"]
# [[budgets]]
# channel = "{channel}"
# per_month = 250.00
"""


def build_settings(scaffold: Scaffold) -> str:
    """Return the text of a commented ``rekindle.toml``."""
    sources = "\n".join(_source(source) for source in scaffold.sources)
    channels = discover()
    texts = (one.starter(_text(scaffold.name)) for one in channels.values())
    sections = "\n".join(text for text in texts if text)
    return f"""\
# Everything this team decided, in one file. `rekindle schema` prints what may stand in it.

[workspace]
format = {FORMAT}
name = {_text(scaffold.name)}
currency = {_text(scaffold.currency)}
timezone = {_text(scaffold.timezone)}  # days and hours are those of the business

# What messages show of you, and where their buttons lead.
[shop]
url = ""  # like https://shop.example
logo = ""  # a picture over https, 80 pixels high
colour = "#1f5f5b"

{_billing(scaffold.billing)}{sources}
# When silence becomes a reason to act. "personal" compares it with each person's own
# rhythm; fixed presets: consumables, fashion, furniture, services, software.
[lifecycle]
preset = "personal"
# Fixed days for one category win over the clock:
# [lifecycle.days.shoes]
# at_risk = 120
# lapsed = 180
# dormant = 365
# gone = 730

# Nobody is written to without a permission on record. Where the law lets you write to
# buyers about similar products until they object, and you offered that at the sale:
[consent]
soft_opt_in = false

{_limits(channels)}
{sections}
# Where customers reach the unsubscribe page, and where `rekindle up` listens.
[portal]
url = "http://127.0.0.1:8080"
listen = "127.0.0.1:8080"
"""


def _billing(billing: BillingSettings | None) -> str:
    if billing is None or not billing.provider:
        return ""
    given = billing.model_dump(exclude_defaults=True, mode="json")
    lines = "\n".join(f"{key} = {_value(value)}" for key, value in given.items())
    return f"""\
# Who bills your subscriptions: `rekindle pull` brings what it has. Its keys come from the
# environment, never from this file.
[billing]
{lines}

"""


def _limits(channels: Mapping[str, ChannelFolder]) -> str:
    caps = [
        f'{name} = {{max = {one.cap.max}, per = "{write_duration(one.cap.per)}"}}'
        for name, one in channels.items()
        if one.cap is not None
    ]
    return LIMITS.replace("{caps}", "\n".join(caps)).replace("{channel}", min(channels))


def source_path(file: Path, directory: Path) -> str:
    """Return how a source names ``file``: relative inside the workspace, else absolute."""
    file, directory = file.resolve(), directory.resolve()
    if file.is_relative_to(directory):
        return os.path.relpath(file, directory)
    return str(file)


def _source(source: SourceSettings) -> str:
    lines = ["[[sources]]"]
    given = source.model_dump(exclude_defaults=True, exclude={"columns"}, mode="json")
    tables = {key: value for key, value in given.items() if isinstance(value, dict)}
    lines += [f"{key} = {_value(value)}" for key, value in given.items() if key not in tables]
    lines.append("[sources.columns]  # what it means here = how the source calls it")
    lines += [f"{_key(key)} = {_text(column)}" for key, column in source.columns.items()]
    for name, table in tables.items():
        lines.append(f"[sources.{name}]")
        lines += [f"{_key(key)} = {_value(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if name.isascii() and name.replace("_", "").isalnum() else _text(name)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(k)} = {_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return _text(str(value))


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    escaped = "".join(c if c >= " " else f"\\u{ord(c):04x}" for c in escaped)
    return f'"{escaped}"'
