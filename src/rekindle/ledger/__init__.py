"""What Rekindle decided and did, kept in SQLite or PostgreSQL.

A model class cannot exist before Django is configured, so importing this face
configures it, once, without a settings module.
"""

from rekindle.ledger.setup import (
    configure,
    connect,
    count_pending,
    disconnect,
    let_go,
    mend,
    migrate,
)

configure()

from rekindle.ledger.book import LedgerBook  # noqa: E402
from rekindle.ledger.book.persons import Persons  # noqa: E402
from rekindle.ledger.book.persons.settling import (  # noqa: E402
    adopt_persons,
    read_persons,
    settle_persons,
)
from rekindle.ledger.bulk import without_collector  # noqa: E402
from rekindle.ledger.guards.counting import (  # noqa: E402
    Reach,
    count_reach,
    running_versions,
)
from rekindle.ledger.guards.housing import require_home  # noqa: E402
from rekindle.ledger.guards.marking import (  # noqa: E402
    MarkEntry,
    add_suppressions,
    audit_entries_since,
    draw_token,
    everybody,
    has_marks,
    load_mark,
    set_mark,
    suppressions_since,
    withdrawals_since,
)
from rekindle.ledger.guards.moving import Moved, move_ledger  # noqa: E402
from rekindle.ledger.guards.passing import (  # noqa: E402
    add_counts,
    load_counts,
    load_last_import,
    load_last_pass,
    note_import,
    note_pass,
)
from rekindle.ledger.guards.sealing import (  # noqa: E402
    Rekeyed,
    fits,
    fits_seal,
    is_keyed,
    open_seal,
    rekey,
    require_seal,
)
from rekindle.ledger.guards.secret import find_secret, require_secret  # noqa: E402
from rekindle.ledger.hashing import hash_address  # noqa: E402
from rekindle.ledger.history import (  # noqa: E402
    AuditEntry,
    AuditLog,
    DecisionCount,
    DecisionEntry,
    EnrolmentEntry,
    ExclusionEntry,
    History,
    JourneyEntry,
    JourneyTally,
    MessageEntry,
    SignalEntry,
    SuppressionEntry,
    Waiting,
    load_extent,
    load_newest_write,
    load_windows,
    tally_journeys,
    tally_messages,
)
from rekindle.ledger.history.addresses import AddressBook, find_suppressed  # noqa: E402
from rekindle.ledger.history.observations import Correction, Observations, Sightings, Watched  # noqa: E402
from rekindle.ledger.history.silences import (  # noqa: E402
    active_among,
    find_silences,
    leave_alone,
    left_alone,
)
from rekindle.ledger.intake import (  # noqa: E402
    ApiKey,
    ApiKeys,
    Inbox,
    Report,
    Scope,
    Spooled,
    Taken,
    forget_reported_of_erased,
    read_reports,
    spooled_sources,
)
from rekindle.ledger.models import JourneyState, MessageState  # noqa: E402
from rekindle.ledger.offers.codes import (  # noqa: E402
    Pool,
    count_codes,
    load_codes,
    make_codes,
    set_codes_aside,
)
from rekindle.ledger.offers.giving import settle_ended  # noqa: E402
from rekindle.ledger.offers.reading import OfferEntry, load_offers_of  # noqa: E402
from rekindle.ledger.offers.redeeming import (  # noqa: E402
    CodeHolder,
    Redemption,
    first_given_at,
    load_holders,
    save_redemptions,
)
from rekindle.ledger.offers.tallying import (  # noqa: E402
    OfferTally,
    OfferWindow,
    learn_rates,
    load_first_windows,
    load_redeemed,
    tally_offers,
)
from rekindle.ledger.outbox import (  # noqa: E402
    MAX_ATTEMPTS,
    Deliveries,
    DoorState,
    Meters,
    Outbox,
    OutboxMessage,
    Recovered,
    Stop,
    Stops,
    StuckMessage,
)
from rekindle.ledger.queries import ledger_transaction  # noqa: E402
from rekindle.ledger.signals import end_silence  # noqa: E402

__all__ = [
    "MAX_ATTEMPTS",
    "AddressBook",
    "ApiKey",
    "ApiKeys",
    "AuditEntry",
    "AuditLog",
    "CodeHolder",
    "Correction",
    "DecisionCount",
    "DecisionEntry",
    "Deliveries",
    "DoorState",
    "EnrolmentEntry",
    "ExclusionEntry",
    "History",
    "Inbox",
    "JourneyEntry",
    "JourneyState",
    "JourneyTally",
    "LedgerBook",
    "MarkEntry",
    "MessageEntry",
    "MessageState",
    "Meters",
    "Moved",
    "Observations",
    "OfferEntry",
    "OfferTally",
    "OfferWindow",
    "Outbox",
    "OutboxMessage",
    "Persons",
    "Pool",
    "Reach",
    "Recovered",
    "Redemption",
    "Rekeyed",
    "Report",
    "Scope",
    "Sightings",
    "SignalEntry",
    "Spooled",
    "Stop",
    "Stops",
    "StuckMessage",
    "SuppressionEntry",
    "Taken",
    "Waiting",
    "Watched",
    "active_among",
    "add_counts",
    "add_suppressions",
    "adopt_persons",
    "audit_entries_since",
    "configure",
    "connect",
    "count_codes",
    "count_pending",
    "count_reach",
    "disconnect",
    "draw_token",
    "end_silence",
    "everybody",
    "find_secret",
    "find_silences",
    "find_suppressed",
    "first_given_at",
    "fits",
    "fits_seal",
    "forget_reported_of_erased",
    "has_marks",
    "hash_address",
    "is_keyed",
    "learn_rates",
    "leave_alone",
    "ledger_transaction",
    "left_alone",
    "let_go",
    "load_codes",
    "load_counts",
    "load_extent",
    "load_first_windows",
    "load_holders",
    "load_last_import",
    "load_last_pass",
    "load_mark",
    "load_newest_write",
    "load_offers_of",
    "load_redeemed",
    "load_windows",
    "make_codes",
    "mend",
    "migrate",
    "move_ledger",
    "note_import",
    "note_pass",
    "open_seal",
    "read_persons",
    "read_reports",
    "rekey",
    "require_home",
    "require_seal",
    "require_secret",
    "running_versions",
    "save_redemptions",
    "set_codes_aside",
    "set_mark",
    "settle_ended",
    "settle_persons",
    "spooled_sources",
    "suppressions_since",
    "tally_journeys",
    "tally_messages",
    "tally_offers",
    "withdrawals_since",
    "without_collector",
]
