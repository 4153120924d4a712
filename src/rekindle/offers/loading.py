"""Reads ``offers.yaml``: the offers of a workspace and the ladders made of them.

Only plain YAML is read. A complaint names the line, what is wrong and what to write.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import reduce
from importlib.resources import files
from operator import or_
from pathlib import Path
from typing import Annotated, Any, NoReturn

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, create_model

from rekindle.config import DocumentKind, KeyPath, Settings, read_yaml, say_fault, shorten
from rekindle.errors import OfferError
from rekindle.offers.codes import BETWEEN, is_code
from rekindle.offers.discovery import find_kinds
from rekindle.offers.making import find_shops
from rekindle.offers.model import NO_OFFERS, Codes, Name, Offers, OfferTerms, Rung

FILE_NAME = "offers.yaml"
DOCUMENT = DocumentKind(
    OfferError, most_characters=256 * 1024, most_deep=12, hint="split the workspace"
)


class OffersFile(Settings):
    """The offers of a workspace, and the ladders made of them."""

    offers: dict[Name, OfferTerms] = Field({}, description="Offers, by name.")
    ladders: dict[Name, tuple[Rung, ...]] = Field(
        {}, description="Ladders, by name: their rungs, least first."
    )


def load_offers(folder: Path) -> Offers:
    """Return what ``offers.yaml`` of a workspace declares; nothing where there is no file.

    Raises:
        OfferError: it cannot be read, or used as it is.
    """
    path = folder / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return NO_OFFERS
    except (UnicodeDecodeError, OSError) as error:
        raise OfferError(f"{path} cannot be read: {error}") from error
    return parse_offers(text, name=str(path))


def read_offers(folder: Path) -> Offers:
    """Return what ``offers.yaml`` of a workspace declares, or as ``fault`` why it cannot be used.

    A file that somebody is writing just now is in the way of offers alone: an unsubscribe
    link, a report or a message without an offer does not wait for it.
    """
    try:
        return load_offers(folder)
    except OfferError as error:
        return Offers(fault=str(error))


def parse_offers(text: str, *, name: str = FILE_NAME) -> Offers:
    """Return the offers that ``text`` declares; ``name`` is its file's.

    Raises:
        OfferError: as ``load_offers``.
    """
    raw, lines = read_yaml(text, file=name, kind=DOCUMENT)
    try:
        file = offers_model().model_validate(raw)
    except ValidationError as error:
        raise OfferError(_explain(name, error, lines)) from error
    found = Offers(file.offers, file.ladders)
    _check(found, name, lines)
    return found


def starter_offers() -> str:
    """Return the text of a file with the offers that starter journeys speak of."""
    return (files("rekindle.offers") / "starter.yaml").read_text(encoding="utf-8")


def offers_model() -> type[OffersFile]:
    """Return the model of the file, with the kinds of offers there are."""
    kinds = reduce(or_, find_kinds().values())
    chosen: Any = Annotated[kinds, Field(discriminator="kind")]
    offers: Any = (dict[Name, chosen], Field({}, description="Offers, by name."))
    made: type[OffersFile] = create_model("OffersFile", __base__=OffersFile, offers=offers)
    return made


def offers_schema() -> dict[str, Any]:
    """Return the JSON Schema of the file, so that editors complete and check it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **TypeAdapter(offers_model()).json_schema(),
        "title": "Rekindle offers",
    }


def _check(found: Offers, name: str, lines: Mapping[KeyPath, int]) -> None:
    """Refuse what each key by itself does not show."""
    for offer, terms in found.terms.items():
        has_code = terms.code is not None
        if has_code != (terms.codes is Codes.SHARED):
            told = (
                "'code' stands with codes: shared" if has_code else "add the 'code' that is shared"
            )
            _refuse(name, lines, ("offers", offer, "code"), told)
        if terms.code is not None and not is_code(terms.code):
            told = (
                f"{shorten(terms.code)} is no code; write one without spaces, and none of {BETWEEN}"
            )
            _refuse(name, lines, ("offers", offer, "code"), told)
        if terms.made_at is not None and (told := _say_unmade(terms)):
            _refuse(name, lines, ("offers", offer, "made_at"), told)
        if not terms.lasts:
            _refuse(name, lines, ("offers", offer, "lasts"), "an offer lasts at least a day")
    for ladder, rungs in found.ladders.items():
        _check_ladder(found, ladder, rungs, name, lines)


def _say_unmade(terms: OfferTerms) -> str:
    """Return why no shop can make the codes of an offer, "" where it can."""
    known, discount, shop = find_shops(), terms.discount, terms.made_at or ""
    if terms.codes is not Codes.OWN:
        return "'made_at' stands with codes: own"
    if shop not in known:
        return f"{shorten(shop)} makes no codes{_nearest(shop, list(known))}"
    if discount is None or discount.word not in known[shop].discounts:
        given = f"{terms.kind} with at_most" if terms.kind == "percent_off" else terms.kind
        return f"{terms.made_at} makes no codes for {given}; load those of another kind"
    return ""


def _check_ladder(
    found: Offers,
    ladder: str,
    rungs: tuple[Rung, ...],
    name: str,
    lines: Mapping[KeyPath, int],
) -> None:
    if not rungs:
        _refuse(name, lines, ("ladders", ladder), "a ladder has at least one rung: - offer: NAME")
    for number, rung in enumerate(rungs):
        if rung.offer not in found.terms:
            told = f"there is no offer {rung.offer!r}{_nearest(rung.offer, list(found.terms))}"
            _refuse(name, lines, ("ladders", ladder, number, "offer"), told)
    if len(rungs) > 1 and rungs[-1].when is None:
        told = "the strongest rung needs 'when': whom it is for, such as the long gone and valuable"
        _refuse(name, lines, ("ladders", ladder, len(rungs) - 1), told)


def _refuse(name: str, lines: Mapping[KeyPath, int], place: KeyPath, told: str) -> NoReturn:
    raise OfferError(f"{name}, line {_line(lines, place)}: {_dotted(place)}: {told}")


def _explain(name: str, error: ValidationError, lines: Mapping[KeyPath, int]) -> str:
    said = [f"{name} cannot be used:"]
    for problem in error.errors():
        place = tuple(part for part in problem["loc"] if part not in find_kinds())
        said.append(f"  line {_line(lines, place)}: {_dotted(place)}: {_fault(problem)}")
    return "\n".join(said)


def _fault(problem: Any) -> str:
    """Return what is wrong with a value, and what to write."""
    kind, given = problem["type"], problem["input"]
    if kind == "extra_forbidden":
        known = _keys_at(problem["loc"][:-1])
        return f"unknown key{_nearest(str(problem['loc'][-1]), known)}"
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        word = given.get("kind") if isinstance(given, Mapping) else None
        if word is None:
            return f"'kind' is missing; known here: {', '.join(find_kinds())}"
        return f"{shorten(word)} is no kind of offer{_nearest(str(word), list(find_kinds()))}"
    if kind == "string_pattern_mismatch":
        return f"{shorten(given)} is no name; write small letters, digits and hyphens"
    told = say_fault(problem)
    is_plain = isinstance(given, str | int | float) and shorten(given) not in told
    return f"{told}, not {shorten(given)}" if is_plain else told


def _keys_at(place: KeyPath) -> list[str]:
    model: type[BaseModel] = OffersFile
    if len(place) > 1:
        kind = next((str(part) for part in place if part in find_kinds()), "")
        model = Rung if place[0] == "ladders" else find_kinds().get(kind, OfferTerms)
    return list(model.model_fields)


def _nearest(word: str, known: list[str]) -> str:
    near = get_close_matches(word, known, 1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known here: {', '.join(known)}" if known else ""


def _line(lines: Mapping[KeyPath, int], place: KeyPath) -> int:
    """Return the line of a place, or of the nearest that is there around it."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def _dotted(place: KeyPath) -> str:
    shown = (str(part + 1) if isinstance(part, int) else part for part in place)
    return shorten(".".join(shown), 120)[1:].rstrip("'\"") or "the file"
