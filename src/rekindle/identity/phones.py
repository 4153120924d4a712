"""One spelling for telephone numbers: E.164, as far as a number says where it is."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers

from rekindle.countries import country_code

INTERNATIONAL = re.compile(r"\+[1-9][0-9]{7,14}")
# As most countries begin the number of another one, for which E.164 writes a plus.
ABROAD = re.compile(r"^[\s(]*00\)?")
BETWEEN = re.compile(r"[\s()./\u2010-\u2015-]+")
LONGEST = 40


def normalise_phone(phone: str | None, country: str | None = None) -> str:
    """Return a number as E.164 (``+442079460018``); "" if it is none.

    ``country`` is the ISO 3166 code of whoever has it, for numbers as they are dialled at
    home. A number that no country could have by its length is none.
    """
    if not phone or len(phone) > LONGEST:
        return ""
    plain = unicodedata.normalize("NFKC", phone)
    bare = BETWEEN.sub("", plain)
    if "(0)" not in plain and INTERNATIONAL.fullmatch(bare):
        return bare
    region = country_code(country)
    try:
        number = phonenumbers.parse(plain.replace("(0)", ""), region)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def international(phone: str | None) -> str:
    """Return a number that says which country it is of as E.164; "" for any other.

    It may begin with + or 00, name the 0 it is dialled with at home, and have any signs between.
    """
    if phone and "@" in phone:  # the library refuses it too, at the price of a letter's headers
        return ""
    plain = unicodedata.normalize("NFKC", phone[: LONGEST + 1]) if phone else ""
    return normalise_phone(ABROAD.sub("+", plain))


def dialled_from_abroad(phone: str | None, country: str | None = None) -> str | None:
    """Return a number as E.164 where it, or the ``country`` of whoever has it, says which it is of.

    Any other is returned as it is, None for none: nobody can dial it, and it may still be the
    one that somebody refuses.
    """
    return phone and (normalise_phone(phone, country) or international(phone) or phone)


def is_dialable(phone: str | None) -> bool:
    """Return whether a number says which country it is of, so that it can be dialled."""
    if not phone:
        return False
    return INTERNATIONAL.fullmatch(phone) is not None or bool(international(phone))
