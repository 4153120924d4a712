"""Who may report events, what was reported, and who is who."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the tables of event intake."""

    dependencies = [("ledger", "0002_promises")]

    operations = [
        migrations.CreateModel(
            name="Alias",
            fields=[
                ("id", models.CharField(max_length=201, primary_key=True, serialize=False)),
                ("person", models.CharField(db_index=True, max_length=200)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("name", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("source", models.CharField(max_length=63)),
                ("scopes", models.TextField()),
                ("secret_hash", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField()),
                ("last_used_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
            ],
            options={"db_table": "ledger_api_key"},
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(max_length=63)),
                ("message_id", models.CharField(max_length=200)),
                ("type", models.CharField(max_length=8)),
                ("name", models.CharField(max_length=100)),
                ("subject", models.CharField(db_default="", max_length=200)),
                ("person", models.CharField(max_length=200, null=True)),
                ("anonymous_id", models.CharField(max_length=200, null=True)),
                ("at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("is_clamped", models.BooleanField()),
                ("is_machine", models.BooleanField()),
                ("payload", models.TextField()),
                ("exported_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("exported_at__isnull", True)),
                        fields=["id"],
                        name="ledger_event_spool",
                    ),
                    models.Index(
                        condition=models.Q(("subject", ""), _negated=True),
                        fields=["source", "subject"],
                        name="ledger_event_subject",
                    ),
                    models.Index(
                        condition=models.Q(("person__isnull", True)),
                        fields=["anonymous_id"],
                        name="ledger_event_anonymous",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "message_id"), name="ledger_event_once"
                    )
                ],
            },
        ),
    ]
