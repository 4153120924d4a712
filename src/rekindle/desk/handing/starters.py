"""Hands out starter sequences: a journey with its templates and the offers it speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from rekindle.config import FILE_NAME as SETTINGS
from rekindle.content import sequence_templates
from rekindle.errors import UsageError, WorkspaceError
from rekindle.journeys import Journey, parse_journey, sequence_journeys
from rekindle.offers import FILE_NAME as OFFERS
from rekindle.offers import Offers, load_offers, starter_offers

NEEDS = re.compile(r"^# Needs: (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Starter:
    """A sequence to begin with: what it is for, what it needs, and by which ways it writes."""

    name: str
    hypothesis: str
    needs: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TakenStarter:
    """What was written into a workspace, and what its owner has to add to ``offers.yaml``."""

    written: tuple[Path, ...]
    offers_missing: tuple[str, ...] = ()


def list_starters() -> list[Starter]:
    """Return every sequence there is, by name."""
    return [_describe(name, text) for name, text in sequence_journeys().items()]


def take_starter(directory: Path, name: str) -> TakenStarter:
    """Copy a sequence into the workspace in ``directory``; nothing there is overwritten.

    Raises:
        UsageError: there is no such sequence.
        WorkspaceError: the folder is no workspace, has one of the files, or cannot be written.
        OfferError: the workspace's offers cannot be read.
    """
    sequences = sequence_journeys()
    if name not in sequences:
        near = get_close_matches(name, sequences, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sequences)}"
        raise UsageError(f"there is no starter {name!r}; {hint}")
    if not (directory / SETTINGS).is_file():
        raise WorkspaceError(f"{directory} is no workspace: it has no {SETTINGS}")
    journey = parse_journey(sequences[name])
    files = {directory / "journeys" / f"{name}.yaml": sequences[name]}
    templates = directory / "templates"
    files |= {templates / file: text for file, text in sequence_templates(name).items()}
    missing: tuple[str, ...] = ()
    if wanted := list(_offers_of(journey)):
        if (directory / OFFERS).exists():
            known = load_offers(directory)
            missing = tuple(one for one in dict.fromkeys(wanted) if not _has(known, one))
        else:
            files[directory / OFFERS] = starter_offers()
    if taken := [path for path in files if path.exists()]:
        shown = ", ".join(str(path.relative_to(directory)) for path in taken)
        raise WorkspaceError(f"{directory} has {shown} already; nothing was written")
    return TakenStarter(tuple(_write(files)), missing)


def _describe(name: str, text: str) -> Starter:
    journey = parse_journey(text)
    needs = NEEDS.search(text)
    channels = tuple(dict.fromkeys(send.channel for send in journey.sends))
    return Starter(name, journey.hypothesis, needs[1] if needs else "", channels)


def _offers_of(journey: Journey) -> Iterator[str]:
    """Yield what the steps give, as they write it."""
    return (str(send.offer) for send in journey.sends if send.offer is not None)


def _has(known: Offers, wanted: str) -> bool:
    kind, _, name = wanted.rpartition(" ")
    return name in (known.ladders if kind == "ladder" else known.terms)


def _write(files: dict[Path, str]) -> Iterator[Path]:
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise WorkspaceError(f"{path} cannot be written: {error}") from error
        yield path
