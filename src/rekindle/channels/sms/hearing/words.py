"""What a text that somebody wrote back means: stop, start, help, or words for people to read.

Consent may be revoked in any reasonable way, not by a list of words alone (47 CFR
64.1200(a)(10)), so beside the words that providers know there are ways to say it in a sentence.
Where a text may mean both, it is a stop: START takes it back, and an unwanted message does not.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum


class Heard(StrEnum):
    """What a text means."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    WORDS = "words"


def _listed(text: str) -> frozenset[str]:
    return frozenset(
        " ".join(one.split()) for line in text.splitlines() for one in line.split("|")
    ) - {""}


# English, German, French, Spanish, without accents and signs. The English ones are those of
# https://help.twilio.com/articles/223134027 and of 47 CFR 64.1200(a)(10).
STOPS = _listed(
    """
    stop|stopall|stop all|unsubscribe|cancel|end|quit|revoke|optout|opt out|remove|remove me|unsub
    stopp|halt|abmelden|abmeldung|abbestellen|austragen|kundigen|loschen|widerruf|ende|schluss
    hor auf|hort auf
    arret|arreter|arretez|stop sms|desabonner|desabonnement|desinscrire|desinscription|resilier|fin
    supprimer|suppression
    parar|pare|alto|detener|baja|darse de baja|cancelar|anular|terminar|eliminar|basta
    cancelar suscripcion|anular suscripcion
    """
)
STARTS = _listed(
    """
    start|unstop|subscribe|opt in|optin
    anmelden|wieder anmelden|starten
    reprendre|abonner|commencer|demarrer
    alta|darse de alta|iniciar|empezar|comenzar
    """
)
HELPS = frozenset({"help", "info", "hilfe", "aide", "ayuda"})
# What leaves nothing open even where more is said: "stop, please", "stop it now".
FIRM = frozenset(
    {"stop", "stopall", "stopp", "unsubscribe", "optout", "revoke", "abmelden", "arret", "baja"}
)
_BESIDE = """
    please pls plz thanks thank you now it this that at once immediately all everything me
    text texts sms message messages texting messaging
    sofort bitte danke jetzt alles merci maintenant svp s il vous plait tout ca suffit
    por favor gracias ya ahora todo
"""
POLITE = frozenset(_BESIDE.split())
SENTENCES = re.compile(
    r"""
      \b(stop|quit|cease)\ (text|messag|send|contact|writ|spam|bother|it\b|this\b|these\b)
    | \b(do\ not|don\ ?t|dont|never)\ (ever\ )?(text|messag|send|contact|write|call)
    | \b(no|not\ any)\ more\ (text|messag|sms|offer|advert|marketing|of\ (this|these))
    | \b(take|get|remove|delete|strike)\ (me|my\ number|this\ number)\ (off|from|out)
    | \b(remove|delete|unsubscribe|opt)\ (me|my\ number|us)\b
    | \bopt\ (me\ )?out\b | \bunsubscribe\b | \bopting\ out\b
    | \bno\ more$ | \b(fuck|piss|bugger)\ off\b | \bgo\ away\b
    | \bhor(en|t|e)?\ (sie\ )?(bitte\ )?(damit\ )?auf\b
    | \bleave\ (me|us)\ alone\b | \bi?\ ?(revoke|withdraw)\b.*\bconsent\b
    | \b(no\ longer|not)\ (want|wish)\b.*\b(text|messag|sms|contact|hear)
    | \bwrong\ number\b | \bplease\ (stop|unsubscribe)\b
    | \bkeine?n?\ (weiteren?\ |weitere\ )?(nachricht|sms|werbung|texte|mitteilung)\w*\b
    | \bnicht\ mehr\ (schreiben|kontaktieren|anschreiben|schicken|senden|zusenden)\b
    | \b(schickt|schicken|sendet|senden|schreibt|schreiben)\b.*\b(nichts|keine|nicht)\ ?(mehr)?\b
    | \b(lasst|lassen)\b.*\bin\ ruhe\b | \b(melde|meldet|melden)\b.*\bab\b
    | \bvon\ der\ liste\b | \baus\ dem\ verteiler\b | \bwiderrufe\b | \baufhoren\b
    | \bplus\ (de|aucun)\ (message|sms|texto|pub) | \b(ne|n)\ m\ ?e?nvoye\w*\ (plus|pas|rien)
    | \b(ne|n)\ (me\ |m\ )?(contactez|ecrivez|envoyez|ecris|envoie)\ (plus|pas|rien)
    | \bdesabonne\w*\b | \bdesinscri\w*\b
    | \b(laissez|fichez|foutez)\ (moi|nous)\b.*\b(tranquille|paix)\b | \barretez\b
    | \bretirez\ (moi|mon\ numero)\b
    | \bno\ (me\ )?(escriban?|envien?|manden?|contacten?|molesten?)\b | \bno\ mas\ (mensaj|sms|text)
    | \bno\ quiero\b.*\b(mensaj|sms|recibir|text) | \b(dar|den|denme|darme|deme)\b.*\bde\ baja\b
    | \bdej(en|eme|enme|ame)\b.*\b(paz|tranquil) | \b(borren|borra|eliminen|quiten)me\b
    """,
    re.VERBOSE,
)
SIGNS = re.compile(r"[^\w]+|_+")
LONGEST = 1600


def meaning_of(text: str) -> Heard:
    """Return what a text means."""
    plain = _plain(text[:LONGEST])
    # A telephone may have added a line of its own: "Sent from my …".
    first = _plain(text.strip().partition("\n")[0][:LONGEST])
    if first in STOPS or plain in STOPS or _is_firm(first) or _is_firm(plain):
        return Heard.STOP
    if SENTENCES.search(plain):
        return Heard.STOP
    if plain in STARTS:
        return Heard.START
    return Heard.HELP if plain in HELPS else Heard.WORDS


def meaning_word(text: str) -> str:
    """Return the word of the lists that a text is, or how it was understood."""
    plain = _plain(text[:LONGEST])
    meaning = meaning_of(text)
    if plain in STOPS | STARTS:
        return plain
    return "" if meaning is Heard.WORDS else f"{meaning} in their own words"


def _is_firm(plain: str) -> bool:
    """Return whether nothing but a stop is said, politely or not: "please stop", "stop now"."""
    words = set(plain.split())
    return bool(words & FIRM) and words <= FIRM | POLITE | STARTS


def _plain(text: str) -> str:
    """Return a text in small letters, without accents, signs and spaces to spare."""
    spread = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(
        letter
        for letter in spread
        if not unicodedata.combining(letter) and unicodedata.category(letter) != "Cf"
    )
    return " ".join(SIGNS.sub(" ", bare).split())
