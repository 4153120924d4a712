"""One table of touches, lanes to share people by, and what a person or a team may ask for.

Steps of earlier versions were known by their place in the file; they take the name they
have now, so that nobody who moves to a later version gets a step twice.
"""

from __future__ import annotations

import zlib
from collections import Counter
from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

LANES = 64
CHUNK = 10_000


def keep_what_there_is(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Carry the rows of the first layout over into the new one."""
    fill_lanes(apps, editor)
    _open_journeys(apps, editor)
    _name_steps(apps, editor)
    editor.execute(
        "UPDATE ledger_touch SET state = m.state, reason = m.reason, template = m.template, "
        "not_before = m.not_before, expires_at = m.expires_at, lease_until = m.lease_until, "
        "leased_by = m.leased_by, attempts = m.attempts, last_error = m.last_error, "
        "provider_id = m.provider_id, accepted_at = m.accepted_at, cost_micros = m.cost_micros "
        "FROM ledger_message AS m WHERE m.touch_id = ledger_touch.id"
    )
    editor.execute(
        "UPDATE ledger_touch SET not_before = at, expires_at = at WHERE not_before IS NULL"
    )
    if editor.connection.vendor == "postgresql":
        # A table with checks still to be made at the commit cannot be altered.
        editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def fill_lanes(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Make the lanes, and put who is on their way into theirs."""
    alias = editor.connection.alias
    lanes = apps.get_model("ledger", "Lane").objects.using(alias)
    lanes.bulk_create(lanes.model(id=number) for number in range(LANES))
    places = apps.get_model("ledger", "Place").objects.using(alias)
    enrolments = apps.get_model("ledger", "Enrolment").objects.using(alias).filter(ended_at=None)
    last = 0
    while rows := list(enrolments.filter(id__gt=last).order_by("id")[:CHUNK]):
        places.bulk_create(
            places.model(
                enrolment_id=row.id,
                lane=zlib.crc32(row.person_id.encode()) % LANES,
                position=row.position,
                ready_at=row.ready_at,
                due_at=row.due_at,
            )
            for row in rows
        )
        last = rows[-1].id


def _open_journeys(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    alias = editor.connection.alias
    journeys = apps.get_model("ledger", "Journey").objects.using(alias)
    versions = apps.get_model("ledger", "JourneyVersion").objects.using(alias)
    groups = versions.values("name").annotate(
        opened_at=models.Min("started_at"),
        changed_at=models.Max("started_at"),
        running=models.Count("id", filter=models.Q(is_running=True)),
    )
    for group in groups:
        state = "running" if group.pop("running") else "stopped"
        journeys.create(state=state, **group)


def _name_steps(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    versions = apps.get_model("ledger", "JourneyVersion").objects.using(editor.connection.alias)
    for version in versions.all():
        names = _names(version.definition["steps"])
        if not names:
            continue
        cases = "WHEN %s THEN %s " * len(names)
        pairs = [word for pair in names.items() for word in pair]
        for table in ("ledger_decision", "ledger_touch"):
            with editor.connection.cursor() as cursor:
                cursor.execute(
                    f"UPDATE {table} SET step = CASE step {cases}ELSE step END "
                    "WHERE enrolment_id IN (SELECT id FROM ledger_enrolment "
                    "WHERE journey = %s AND version = %s)",
                    [*pairs, version.name, version.version],
                )


def _names(steps: list[dict[str, str]]) -> dict[str, str]:
    """Return what each send is called now: its template, numbered where used again."""
    seen: Counter[str] = Counter()
    names = {}
    for step in steps:
        if (template := step.get("template")) is None:
            continue
        seen[template] += 1
        number = seen[template]
        names[step["key"]] = template if number == 1 else f"{template}#{number}"
    return names


def _person(*, is_checked: bool = True) -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(
        db_constraint=is_checked,
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="ledger.person",
    )


def _id() -> models.BigAutoField[Any, Any]:
    return models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


def _enrolment(related_name: str, *, db_index: bool) -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(
        db_constraint=False,
        db_index=db_index,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name=related_name,
        to="ledger.enrolment",
    )


NEW_TABLES = [
    migrations.CreateModel(
        name="Lane",
        fields=[("id", models.PositiveSmallIntegerField(primary_key=True, serialize=False))],
    ),
    migrations.CreateModel(
        name="Place",
        fields=[
            (
                "enrolment",
                models.OneToOneField(
                    db_constraint=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    primary_key=True,
                    related_name="place",
                    serialize=False,
                    to="ledger.enrolment",
                ),
            ),
            ("lane", models.PositiveSmallIntegerField()),
            ("position", models.PositiveSmallIntegerField()),
            ("ready_at", models.DateTimeField()),
            ("due_at", models.DateTimeField()),
            ("wakes_on", models.TextField(db_default="")),
        ],
        options={
            "indexes": [
                models.Index(fields=["lane", "due_at", "enrolment"], name="ledger_place_due")
            ],
        },
    ),
    migrations.CreateModel(
        name="Journey",
        fields=[
            ("name", models.CharField(max_length=200, primary_key=True, serialize=False)),
            (
                "state",
                models.CharField(
                    choices=[
                        ("running", "Running"),
                        ("paused", "Paused"),
                        ("stopped", "Stopped"),
                    ],
                    max_length=24,
                ),
            ),
            ("changed_at", models.DateTimeField()),
            ("opened_at", models.DateTimeField()),
        ],
        options={
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(("state__in", ["running", "paused", "stopped"])),
                    name="ledger_journey_state",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="Preference",
        fields=[
            (
                "person",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT,
                    primary_key=True,
                    related_name="+",
                    serialize=False,
                    to="ledger.person",
                ),
            ),
            ("snoozed_until", models.DateTimeField(null=True)),
            ("muted_topics", models.TextField(db_default="")),
            ("at_most_every_seconds", models.PositiveBigIntegerField(null=True)),
        ],
    ),
    migrations.CreateModel(
        name="Exclusion",
        fields=[
            ("id", _id()),
            ("person", _person()),
            ("kind", models.CharField(max_length=24)),
            ("at", models.DateTimeField()),
            ("until", models.DateTimeField(null=True)),
        ],
        options={
            "constraints": [
                models.UniqueConstraint(fields=("person", "kind"), name="ledger_exclusion_once")
            ],
        },
    ),
    migrations.CreateModel(
        name="Budget",
        fields=[
            ("id", _id()),
            ("name", models.CharField(max_length=300)),
            ("month", models.CharField(max_length=7)),
            ("reserved_micros", models.BigIntegerField(db_default=0)),
        ],
        options={
            "constraints": [
                models.UniqueConstraint(fields=("name", "month"), name="ledger_budget_once")
            ],
        },
    ),
    migrations.CreateModel(
        name="Meter",
        fields=[
            ("name", models.CharField(max_length=300, primary_key=True, serialize=False)),
            ("tokens", models.FloatField(db_default=0)),
            ("at", models.DateTimeField()),
            ("window", models.TextField(db_default="")),
            ("used", models.BigIntegerField(db_default=0)),
        ],
    ),
    migrations.CreateModel(
        name="AuditEntry",
        fields=[
            ("id", _id()),
            ("at", models.DateTimeField()),
            ("who", models.TextField()),
            ("action", models.CharField(max_length=64)),
            ("subject", models.TextField()),
            ("detail", models.JSONField(default=dict)),
        ],
        options={
            "indexes": [models.Index(fields=["subject", "at"], name="ledger_audit_subject")],
        },
    ),
]

NEW_COLUMNS = [
    migrations.AddField("person", "phone", models.TextField(null=True)),
    migrations.AddField("person", "erased_at", models.DateTimeField(null=True)),
    migrations.AddField("signal", "name", models.TextField(db_default="")),
    migrations.AlterField("decision", "enrolment", _enrolment("decisions", db_index=True)),
    migrations.AlterField("decision", "step", models.CharField(max_length=80)),
    migrations.AlterField("touch", "enrolment", _enrolment("touches", db_index=False)),
    migrations.AlterField("touch", "person", _person(is_checked=False)),
    migrations.AlterField("touch", "step", models.CharField(max_length=80)),
    migrations.AddField("touch", "template", models.TextField(db_default="")),
    migrations.AddField("touch", "variant", models.TextField(db_default="")),
    migrations.AddField(
        "touch",
        "state",
        models.CharField(
            choices=[
                ("queued", "Queued"),
                ("leased", "Leased"),
                ("sending", "Sending"),
                ("accepted", "Accepted"),
                ("failed", "Failed"),
                ("unknown", "Unknown"),
                ("cancelled", "Cancelled"),
                ("ghost", "Ghost"),
            ],
            default="ghost",
            max_length=9,
        ),
        preserve_default=False,
    ),
    migrations.AddField("touch", "reason", models.CharField(max_length=24, null=True)),
    migrations.AddField("touch", "not_before", models.DateTimeField(null=True)),
    migrations.AddField("touch", "expires_at", models.DateTimeField(null=True)),
    migrations.AddField("touch", "lease_until", models.DateTimeField(null=True)),
    migrations.AddField("touch", "leased_by", models.TextField(db_default="")),
    migrations.AddField("touch", "attempts", models.PositiveSmallIntegerField(db_default=0)),
    migrations.AddField("touch", "last_error", models.TextField(db_default="")),
    migrations.AddField("touch", "provider_id", models.TextField(db_default="")),
    migrations.AddField("touch", "accepted_at", models.DateTimeField(null=True)),
    migrations.AddField("touch", "cost_micros", models.BigIntegerField(db_default=0)),
    migrations.AddField("touch", "budgets", models.TextField(db_default="")),
    migrations.AddField("touch", "budget_month", models.CharField(db_default="", max_length=7)),
]

NEW_RULES = [
    migrations.RemoveConstraint("touch", "ledger_touch_once"),
    migrations.DeleteModel("Message"),
    migrations.RemoveField("touch", "is_ghost"),
    migrations.RemoveField("journeyversion", "definition"),
    migrations.RemoveField("journeyversion", "is_running"),
    migrations.AlterField("touch", "not_before", models.DateTimeField()),
    migrations.AlterField("touch", "expires_at", models.DateTimeField()),
    migrations.AddConstraint(
        "touch",
        models.UniqueConstraint(fields=("enrolment", "step"), name="ledger_touch_once"),
    ),
    migrations.AddConstraint(
        "touch",
        models.CheckConstraint(
            condition=models.Q(
                (
                    "state__in",
                    [
                        "queued",
                        "leased",
                        "sending",
                        "accepted",
                        "failed",
                        "unknown",
                        "cancelled",
                        "ghost",
                    ],
                )
            ),
            name="ledger_touch_state",
        ),
    ),
    migrations.AddConstraint(
        "touch",
        models.CheckConstraint(
            condition=models.Q(
                models.Q(("state__in", ["leased", "sending"]), _negated=True),
                ("lease_until__isnull", False),
                _connector="OR",
            ),
            name="ledger_touch_lease",
        ),
    ),
    migrations.AddIndex(
        "touch",
        models.Index(
            condition=models.Q(("state", "queued")),
            fields=["not_before", "id"],
            name="ledger_touch_queued",
        ),
    ),
    migrations.AddIndex(
        "touch",
        models.Index(
            condition=models.Q(("state__in", ["leased", "sending"])),
            fields=["lease_until"],
            name="ledger_touch_leased",
        ),
    ),
    migrations.AddIndex(
        "touch",
        models.Index(
            condition=models.Q(("state__in", ["failed", "unknown"])),
            fields=["at"],
            name="ledger_touch_stuck",
        ),
    ),
    migrations.RemoveIndex("enrolment", "ledger_enrolment_due"),
    migrations.RemoveField("enrolment", "position"),
    migrations.RemoveField("enrolment", "ready_at"),
    migrations.RemoveField("enrolment", "due_at"),
    migrations.AddIndex(
        "signal",
        models.Index(fields=["kind", "name", "at"], name="ledger_signal_event"),
    ),
    migrations.RemoveConstraint("signal", "ledger_signal_kind"),
    migrations.AddConstraint(
        "signal",
        models.CheckConstraint(
            condition=models.Q(
                (
                    "kind__in",
                    [
                        "order",
                        "opt_out",
                        "complaint",
                        "bounce",
                        "open",
                        "click",
                        "visit",
                        "view",
                        "reply",
                        "offer_used",
                        "login",
                        "resume",
                        "event",
                    ],
                )
            ),
            name="ledger_signal_kind",
        ),
    ),
    migrations.RemoveConstraint("decision", "ledger_decision_answer"),
    migrations.AddConstraint(
        "decision",
        models.CheckConstraint(
            condition=models.Q(("answer__in", ["send", "hold", "skip", "pass"])),
            name="ledger_decision_answer",
        ),
    ),
]


class Migration(migrations.Migration):
    """From the spine's layout to one that keeps every promise of a book."""

    dependencies = [("ledger", "0001_initial")]

    operations = [
        *NEW_TABLES,
        *NEW_COLUMNS,
        migrations.RunPython(keep_what_there_is, migrations.RunPython.noop, elidable=False),
        *NEW_RULES,
    ]
