"""What people write back: any reasonable way to say stop is one, in four languages."""

from __future__ import annotations

import pytest

from rekindle.channels.sms.hearing import Heard, event_of, meaning_of
from tests.channels.sms.texting import NOW

STOP = """
STOP|Stop.|stop!!|please stop|STOP PLEASE|Stop it now|Stop all|stop sms|thanks but please stop
Stop texting me|pls don't text me anymore|Do not contact me again|remove me from your list|OPT-OUT
take me off this list|leave me alone|I no longer want to receive these messages|opt me out|End
unsubscribe me please|no more texts|wrong number|I revoke my consent|quit|Cancel|CANCEL!|REVOKE
Abmelden|stopp bitte|Keine Nachrichten mehr!|bitte keine SMS mehr|Lasst mich in Ruhe|kündigen
schreibt mir nicht mehr|Ich möchte keine Werbung|Bitte nehmt mich aus dem Verteiler|LÖSCHEN
Arrêt|ARRÊTER|désabonner|Ne m'envoyez plus de messages|plus de messages svp|STOP SMS|désinscription
laissez-moi tranquille|ne me contactez plus|retirez mon numéro
pls stop|plz stop|don't message me again|no more|hör auf|Hören Sie bitte auf|ça suffit, stop
suppression|detener|cancelar suscripción|go away
BAJA|alto|No me escriban más|no quiero recibir más mensajes|denme de baja por favor|Déjenme en paz
"""
START = "START|unstop|Start!|Anmelden|alta"
HELP = "HELP|info|Hilfe|aide ?|¡Ayuda!"
WORDS = """
Is the red one still in stock?|I'll stop by tomorrow|stop by at 5?|Please don't cancel my order
no more size 8?|send more|please text me|don't stop
Where is my order?|Danke!|merci beaucoup|¿Cuándo llega?|can't stop loving it|ok|yes|I want more
Cancel my appointment please|When does the sale end?|Wann endet die Aktion?|C'est la fin ?
"""


def each(text: str) -> list[str]:
    return [one for line in text.splitlines() for one in line.split("|") if one]


@pytest.mark.parametrize("text", each(STOP))
def test_a_stop(text: str) -> None:
    assert meaning_of(text) is Heard.STOP


@pytest.mark.parametrize(
    "text",
    [
        "\uff33\uff34\uff2f\uff30",
        "\U0001f6d1 stop",
        " stop\n",
        "Stop\nSent from my telephone",
        "st\u00adop",
        "start stop",
    ],
)
def test_a_stop_that_is_written_oddly(text: str) -> None:
    assert meaning_of(text) is Heard.STOP


@pytest.mark.parametrize(
    ("texts", "meaning"), [(START, Heard.START), (HELP, Heard.HELP), (WORDS, Heard.WORDS)]
)
def test_other_meanings(texts: str, meaning: Heard) -> None:
    assert {text: meaning_of(text) for text in each(texts)} == dict.fromkeys(each(texts), meaning)


@pytest.mark.parametrize("text", ["", " ", "\u200d", "a" * 100_000, "stop " * 50_000, "\ud800"])
def test_nothing_that_is_sent_takes_long_or_breaks_it(text: str) -> None:
    assert meaning_of(text) in Heard


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("STOP!", "stop"),
        ("Start", "start"),
        ("I am Ann Lee of 1 High Street, leave me alone", "stop in their own words"),
        ("Is it back? Ann", ""),
    ],
)
def test_of_what_somebody_wrote_only_a_known_word_is_kept(text: str, kept: str) -> None:
    event = event_of("sms_twilio", "SM1", "+442079460018", text, NOW)
    assert event is not None
    assert event.reason == kept
