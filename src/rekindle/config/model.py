"""What a workspace may decide: the sections of ``rekindle.toml``.

It is checked once, at start: an unknown key or a wrong type is refused with its
place and the nearest known key, so that no later room has to doubt a setting.
Secrets are never in the file: they come from the environment, or from a file the
environment names (``REKINDLE_SECRET`` or ``REKINDLE_SECRET_FILE``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import time, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    field_validator,
    model_validator,
)

from rekindle.config.billing import BillingSettings
from rekindle.config.shop import HoldoutSettings, Settings, ShopSettings, StoppingSettings
from rekindle.config.subscribers import SubscriptionsSettings
from rekindle.config.targets import TargetSettings
from rekindle.config.values import (
    DEFAULT_CURRENCY,
    MOST_DAYS,
    MOST_MESSAGES,
    MOST_TIMES,
    WEEKDAYS,
    Address,
    BudgetLimit,
    CalendarDay,
    Cost,
    Currency,
    Duration,
    Event,
    LocalTime,
    LongText,
    Place,
    Rate,
    Share,
    Text,
    Weekday,
    Zone,
    check_listen,
    parse_span,
)
from rekindle.countries import country_code
from rekindle.vocabulary import OrderState, Tier

FORMAT = 1


class WorkspaceSettings(Settings):
    """Who the workspace is for."""

    format: int = Field(
        FORMAT, ge=1, le=FORMAT, description="The version of the workspace's layout."
    )
    name: Text = Field("My shop", min_length=1, description="The name people know the business by.")
    currency: str = Field(
        DEFAULT_CURRENCY,
        pattern="^[A-Z]{3}$",
        max_length=3,
        description="ISO 4217 code of every amount.",
    )
    timezone: Zone = Field("UTC", description="IANA zone of the business; days are its days.")


class FactsSettings(Settings):
    """Where the facts live."""

    lake: Place = Field(
        "state/lake",
        description="Folder of the Delta tables, relative to the workspace, or s3://BUCKET/FOLDER.",
    )
    keep: Duration = Field(
        timedelta(hours=1),
        description=(
            "How long the files of older facts stay for whoever still reads them, in whole "
            "hours; imports delete them then."
        ),
    )
    warehouse: Address | None = Field(
        None,
        description=(
            "Database URL of a warehouse that holds the contract's tables; "
            "given, it is read instead of the lake."
        ),
    )
    engine: Text | None = Field(
        None, description="Who reads them; none means DuckDB for a lake, else the warehouse."
    )
    options: dict[Text, Text] = Field({}, description="The engine's own settings, by its names.")
    rates: dict[Currency, Rate] = Field(
        {},
        description="What one unit of another currency is worth in the workspace's, by its ISO "
        "4217 code: `EUR = 0.86`. It holds for the whole history; rows in a currency without a "
        "rate are set aside.",
    )
    most_refused: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of the rows of orders that imports may refuse before `audit`, `plan` "
        "and `replay` refuse too; above 0.01 they say it first.",
    )


class LedgerSettings(Settings):
    """Where decisions are kept."""

    url: Address = Field(
        "sqlite:///state/ledger.sqlite3",
        description="sqlite:///PATH (relative to the workspace) or postgresql://…",
    )


def _name_tables(schema: dict[str, Any]) -> None:
    """Let editors offer the tables there are; a package may bring more.

    They are described in the room of facts, which stands above this one, and is asked by
    its name.
    """
    tables = [one.table for one in import_module("rekindle.facts").CONTRACTS.facts]
    any_other = {
        key: schema.pop(key) for key in ("type", "minLength", "maxLength") if key in schema
    }
    schema["anyOf"] = [{"enum": tables, "type": "string"}, any_other]


class SourceSettings(Settings):
    """One place facts are read from."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9_]*$", max_length=64, description="Part of every fact's key."
    )
    table: Text = Field(
        description="A table of docs/reference/facts.md; order_lines are folded into orders.",
        json_schema_extra=_name_tables,
    )
    path: Place | None = Field(None, description="File or glob, relative to the workspace.")
    database: Place | None = Field(
        None, description="Database URL; ${VARIABLE} is taken from the environment."
    )
    query: LongText | None = Field(None, description="The SQL that reads the rows from `database`.")
    columns: dict[Text, Text] = Field(
        default_factory=dict,
        description="Contract column → column of the source; `A + B` are two of them as one, "
        "`every row: no` is a word that holds for the whole file.",
    )
    timezone: Zone | None = Field(
        None, description="Zone of timestamps that name none; default the workspace's."
    )
    delimiter: str | None = Field(
        None, min_length=1, max_length=1, description="Between fields; found out if not given."
    )
    encoding: Text = Field("utf-8", description="Text encoding of the file.")
    date_format: Text | None = Field(
        None,
        description="strptime format of dates that are not ISO 8601, like %d/%m/%Y %H:%M; several "
        "between ` | `; or `epoch seconds`, `epoch milliseconds`, `excel days`.",
    )
    decimal_comma: bool = Field(False, description="Amounts are written 1.234,50.")
    formats: dict[Text, Text] = Field(
        default_factory=dict,
        description="Contract column → how this one is written, where it differs: a `date_format`, "
        "`iso`, `1,234.50`, `1.234,50` or `hundredths`.",
    )
    cancelled_prefix: Text | None = Field(None, description="Begins order ids of refunds.")
    ids: Event | None = Field(None, description="Whose ids: `own`, or a word sources share.")
    skip: dict[Text, list[Text]] = Field(
        default_factory=dict,
        description="Column of the source → words by which a row is none of the table and left "
        "out; an empty word is an empty cell.",
    )
    states: dict[Text, OrderState] = Field(
        default_factory=dict,
        description="The shop's word for a state of an order → what it says: purchase, "
        "part_refunded, refunded, refund (the row is one), cancelled or pending (never paid).",
    )


class TierDays(Settings):
    """Fixed days of silence at which each tier begins."""

    at_risk: int = Field(gt=0, le=MOST_DAYS, description="Days of silence.")
    lapsed: int = Field(gt=0, le=MOST_DAYS, description="Days of silence.")
    dormant: int = Field(gt=0, le=MOST_DAYS, description="Days of silence.")
    gone: int = Field(gt=0, le=MOST_DAYS, description="Days of silence.")


class LifecycleSettings(Settings):
    """When silence becomes a reason to act."""

    preset: Literal["personal", "consumables", "fashion", "furniture", "services", "software"] = (
        Field(
            "personal",
            description="personal: silence against the person's own rhythm; else fixed days.",
        )
    )
    at_risk: float = Field(1.5, gt=0, le=MOST_TIMES, description="× the expected gap.")
    lapsed: float = Field(3.0, gt=0, le=MOST_TIMES, description="× the expected gap.")
    dormant: float = Field(6.0, gt=0, le=MOST_TIMES, description="× the expected gap.")
    gone: float = Field(18.0, gt=0, le=MOST_TIMES, description="× the expected gap.")
    minimum_days: int = Field(
        7, ge=0, le=MOST_DAYS, description="No tier begins earlier than this."
    )
    fallback_gap_days: int = Field(
        60,
        gt=0,
        le=1_000_000_000,
        description="The expected gap while nobody has ever bought twice.",
    )
    shrinkage: float = Field(
        2.0,
        gt=0,
        le=MOST_TIMES,
        description="How many gaps of one's own weigh as much as the group's.",
    )
    days: dict[Text, TierDays] = Field(
        default_factory=dict, description="Fixed days per main category; wins over all else."
    )


def _country(given: str) -> str:
    if len(given) != 2 or country_code(given) != given:
        raise ValueError(f"write countries by two capital letters, like DE, not {given!r}")
    return given


Country = Annotated[str, Field(max_length=100), AfterValidator(_country)]


class ConsentSettings(Settings):
    """Which grounds for contact the business claims beside recorded consent."""

    soft_opt_in: bool = Field(
        False,
        description=(
            "Buyers may be sent marketing about similar products until they object "
            "(UK PECR reg. 22, EU ePrivacy art. 13(2)); confirm that you offered an "
            "opt-out at the sale and in every message."
        ),
    )
    charity_soft_opt_in: bool = Field(
        False,
        description=(
            "You are a charity in the United Kingdom: who supported or asked about you since "
            "2026-02-05 may be written to until they object (PECR reg. 22(3A))."
        ),
    )
    ask_before: Duration | None = Field(
        None,
        description="So long before a permission runs out by law the event `consent_expiring` "
        "of that person begins, for a journey that asks again; unset for never.",
    )
    double_opt_in: bool | tuple[Country, ...] = Field(
        False,
        description="Where a yes reported to the API permits nothing before it is confirmed by a "
        'link: `true`, or countries, like `["DE", "AT"]`; who lives nobody knows where counts '
        "as there.",
    )
    confirm_within: Duration = Field(
        timedelta(days=7), description="For so long after such a yes it may be confirmed."
    )
    inquiries: tuple[Event, ...] = Field(
        (),
        description=(
            "Events that are an inquiry, like quote_requested: a ground where the law knows one "
            "(Canada, six months; the charity form of the United Kingdom)."
        ),
    )

    @property
    def asks_again(self) -> bool | frozenset[str]:
        """Return where a reported yes has to be confirmed."""
        given = self.double_opt_in
        return given if isinstance(given, bool) else frozenset(given)


class TrackingSettings(Settings):
    """Whether it may be noticed that somebody opened an e-mail, by a picture in it."""

    opens: Literal["never", "consent", "deliverability"] = Field(
        "never",
        description="`never` puts no picture into e-mails. `consent` does for those who said yes "
        "to it, and their opening is an event of theirs. `deliverability` does for all but those "
        "who said no, where the law allows it without a yes; hygiene alone sees it, no journey, "
        "report or audience.",
    )


class PatienceSettings(Settings):
    """After how much silence somebody is left alone: both have to be reached."""

    unanswered: int = Field(8, ge=1, le=MOST_MESSAGES, description="Messages without an answer.")
    over: Duration = Field(
        timedelta(days=180), description="Since the first of them at least so long."
    )


class HygieneSettings(PatienceSettings):
    """Whom to leave alone because they do not answer: `rekindle hygiene` says whom it means.

    An answer is what a person does: a click, a reply, a visit, a purchase, never an open.
    """

    daily: bool = Field(False, description="The worker does it once a day by itself.")
    write_less: Duration = Field(
        timedelta(days=30),
        description="Who still opens messages gets one in so long, and is left alone after "
        "twice as many.",
    )
    archive_after: Duration | None = Field(
        None,
        description="Who neither bought nor did anything for so long is permanently inactive, "
        "and written to on no channel; unset for never.",
    )
    channels: dict[Text, PatienceSettings] = Field(
        default_factory=dict, description="Another patience on a channel, by its name."
    )


class ScoresSettings(Settings):
    """What models foresee of customers: kept with its day, shown in profiles while it counts."""

    daily: bool = Field(False, description="The worker scores everybody once a day.")
    horizon_days: int = Field(
        90, ge=1, le=1825, description="Within how many days returns are foreseen."
    )
    good_for: Duration = Field(
        timedelta(days=7),
        description="So long a score counts, in whole days; older ones are blank in profiles.",
    )
    keep: Duration = Field(
        timedelta(days=400),
        description="Scores so much older than those written are deleted from the lake.",
    )


class CapSettings(Settings):
    """At most ``max`` marketing messages in any rolling window of ``per``."""

    max: int = Field(ge=1, le=MOST_MESSAGES, description="Messages.")
    per: Duration = Field(description="The window that rolls, like 16 hours or 7 days.")


class CapsSettings(Settings):
    """Rolling limits on marketing, across journeys: of all channels, and of each by its name."""

    all: CapSettings = Field(
        CapSettings(max=4, per=timedelta(days=7)), description="All channels together."
    )
    per_day: int | None = Field(
        None,
        ge=1,
        le=MOST_MESSAGES,
        description="All channels together, in a calendar day where the person is.",
    )


class QuietHoursSettings(Settings):
    """When no marketing leaves, on the clock of the person it is for."""

    start: LocalTime = Field(
        time(21), description="From then on nothing leaves; may be after `end`."
    )
    end: LocalTime = Field(
        time(8), description="Until then; the same as `start` for no quiet hours."
    )
    spread: Duration = Field(
        timedelta(minutes=30), description="What waited leaves spread over so long afterwards."
    )


class CalendarSettings(Settings):
    """Days on which no marketing leaves, on the calendar of the person it is for."""

    blackout: tuple[Text, ...] = Field(
        (),
        description=(
            "Days and spans: 2026-12-25, 2026-11-27..2026-11-30, or every year 12-24..12-26."
        ),
    )
    weekdays: tuple[Weekday, ...] = Field(
        WEEKDAYS, min_length=1, description="The days of the week on which it may."
    )

    @field_validator("blackout")
    @classmethod
    def _check_blackout(cls, spans: tuple[str, ...]) -> tuple[str, ...]:
        for span in spans:
            parse_span(span)
        return spans


class BudgetSettings(Settings):
    """The most a calendar month may cost; every budget that fits a message binds it."""

    journey: Text | None = Field(None, description="The journey's name; none for all together.")
    channel: Text | None = Field(None, description="The channel; none for all.")
    per_month: BudgetLimit = Field(description="In the currency; months are the business's.")


class WorthSettings(Settings):
    """What one more touch is expected to earn for people of a tier and value band."""

    tier: Tier | None = Field(None, description="The tier; none for all.")
    value_band: Literal["high", "middle", "low"] | None = Field(
        None, description="The value band; none for all."
    )
    margin: Cost = Field(description="Expected incremental margin of one touch, in the currency.")


class OffersSettings(Settings):
    """What holds for every offer of ``offers.yaml``."""

    margin: Share | None = Field(
        None,
        gt=0,
        description="The share of a price that is left to the business; without it no offer that "
        "costs something is given.",
    )
    floor: Share = Field(
        Decimal("0.1"), description="The share of the sale that has to be left after an offer."
    )
    wait: Duration = Field(
        timedelta(days=60),
        description="After one offer is over, so long until another journey gives a person the "
        "next; the same one may go on to one that is not weaker.",
    )
    basket: Cost | None = Field(
        None, description="What people usually spend whose own average order is not known."
    )
    expect: float = Field(
        0.1, ge=0, le=1, description="The share of an offer expected to be redeemed at first."
    )
    explore: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="The share of choices from a ladder drawn by chance among the rungs that may "
        "be given, so that another rule can be judged by what was given.",
    )
    ahead: int = Field(
        200,
        ge=1,
        le=10_000,
        description="How many free codes of each offer `made_at` a shop are kept ready.",
    )
    made_at: dict[Event, Address] = Field(
        {}, description='Where shops that make codes are, like `shopify = "https://…"`.'
    )


class ExclusionsSettings(Settings):
    """Whom the business does not write to, beside those it excludes by hand."""

    negative_value: bool = Field(True, description="People whose lifetime value is below zero.")
    cooling_off: Duration = Field(
        timedelta(days=90), description="How long after a bad ending nothing is sent."
    )
    bad_endings: tuple[Event, ...] = Field(
        ("chargeback", "dispute"), description="Events that count as a bad ending."
    )


class BreakerSettings(Settings):
    """When a journey pauses itself: a rate passed in two windows in a row."""

    window: Duration = Field(timedelta(days=1), description="The length of one window.")
    minimum: int = Field(
        200,
        ge=1,
        le=MOST_MESSAGES,
        description="Messages accepted in a window below which it says nothing.",
    )
    complaints: float | None = Field(
        0.003, gt=0, le=1, description="Share of messages; Gmail's own limit is 0.3 %."
    )
    bounces: float | None = Field(0.05, gt=0, le=1, description="Share of messages.")
    opt_outs: float | None = Field(0.03, gt=0, le=1, description="Share of messages.")


class WarmUpSettings(Settings):
    """A new sending domain begins small and grows every day."""

    first_day: CalendarDay = Field(description="The day it began.")
    messages: int = Field(50, ge=1, le=MOST_MESSAGES, description="On the first day.")
    growth: float = Field(1.5, gt=1, le=MOST_TIMES, description="× a day.")


class PacingSettings(Settings):
    """How what piled up is let go."""

    resume_over: Duration = Field(
        timedelta(hours=1), description="What is due when a journey resumes leaves over so long."
    )
    drift: float = Field(
        0.1,
        ge=0,
        le=MOST_TIMES,
        description="`start --token` refuses when the count moved by a larger share.",
    )


class ChannelSettings(Settings):
    """What every channel's section of ``rekindle.toml`` says; its folder adds the rest."""

    outlet: str = Field("", description="What hands its messages over.")
    cost: Cost = Field(Decimal(0), description="Of one message, in the currency.")
    per_minute: int | None = Field(
        None, ge=1, le=MOST_MESSAGES, description="The most messages a minute; none for no limit."
    )
    warm_up: WarmUpSettings | None = Field(None, description="Few a day while the sender is new.")

    @property
    def highest_cost(self) -> Decimal:
        """Return what one message costs at most: what is set aside for it when it is decided."""
        return self.cost

    @property
    def sender(self) -> str:
        """Return whose good name a warm-up builds, where it is not the outlet's alone."""
        return ""

    @property
    def list_name(self) -> str:
        """Return the name of what a person leaves by the link in a message."""
        return ""

    @property
    def destinations(self) -> Collection[str] | None:
        """Return the lists that steps may name, None where any name will do."""
        return None

    @property
    def shown(self) -> Mapping[str, str]:
        """Return what templates may show of the business beside its name."""
        return {}


class PortalSettings(Settings):
    """The pages customers see."""

    url: Address = Field(
        "http://127.0.0.1:8080",
        pattern=r"^https?://[^\s]+$",
        description="Where customers reach the portal; https in production (RFC 8058).",
    )
    listen: Annotated[Text, AfterValidator(check_listen)] = Field(
        "127.0.0.1:8080", pattern=r"^[^:\s]+:[0-9]{1,5}$", description="Where `up` listens."
    )

    def page(self, name: str, token: str) -> str:
        """Return the address of a page for whoever a token names."""
        return f"{self.url.rstrip('/')}/{name}/{token}"


class ApiSettings(Settings):
    """The API through which shops and apps report what people do."""

    origins: tuple[Text, ...] = Field(
        (),
        description=(
            "Web origins like https://shop.example whose pages may call the API from a browser, "
            "with a key of the scope browser."
        ),
    )
    import_every: Duration = Field(
        timedelta(minutes=15),
        description="How often the worker brings what was reported into the lake.",
    )


class AlertsSettings(Settings):
    """What the team is told of. Where, in URLs of apprise, comes from ``REKINDLE_ALERT_URLS``."""

    about: tuple[
        Literal[
            "journey",
            "outlet",
            "codes",
            "budget",
            "worker",
            "restore",
            "lists",
            "hygiene",
            "watch",
        ],
        ...,
    ] = Field(
        ("journey", "outlet", "codes", "budget", "worker", "restore", "lists", "hygiene", "watch"),
        description="Journeys paused by their breaker, stopped outlets, codes that run low, spent "
        "budgets, passes that fail, a ledger older than what was sent, people not taken off "
        "lists, what hygiene did, and days that were not as usual.",
    )
    every: Duration = Field(
        timedelta(minutes=5), description="How often it is looked, while the worker passes."
    )
    failed_passes: int = Field(
        3, ge=1, le=1000, description="So many passes in a row have to fail before it is told."
    )
    codes_left: int = Field(
        20, ge=0, le=1_000_000, description="A pool of codes with so few left runs low."
    )


class Config(Settings):
    """Everything a workspace decided, checked."""

    workspace: WorkspaceSettings = WorkspaceSettings()
    shop: ShopSettings = ShopSettings()
    facts: FactsSettings = FactsSettings()
    ledger: LedgerSettings = LedgerSettings()
    sources: tuple[SourceSettings, ...] = ()
    lifecycle: LifecycleSettings = LifecycleSettings()
    consent: ConsentSettings = ConsentSettings()
    caps: CapsSettings = CapsSettings()
    quiet_hours: QuietHoursSettings = QuietHoursSettings()
    hygiene: HygieneSettings = HygieneSettings()
    scores: ScoresSettings = ScoresSettings()
    tracking: TrackingSettings = TrackingSettings()
    calendar: CalendarSettings = CalendarSettings()
    budgets: tuple[BudgetSettings, ...] = ()
    worth: tuple[WorthSettings, ...] = ()
    offers: OffersSettings = OffersSettings()
    exclusions: ExclusionsSettings = ExclusionsSettings()
    holdout: HoldoutSettings = HoldoutSettings()
    targets: tuple[TargetSettings, ...] = Field((), max_length=50)
    stopping: StoppingSettings = StoppingSettings()
    breaker: BreakerSettings = BreakerSettings()
    pacing: PacingSettings = PacingSettings()
    portal: PortalSettings = PortalSettings()
    billing: BillingSettings = BillingSettings()
    api: ApiSettings = ApiSettings()
    alerts: AlertsSettings = AlertsSettings()
    subscriptions: SubscriptionsSettings = SubscriptionsSettings()

    @model_validator(mode="after")
    def _check_rates(self) -> Self:
        """See that the workspace's own currency, which is worth one, has no rate."""
        if (own := self.workspace.currency) in self.facts.rates:
            raise ValueError(
                f"[facts.rates] {own}: it is the workspace's own currency, of which one is worth "
                "one; leave it out"
            )
        return self

    @model_validator(mode="after")
    def _check_stopping(self) -> Self:
        """See that what messages are worth is known in one place, and what margin is at all."""
        if self.stopping.reckoned and self.worth:
            raise ValueError(
                "[stopping] finds what messages earn, [[worth]] says it: leave one out"
            )
        if self.stopping.reckoned and self.offers.margin is None:
            named = " and ".join(f"`{one}`" for one in self.stopping.reckoned)
            raise ValueError(f"[stopping] to reckon {named} takes `margin` in [offers]: give it")
        return self

    def channel(self, name: str) -> ChannelSettings:
        """Return the section of a channel, which is called like it."""
        found: ChannelSettings = getattr(self, name)
        return found

    def cap_of(self, name: str) -> CapSettings | None:
        """Return the cap on a channel's own marketing, if it has one."""
        found: CapSettings | None = getattr(self.caps, name, None)
        return found
