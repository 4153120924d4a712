"""Whoever bills the subscriptions: one protocol, and a folder a provider behind it."""

from rekindle.billing.beginning import FirstLook, look_first
from rekindle.billing.discovery import (
    build_biller,
    build_biller_or_tell,
    describe_billers,
    find_billers,
)
from rekindle.billing.folding import write_fact
from rekindle.billing.instructing import (
    Instruction,
    InstructionKind,
    carry_out,
    is_moot,
    is_so,
    may_instruct,
)
from rekindle.billing.model import (
    BilledDiscount,
    BilledFact,
    BilledPlan,
    BilledStanding,
    Biller,
    BillerAbilities,
    BillerFolder,
    Charge,
    ChargeOutcome,
    Comeback,
    Notice,
    OpenInvoice,
    Page,
    SavedCard,
    SubscriptionState,
    name_place,
)
from rekindle.billing.pulling import pull_facts, take_notices

__all__ = [
    "BilledDiscount",
    "BilledFact",
    "BilledPlan",
    "BilledStanding",
    "Biller",
    "BillerAbilities",
    "BillerFolder",
    "Charge",
    "ChargeOutcome",
    "Comeback",
    "FirstLook",
    "Instruction",
    "InstructionKind",
    "Notice",
    "OpenInvoice",
    "Page",
    "SavedCard",
    "SubscriptionState",
    "build_biller",
    "build_biller_or_tell",
    "carry_out",
    "describe_billers",
    "find_billers",
    "is_moot",
    "is_so",
    "look_first",
    "may_instruct",
    "name_place",
    "pull_facts",
    "take_notices",
    "write_fact",
]
