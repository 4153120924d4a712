"""What other systems sent to people before, as their exports tell it."""

from __future__ import annotations

from rekindle.facts.contracts.columns import CUSTOMER_ID, EMAIL, PHONE, SOURCE
from rekindle.facts.contracts.model import INSTANT, Column, Contract

CONTRACT = Contract(
    "past_sends",
    "What other systems sent to people before: a row a message and person, as their exports tell "
    "it. `rekindle audit` says what became of them. Who was kept out of a campaign on purpose "
    "has a row as well, with `arm` saying so.",
    ("source", "customer_id", "channel", "campaign", "sent_at"),
    (
        SOURCE,
        Column(
            "customer_id",
            "string",
            "To whom: the customer's id, or the address or number it went to.",
            required=True,
            words=(
                *CUSTOMER_ID.words,
                *EMAIL.words,
                "recipient",
                "recipient_email",
                "to",
                *PHONE.words,
            ),
        ),
        Column(
            "channel",
            "string",
            "On which channel: email, sms, push, letter. A file of one channel says it by "
            '`channel = "every row: email"`.',
            required=True,
            words=("channel", "message_channel", "campaign_channel", "send_channel", "medium"),
        ),
        Column(
            "campaign",
            "string",
            "In what it was sent, as the other system calls it: a campaign, a flow, an automation.",
            required=True,
            words=(
                "campaign",
                "campaign_name",
                "campaign_title",
                "flow_name",
                "flow",
                "message_name",
                "kampagne",
            ),
        ),
        Column(
            "sent_at",
            INSTANT,
            "When it was sent; of who was kept out, when it would have been.",
            required=True,
            words=(
                "sent_at",
                "send_time",
                "send_date",
                "sent_date",
                "sent_on",
                "sent",
                "timestamp",
                "date",
                "gesendet_am",
                "versanddatum",
            ),
        ),
        Column(
            "opened_at",
            INSTANT,
            "When it was opened first, as the other system counts; machines open as well.",
            words=("opened_at", "first_opened_at", "open_time", "open_date", "first_open"),
        ),
        Column(
            "clicked_at",
            INSTANT,
            "When a link in it was followed first.",
            words=("clicked_at", "first_clicked_at", "click_time", "click_date", "first_click"),
        ),
        Column(
            "bounced",
            "boolean",
            "Whether it came back.",
            words=("bounced", "is_bounced", "bounce", "hard_bounced"),
        ),
        Column(
            "arm",
            "string",
            "control, holdout or a like word for who was drawn by lot to get nothing; anything "
            "else, or nothing, for whom it went to.",
            words=("arm", "experiment_group", "experiment_arm", "treatment", "variation"),
        ),
    ),
    known_at="sent_at",
    is_optional=True,
)
