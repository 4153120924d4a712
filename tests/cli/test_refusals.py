"""Bad input gets one message that says what, where and what to do, and changes nothing."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.cli.commands import refused, rekindle
from tests.runtime.shops import add_section, set_key

HEADER = "order_id,customer_id,ordered_at,total\n"
GOOD = HEADER + "".join(f"o{n},c{n % 7},2024-01-{n % 28 + 1:02},1{n}.50\n" for n in range(30))


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "orders.csv"
    path.write_bytes(text.encode(encoding))
    return path


def begin(folder: Path, text: str = GOOD) -> Path:
    """Make a workspace out of a file of orders."""
    answer = rekindle("init", folder / "new", "--orders", write(folder, text), "--yes")
    assert answer.code in (0, 2), answer
    return folder / "new"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


# Creating a workspace


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such file"),
        ("", "is empty; export it again"),
        (HEADER, "no rows"),
        ("colour,shape\nred,round\n", "none looks like order"),
    ],
    ids=["missing", "empty", "only a header", "no orders"],
)
def test_a_file_that_holds_no_orders_makes_no_workspace(
    text: str | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "orders.csv" if text is None else write(tmp_path, text)
    told = refused("init", tmp_path / "new", "--orders", path, "--yes")
    assert path.name in told
    assert message in told
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [("--currency", "pounds", "workspace.currency"), ("--timezone", "Mars/X", "no IANA time zone")],
)
def test_a_setting_that_cannot_be_makes_no_workspace(
    option: str, value: str, message: str, tmp_path: Path
) -> None:
    path = write(tmp_path, GOOD)
    answer = rekindle("init", tmp_path / "new", "--orders", path, "--yes", option, value)
    assert answer.code == 2
    assert message in answer.err
    assert not (tmp_path / "new").exists()


def test_a_workspace_is_not_made_twice(copy: Path) -> None:
    before = (copy / "rekindle.toml").read_bytes()
    assert "is a workspace already" in refused("init", copy, "--orders", copy / "orders.csv")
    assert (copy / "rekindle.toml").read_bytes() == before


def test_nothing_is_written_until_somebody_takes_the_proposal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typer.confirm", lambda *a, **k: False)
    answer = rekindle("init", tmp_path / "new", "--orders", write(tmp_path, GOOD))
    assert answer.code == 2
    assert "nothing was written" in answer.err
    assert not (tmp_path / "new").exists()


# Rows


@pytest.mark.long
@pytest.mark.parametrize(
    ("bad", "reason", "count"),
    [
        ("x1,c1,not-a-date,5\n", "is no date: not-a-date", 1),
        ("x1,c1,2024-01-01,5\nx1,c1,2024-01-01,6\n", "order_id x1 stands here more than once", 2),
    ],
    ids=["a date that does not parse", "one order id with different content"],
)
def test_a_bad_row_is_kept_aside_and_the_others_are_imported(
    bad: str, reason: str, count: int, tmp_path: Path
) -> None:
    answer = rekindle("init", tmp_path / "new", "--orders", write(tmp_path, GOOD + bad), "--yes")
    assert answer.code == 2
    assert f"error: {count} of {30 + count} rows went to quarantine" in answer.err
    rows = rekindle("quarantine", "--json", "-C", tmp_path / "new").document["rows"]
    assert [one["line"] for one in rows] == list(range(32, 32 + count))
    assert reason in rows[0]["detail"]
    found = rekindle("audience", "orders_count > 0", "--json", "-C", tmp_path / "new")
    assert found.document["customers"] == 7


@pytest.mark.long
def test_bad_rows_can_be_tolerated_and_mended(tmp_path: Path) -> None:
    folder = begin(tmp_path, GOOD + "x1,c1,not-a-date,5\n")
    assert rekindle("import", "-C", folder).code == 2
    assert rekindle("import", "--tolerate", "0.05", "-C", folder).code == 0
    write(tmp_path, GOOD + "x1,c1,2024-02-01,5\n")
    assert rekindle("import", "-C", folder).code == 0
    assert rekindle("quarantine", "--json", "-C", folder).document["rows"] == []


@pytest.mark.long
def test_amounts_in_another_currency_are_not_added_up(tmp_path: Path) -> None:
    head, *rows = GOOD.splitlines()
    mixed = [f"{head},currency", *(f"{r},{'EUR' if n < 3 else 'GBP'}" for n, r in enumerate(rows))]
    folder = begin(tmp_path, "\n".join(mixed) + "\n")
    found = rekindle("quarantine", "--json", "-C", folder).document["rows"]
    assert [one["reason"] for one in found] == ["other_currency"] * 3
    assert "the row is in EUR, the workspace in GBP" in found[0]["detail"]


@pytest.mark.long
def test_amounts_in_another_currency_are_added_up_at_the_rate_that_is_stated(
    tmp_path: Path,
) -> None:
    head, *rows = GOOD.splitlines()
    mixed = [f"{head},currency", *(f"{r},{'EUR' if n < 3 else 'GBP'}" for n, r in enumerate(rows))]
    folder = begin(tmp_path, "\n".join(mixed) + "\n")
    path = folder / "rekindle.toml"
    settings = path.read_text()
    path.write_text(settings + "\n[facts.rates]\nEUR = 0.50\nUSD = 0.79\n")
    (file,) = rekindle("import", "--json", "-C", folder).document["files"]
    assert file["notes"][-1].endswith("3 rows in EUR, of which one is worth 0.5 GBP")
    audit = rekindle("audit", "--json", "-C", folder).document
    assert (audit["currency"], audit["rates"]) == ("GBP", {"EUR": 0.5})
    assert "Amounts are in GBP; EUR at 0.5." in rekindle("audit", "-C", folder).out
    told = rekindle("doctor", "--json", "-C", folder).document["lines"]
    assert [one["found"] for one in told if one["about"] == "rates"] == [
        "Amounts are in GBP; EUR at 0.5."
    ]
    path.write_text(settings)
    refused = rekindle("audit", "-C", folder)
    assert refused.code != 0
    assert "orders in EUR" in refused.err
    assert "what one EUR is worth" in refused.err


@pytest.mark.long
def test_a_customer_with_two_addresses_is_written_to_at_neither(tmp_path: Path) -> None:
    head, *rows = GOOD.splitlines()
    given = [f"{r},{r.split(',')[1]}{'x' if n == 1 else ''}@x.com" for n, r in enumerate(rows)]
    folder = begin(tmp_path, "\n".join([f"{head},email", *given]) + "\n")
    (row,) = rekindle("quarantine", "--json", "-C", folder).document["rows"]
    assert "customer c1 has the e-mail addresses c1@x.com and c1x@x.com" in row["detail"]
    answer = rekindle("audience", "not has_email", "--json", "-C", folder)
    assert [one["customer_id"] for one in answer.document["sample"]] == ["c1"]


# Sources that changed under the workspace


@pytest.mark.long
@pytest.mark.parametrize(
    ("text", "encoding", "message"),
    [
        (GOOD.replace(",", ";"), "utf-8", "look separated by ';': set delimiter = \";\""),
        (GOOD.replace("c1,", "René,"), "cp1252", 'encoding = "cp1252"'),
        ("", "utf-8", "is empty"),
        (HEADER, "utf-8", "no rows"),
    ],
    ids=["delimiter", "encoding", "empty", "only a header"],
)
def test_an_export_gone_wrong_leaves_the_facts_as_they_were(
    text: str, encoding: str, message: str, tmp_path: Path
) -> None:
    folder = begin(tmp_path)
    change(folder / "rekindle.toml", 'table = "orders"', 'table = "orders"\ndelimiter = ","')
    write(tmp_path, text, encoding)
    assert message in refused("import", "-C", folder)
    found = rekindle("audience", "true", "--json", "-C", folder)
    assert (found.code, found.document["customers"]) == (0, 7)


def test_a_source_that_is_gone_or_unknown_is_named(tmp_path: Path) -> None:
    folder = begin(tmp_path)
    (tmp_path / "orders.csv").unlink()
    assert "no such file (source 'orders'" in refused("import", "-C", folder)
    assert "names no source 'nope'" in refused("import", "--source", "nope", "-C", folder)


@pytest.mark.long
def test_an_import_killed_before_its_end_never_happened(tmp_path: Path) -> None:
    folder = begin(tmp_path)
    manifest = folder / "state" / "lake" / "snapshot.json"
    before = manifest.read_bytes()
    write(tmp_path, GOOD + "x1,c99,2024-02-01,5\n")
    assert rekindle("import", "-C", folder).code == 0
    manifest.write_bytes(before)  # the tables are written, the word that they count is not
    found = rekindle("audience", "true", "--json", "-C", folder)
    assert found.document["customers"] == 7
    again = rekindle("import", "--json", "-C", folder)
    assert [(one["added"], one["changed"]) for one in again.document["files"]] == [(1, 0)]
    assert rekindle("audience", "true", "--json", "-C", folder).document["customers"] == 8


# Workspaces


def test_a_folder_without_a_workspace_is_refused(tmp_path: Path) -> None:
    told = refused("audit", "-C", tmp_path)
    assert f"{tmp_path} is no workspace" in told
    assert "rekindle init" in told


@pytest.mark.parametrize("command", [["audit"], ["tick"], ["explain", "c1"], ["plan", "calm"]])
def test_a_workspace_without_facts_says_how_to_get_them(command: list[str], tmp_path: Path) -> None:
    assert rekindle("init", tmp_path / "new").code == 0
    starter = tmp_path / "new" / "journeys" / "lapsed-buyers.yaml"
    starter.with_name("calm.yaml").write_bytes(starter.read_bytes())
    assert "rekindle import" in refused(*command, "-C", tmp_path / "new")


def test_a_workspace_of_a_newer_version_is_left_alone(copy: Path) -> None:
    set_key(copy, "format", "99\nunheard_of = true")
    told = refused("tick", "-C", copy)
    assert "has format 99, this version of rekindle knows 1; upgrade rekindle" in told


def test_an_unknown_setting_is_named_with_the_nearest(copy: Path) -> None:
    change(copy / "rekindle.toml", "preset =", "prest =")
    told = refused("audit", "-C", copy)
    assert "lifecycle.prest: unknown key; did you mean 'preset'?" in told


def test_settings_that_are_no_toml_are_named_with_the_line(copy: Path) -> None:
    change(copy / "rekindle.toml", "[workspace]", "[workspace")
    assert "rekindle.toml is not valid TOML" in refused("audit", "-C", copy)


# Questions


@pytest.mark.parametrize(
    ("predicate", "message"),
    [
        ("lifetime_valu > 3", "lifetime_value"),
        ("tier = 'lapst'", "lapsed"),
        ("lifetime_value >", "lifetime_value >"),
        ("", "is empty"),
        ("customer_id in (select 1)", "customer_id in (select 1)"),
    ],
)
def test_a_predicate_that_is_not_understood_is_explained(
    predicate: str, message: str, shop: Path
) -> None:
    assert message.lower() in refused("audience", predicate, "-C", shop).lower()


@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["explain", "zz"], "no customer 'zz'"),
        (["audit", "--as-of", "yesterday"], "'yesterday' is no date"),
        (["replay", "calm", "--from", "2024-05-01", "--to", "2024-01-01"], "before it starts"),
        (["replay", "calm", "--from", "May"], "'May' is no day"),
        (["replay", "calmer"], "there are abandoned-basket, calm, confirm-consent, everyone, few"),
        (["plan", "calmer"], "no journey 'calmer'"),
        (["start", "calmer", "--yes"], "no journey 'calmer'"),
        (["report", "calm"], "was never started here"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_question_that_cannot_be_answered_is_refused(
    arguments: list[str], message: str, shop: Path
) -> None:
    assert message in refused(*arguments, "-C", shop)


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["audit", "more"], ["audience"], ["tick", "--as-off", "x"]]
)
def test_wrong_usage_exits_with_2_and_shows_the_usage(arguments: list[str]) -> None:
    answer = rekindle(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("Usage: rekindle")


def test_a_page_that_cannot_be_written_is_refused(shop: Path) -> None:
    page = shop / "rekindle.toml" / "audit.html"
    told = refused("audit", "--as-of", "2024-01-01", "--html", page, "-C", shop)
    assert f"{page} cannot be written" in told


# Journeys and templates


def test_a_misspelt_key_of_a_journey_is_named_with_line_and_nearest(copy: Path) -> None:
    change(copy / "journeys" / "calm.yaml", "holdout:", "holdot:")
    told = refused("start", "calm", "--yes", "-C", copy)
    assert "calm.yaml, line 6: unknown key 'holdot'; did you mean 'holdout'?" in told
    assert "was never started" in refused("report", "calm", "-C", copy)


@pytest.mark.parametrize(
    "command", [["plan", "calm"], ["start", "calm", "--yes"], ["replay", "calm"]]
)
def test_a_template_with_an_unknown_variable_is_found_before_anyone_is_written_to(
    command: list[str], copy: Path
) -> None:
    change(copy / "templates" / "nudge.mjml", "{{ shop.name }}", "{{ shop.nam }}")
    told = refused(*command, "-C", copy)
    assert "nudge.mjml, line " in told
    assert "unknown variable 'shop.nam'; did you mean 'shop.name'?" in told


def test_a_journey_with_a_condition_on_an_unknown_column_does_not_start(copy: Path) -> None:
    change(copy / "journeys" / "calm.yaml", "average_order_value", "average_order")
    assert "average_order_value" in refused("start", "calm", "--yes", "-C", copy)


@pytest.mark.long
def test_nobody_is_written_to_without_a_postal_address(copy: Path) -> None:
    started = rekindle("start", "few", "--yes", "-C", copy)
    assert started.code == 0
    set_key(copy, "postal_address", '""')
    assert "email.postal_address is empty" in refused("start", "calm", "--yes", "-C", copy)
    answer = rekindle("tick", "-C", copy)
    assert answer.code == 1
    assert "email.postal_address is empty" in answer.err
    assert not list((copy / "state" / "outbox").glob("*"))


# Delivery


@pytest.mark.parametrize("command", [["tick"], ["start", "calm", "--yes"]])
def test_a_date_is_not_played_with_where_real_messages_leave(
    command: list[str], copy: Path
) -> None:
    set_key(copy, "outlet", '"email_smtp"')
    assert "--as-of is for trying" in refused(*command, "--as-of", "2024-09-02", "-C", copy)


@pytest.mark.long
def test_a_mail_server_that_refuses_exits_with_1_and_loses_nothing(copy: Path) -> None:
    with socket.socket() as bound:  # bound and not listening: every connection is refused
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        set_key(copy, "outlet", '"email_smtp"')
        add_section(
            copy,
            f'[email.smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
            "connections = 1\n",
        )
        assert rekindle("start", "few", "--yes", "-C", copy).code == 0
        answer = rekindle("tick", "--json", "-C", copy)
    assert answer.code == 1
    assert f"cannot reach the mail server 127.0.0.1:{port}" in answer.err
    assert answer.document["messages"] == {"retried later": 5}
    report = rekindle("report", "few", "--json", "-C", copy).document
    assert (
        f"{report['touches']['send']} messages were decided and have not left yet."
        in report["notes"]
    )
