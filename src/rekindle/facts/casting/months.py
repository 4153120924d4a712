"""Words in dates: months and days of the week as people's programs write them.

Data, not code. Words are compared in small letters and without accents.
"""

from __future__ import annotations

_MONTHS = """
jan januar january januari janvier janv enero ene gennaio gen janeiro ianuarie ian tammikuu tammi
    leden ledna stycznia styczen sty jaanuar
feb februar february februari fevrier fevr fev febrero febbraio fevereiro februarie helmikuu helmi
    unor unora luty lutego lut veebruar
mar marz march mars marzo marco mart maart mrt maerz mrz maaliskuu maalis brezen brezna marzec marca
    martie marts
apr april avril avr abril abr aprile aprilie huhtikuu huhti duben dubna kwiecien kwietnia kwi aprill
may mai maj mayo maggio mag maio mei toukokuu touko kveten kvetna
jun june juni juin junio giugno giu junho iunie iun kesakuu kesa cerven cervna czerwiec czerwca cze
    juuni
jul july juli juillet juil julio luglio lug julho iulie iul heinakuu heina cervenec cervence lipiec
    lipca lip juuli
aug august augustus augusti aout agosto ago elokuu elo srpen srpna sierpien sierpnia sie
sep sept september septembre septiembre settembre set setembro septembrie syyskuu syys zari wrzesien
    wrzesnia wrz
oct october octobre octubre ottobre ott okt oktober outubro out octombrie lokakuu loka rijen rijna
    pazdziernik pazdziernika paz oktoober
nov november novembre noviembre novembro noiembrie noi marraskuu marras listopad listopadu listopada
    lis
dec december decembre diciembre dic dicembre dez dezember dezembro des desember decembrie joulukuu
    joulu prosinec prosince grudzien grudnia gru detsember
"""


def _months() -> dict[str, str]:
    found: dict[str, str] = {}
    for line in _MONTHS.strip().replace("\n    ", " ").splitlines():
        first, *others = line.split()
        for word in (first, *others):
            found[word] = first
    return found


MONTHS = _months()
"""Every word for a month, and the three letters it is read as."""

_WEEKDAYS = """
mon tue tues wed thu thur thurs fri sat sun monday tuesday wednesday thursday friday saturday sunday
mo di mi do fr sa so montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag
lun mar mer jeu ven sam dim lundi mardi mercredi jeudi vendredi samedi dimanche
mie jue vie sab dom lunes martes miercoles jueves viernes sabado domingo
gio lunedi martedi mercoledi giovedi venerdi domenica
ma wo vr za zo maandag dinsdag woensdag donderdag vrijdag zaterdag zondag
man tir ons tor fre lor son tis tors mandag tirsdag onsdag torsdag fredag lordag sondag
seg ter qua qui sex segunda terca quarta quinta sexta
"""
WEEKDAYS = tuple(_WEEKDAYS.split())
FILLERS = ("de", "del", "of", "den", "the", "le", "am", "um", "at", "kl", "uhr")
"""What stands between the parts of a date and says nothing."""

ZONES = {
    "z": "+00:00",
    "utc": "+00:00",
    "gmt": "+00:00",
    "wet": "+00:00",
    "cet": "+01:00",
    "mez": "+01:00",
    "cest": "+02:00",
    "mesz": "+02:00",
    "eet": "+02:00",
    "eest": "+03:00",
    "msk": "+03:00",
    "jst": "+09:00",
    "aest": "+10:00",
    "aedt": "+11:00",
    "est": "-05:00",
    "edt": "-04:00",
    "cdt": "-05:00",
    "mst": "-07:00",
    "mdt": "-06:00",
    "pst": "-08:00",
    "pdt": "-07:00",
}
"""Zones that exports name by letters. Those that mean two things (BST, CST, IST) are not here."""
