"""Every statement is kept with its own time, whichever file came last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from rekindle.facts import FileImport, import_sources, open_lake
from rekindle.facts.permissions import build_permissions
from tests.facts.conftest import Desk

HOUR = timedelta(hours=1)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COLUMNS = {
    "customer_id": "id",
    "email": "mail",
    "created_at": "since",
    "email_consent": "ok",
    "email_consent_at": "ok_at",
}
HEAD = "id,mail,since,ok,ok_at\n"


class Office:
    """Files of customers, imported hour by hour."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.now = desk, NOON

    def bring(self, files: Mapping[str, str]) -> dict[str, int]:
        """Import files, each of a source of its own name, in their order; return the reasons."""
        return {reason: n for one in self._import(files) for reason, n in one.reasons.items()}

    def tell(self, files: Mapping[str, str]) -> str:
        """Import files; return what is told of them."""
        return " ".join(note for one in self._import(files) for note in one.notes)

    def _import(self, files: Mapping[str, str]) -> list[FileImport]:
        self.desk.sources = [
            {"name": name, "table": "customers", "path": f"{name}.csv", "columns": COLUMNS}
            for name in files
        ]
        for name, rows in files.items():
            self.desk.write(f"{name}.csv", HEAD + rows)
        found = import_sources(self.desk.config(), self.desk.base, now=self.now)
        self.now += HOUR
        return found

    def told(self) -> list[tuple[str, str, datetime]]:
        """Return source, word and the time it counts from, of every statement."""
        rows = self.desk.rows("permissions")
        return sorted(((r["source"], r["said"], r["counts_at"]) for r in rows), key=lambda r: r[2])

    def last(self) -> str:
        """Return the word that counts: the newest, of equal time the no."""
        rows = self.desk.rows("permissions")
        return str(max(rows, key=lambda row: (row["counts_at"], row["said"] != "yes"))["said"])


@pytest.fixture
def office(desk: Desk) -> Office:
    return Office(desk)


@pytest.mark.long
def test_a_file_that_repeats_itself_states_nothing(office: Office) -> None:
    office.bring({"crm": "ann,a@x.example,,yes,\nbob,b@x.example,,no,2025-05-01\n"})
    before = office.desk.lake.versions()["permissions"]
    office.bring({"crm": "ann,a@x.example,,yes,\nbob,b@x.example,,no,2025-05-01\n"})
    office.bring({"crm": "ann,a@y.example,2025-01-01,Yes,\nbob,b@x.example,,n,2025-05-01\n"})
    assert office.desk.lake.versions()["permissions"] == before
    assert office.told() == [
        ("crm", "yes", EPOCH),
        ("crm", "no", datetime(2025, 5, 1, tzinfo=UTC)),
    ]


@pytest.mark.long
def test_a_no_without_a_date_counts_from_the_import_that_read_it(office: Office) -> None:
    office.bring({"crm": "ann,,2025-01-01,yes,\n"})
    office.bring({"crm": "ann,,2025-01-01,no,\n"})
    assert office.told() == [("crm", "yes", EPOCH), ("crm", "no", NOON + HOUR)]
    office.bring({"crm": "ann,,2025-01-01,yes,\n"})
    assert office.last() == "yes"


@pytest.mark.long
@pytest.mark.draws(2)
@pytest.mark.parametrize("order", list(permutations(("crm", "shop", "till"))))
def test_the_order_of_files_does_not_matter(office: Office, order: tuple[str, ...]) -> None:
    files = {
        "crm": "ann,,,yes,2025-03-01\n",
        "shop": "ann,,,no,2025-04-01\n",
        "till": "ann,,2025-06-01,yes,\n",
    }
    for name in order:
        office.bring({name: files[name]})
    assert office.last() == "no"


@pytest.mark.long
def test_of_equal_time_the_no_wins(office: Office) -> None:
    office.bring({"crm": "ann,,,no,2025-03-01\n", "shop": "ann,,,yes,2025-03-01\n"})
    assert office.last() == "no"


@pytest.mark.long
def test_an_old_file_of_a_growing_folder_does_not_speak_again(office: Office) -> None:
    desk, source = office.desk, {"name": "crm", "table": "customers", "columns": COLUMNS}
    desk.write("day1.csv", f"{HEAD}ann,,,yes,\n")
    desk.sources = [{**source, "path": "day*.csv"}]
    for hour, text in enumerate(("yes", "no", "no", "no")):
        desk.write(f"day{hour + 1}.csv", f"{HEAD}ann,,,{text},\n")
        import_sources(desk.config(), desk.base, now=NOON + hour * HOUR)
    assert office.last() == "no"


@pytest.mark.long
def test_a_yes_does_not_count_while_another_file_of_the_source_says_no(office: Office) -> None:
    desk, source = office.desk, {"name": "crm", "table": "customers", "columns": COLUMNS}
    desk.sources = [{**source, "path": "part*.csv"}]
    for hour, first in enumerate(("no", "yes", "yes")):
        desk.write("part1.csv", f"{HEAD}ann,,,{first},\n")
        desk.write("part2.csv", f"{HEAD}ann,,,no,\n")
        import_sources(desk.config(), desk.base, now=NOON + hour * HOUR)
    assert office.last() == "no"
    assert max(counts_at for _, _, counts_at in office.told()) == NOON  # none said no again


@pytest.mark.long
def test_a_blank_says_nothing(office: Office) -> None:
    office.bring({"crm": "ann,,,no,\n"})
    office.bring({"crm": "ann,,,,\n"})
    office.bring({"crm": "ann,,, ,2025-01-01\n"})
    assert [said for _, said, _ in office.told()] == ["no"]


def test_a_word_that_is_neither_is_named_and_perhaps_a_no(office: Office) -> None:
    assert office.bring({"crm": "ann,,,Pending,2025-01-01\n"}) == {"bad_email_consent": 1}
    assert office.told() == [("crm", "pending", datetime(2025, 1, 1, tzinfo=UTC))]


@pytest.mark.long
@pytest.mark.draws(2)
@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("ann,,31/02/2025,{},2025-01-01\n", "bad_created_at"),
        ("ann,,,{},31/02/2025\n", "bad_email_consent_at"),
        ("ann,,2035-01-01,{},2025-01-01\n", "in_the_future"),
        ("ann,a@x.example,,{},2025-01-01\nann,b@x.example,,,\n", "conflicting_customer_id"),
    ],
)
def test_of_a_bad_row_the_no_counts_and_the_yes_does_not(
    office: Office, rows: str, reason: str
) -> None:
    assert reason in office.bring({"crm": rows.format("yes")})
    assert office.told() == []
    assert reason in office.bring({"crm": rows.format("no")})
    assert [said for _, said, _ in office.told()] == ["no"]


def test_times_ahead_count_from_the_import(office: Office) -> None:
    office.bring({"crm": "ann,,,no,2035-01-01\nbob,,,yes,2026-01-02\ncem,,,yes,2035-01-01\n"})
    assert office.told() == [
        ("crm", "yes", EPOCH),  # nobody says today what they will say in nine years
        ("crm", "no", NOON),
        ("crm", "yes", NOON),
    ]


TEXTING = {
    **COLUMNS,
    "sms_consent": "text",
    "sms_consent_at": "text_at",
    "sms_opt_out": "no_text",
    "sms_opt_out_at": "no_text_at",
}


def texted(desk: Desk, rows: str) -> dict[tuple[str, str], tuple[str, datetime]]:
    """Return what the last statement of each person on each channel says, and since when."""
    desk.write("crm.csv", f"{HEAD.strip()},text,text_at,no_text,no_text_at\n{rows}")
    desk.sources = [{"name": "crm", "table": "customers", "path": "crm.csv", "columns": TEXTING}]
    import_sources(desk.config(), desk.base, now=NOON)
    told = sorted(desk.rows("permissions"), key=lambda row: (row["counts_at"], row["said"] != "no"))
    return {(r["customer_id"], r["channel"]): (r["said"], r["counts_at"]) for r in told}


def test_what_is_said_of_texts_says_nothing_of_mail(desk: Desk) -> None:
    assert texted(
        desk,
        "ann,,,yes,2025-01-01,no,2025-02-01,,\n"
        "bob,,,,,yes,2025-03-01,,\n"
        "cem,,,no,,,,STOP,2025-04-01\n"
        "dee,,,,,never_subscribed,,no,\n"
        "eve,,,,,yes,2025-05-01,,2025-06-01\n"
        "fay,,,,,perhaps,,,\n",
    ) == {
        ("ann", "email"): ("yes", datetime(2025, 1, 1, tzinfo=UTC)),
        ("ann", "sms"): ("no", datetime(2025, 2, 1, tzinfo=UTC)),
        ("bob", "sms"): ("yes", datetime(2025, 3, 1, tzinfo=UTC)),
        ("cem", "email"): ("no", NOON),
        ("cem", "sms"): ("no", datetime(2025, 4, 1, tzinfo=UTC)),
        ("eve", "sms"): ("no", datetime(2025, 6, 1, tzinfo=UTC)),
        ("fay", "sms"): ("perhaps", NOON),
    }


def test_a_statement_on_texts_hides_no_older_card_on_mail(desk: Desk) -> None:
    texted(desk, "ann,,2025-02-01,no,,yes,2025-03-01,,\n")
    engine = open_lake(desk.lake.folder, currency="GBP", zone="UTC")
    facts = engine.facts()
    assert facts.permissions is not None
    of_texts = facts.permissions.filter(facts.permissions.channel == "sms")
    rows = engine.run(build_permissions(facts.customers, of_texts)).to_pylist()
    engine.close()
    assert {(row["channel"], row["said"]) for row in rows} == {("sms", "yes"), ("email", "no")}


def test_a_card_that_was_imported_before_statements_were_kept_speaks(office: Office) -> None:
    office.bring({"crm": "ann,,2025-02-01,no,\n"})
    with office.desk.lake.change() as change:
        del change.versions["permissions"]
    engine = open_lake(office.desk.lake.folder, currency="GBP", zone="UTC")
    table = engine.facts().permissions
    assert table is not None
    (row,) = engine.run(table).to_pylist()
    engine.close()
    assert (row["said"], row["counts_at"]) == ("no", datetime(2025, 2, 1, tzinfo=UTC))


DAYS = {"early": "2025-03-01", "between": "2025-06-01", "late": "2025-10-01"}


def test_a_yes_of_a_wrong_day_counts_no_more_once_its_file_dates_it_right(office: Office) -> None:
    shop = f"ann,,,no,{DAYS['between']}\n"
    office.bring({"crm": f"ann,,,yes,{DAYS['late']}\nbob,,,yes,{DAYS['late']}\n", "shop": shop})
    assert office.last() == "yes"
    right = {"crm": f"ann,,,yes,{DAYS['early']}\nbob,,,yes,{DAYS['late']}\n", "shop": shop}
    told = office.tell(right)
    assert "crm: a yes to email of 1 customer was misread: their file says it no more" in told
    words = {(word, day.month) for source, word, day in office.told() if source == "crm"}
    assert words == {("unsaid", 10), ("yes", 10), ("yes", 3)}, "ann's was, and bob's was not"
    before = office.desk.lake.versions()["permissions"]
    assert "misread" not in office.tell(right)
    assert office.desk.lake.versions()["permissions"] == before
    # Where the file says it again, it was right.
    office.bring({"crm": f"ann,,,yes,{DAYS['late']}\nbob,,,yes,{DAYS['late']}\n"})
    assert [word for _, word, day in office.told() if day.month == 10] == ["yes", "yes"]


@pytest.mark.long
def test_a_no_that_is_corrected_from_a_yes_holds_whatever_its_day(office: Office) -> None:
    office.bring({"crm": f"ann,,,yes,{DAYS['late']}\n"})
    office.bring({"crm": f"ann,,,no,{DAYS['early']}\n"})
    assert {word for _, word, _ in office.told()} == {"no", "unsaid"}


@pytest.mark.long
@pytest.mark.parametrize("now", ["no,2025-11-01", "yes,2025-11-01", ",", "no,", "yes,"])
def test_what_is_said_later_or_not_at_all_takes_no_yes_back(office: Office, now: str) -> None:
    office.bring({"crm": f"ann,,,yes,{DAYS['late']}\n"})
    assert "misread" not in office.tell({"crm": f"ann,,,{now}\n"})
    assert "unsaid" not in {word for _, word, _ in office.told()}


@pytest.mark.long
def test_another_file_of_an_older_day_takes_no_yes_back(office: Office) -> None:
    office.bring({"crm": f"ann,,,yes,{DAYS['late']}\n"})
    office.bring({"till": f"ann,,,yes,{DAYS['early']}\n"})
    assert "unsaid" not in {word for _, word, _ in office.told()}


@pytest.mark.long
@pytest.mark.parametrize("dated", ["2025-03-01", ""])
def test_a_yes_of_another_column_counts_no_more(desk: Desk, dated: str) -> None:
    source = {"name": "crm", "table": "customers", "path": "crm.csv"}
    desk.write("crm.csv", f"id,terms,news,day\nann,yes,,{dated}\nbob,yes,yes,{dated}\n")
    for hour, head in enumerate(("terms", "news", "news")):
        columns = {"customer_id": "id", "email_consent": head, "email_consent_at": "day"}
        desk.sources = [{**source, "columns": columns}]
        import_sources(desk.config(), desk.base, now=NOON + hour * HOUR)
        words = {(row["customer_id"], row["said"]) for row in desk.rows("permissions")}
        said = "yes" if head == "terms" else "unsaid"
        assert words == {("ann", said), ("bob", "yes")}


def test_a_word_that_a_source_has_for_itself_is_no_mark_of_ours(office: Office) -> None:
    office.bring({"crm": "ann,,,Unsaid,\n"})
    assert [word for _, word, _ in office.told()] == ["?"]


@pytest.mark.long
def test_the_day_of_a_no_is_that_of_the_opt_out_and_not_of_the_yes_before_it(desk: Desk) -> None:
    columns = {"customer_id": "id", "email": "mail", "email_consent": "ok",
               "email_consent_at": "since", "email_opt_out_at": "left"}  # fmt: skip
    days = ("2024-01-05,2024-06-01", "2024-06-01,", "2024-06-01,2024-01-05")
    rows = "".join(f"{n},{n}@x.de,no,{one}\n" for n, one in enumerate(days, 1))
    desk.write("crm.csv", f"id,mail,ok,since,left\n{rows}")
    source = {"name": "crm", "table": "customers", "path": "crm.csv", "columns": columns}
    desk.bring(source)
    told = sorted(
        (r["customer_id"], r["said"], r["said_at"].month) for r in desk.rows("permissions")
    )
    assert told == [("1", "no", 6), ("2", "no", 6), ("3", "no", 1), ("3", "no", 6)]
