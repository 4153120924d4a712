"""What each table of facts holds: one file a table, found by looking."""

from rekindle.facts.contracts.columns import CARD, SOURCE
from rekindle.facts.contracts.customers import CONTRACT as CUSTOMERS
from rekindle.facts.contracts.describing import describe_contracts
from rekindle.facts.contracts.discovery import Contracts
from rekindle.facts.contracts.events import CONTRACT as EVENTS
from rekindle.facts.contracts.further.baskets import CONTRACT as BASKETS
from rekindle.facts.contracts.further.baskets import EMPTY_BASKET
from rekindle.facts.contracts.further.overridden_cards import CONTRACT as OVERRIDDEN_CARDS
from rekindle.facts.contracts.further.overridden_orders import CONTRACT as OVERRIDDEN_ORDERS
from rekindle.facts.contracts.handles import CONTRACT as HANDLES
from rekindle.facts.contracts.identities import CONTRACT as IDENTITIES
from rekindle.facts.contracts.imports import CONTRACT as IMPORTS
from rekindle.facts.contracts.model import INSTANT, MONEY, Column, Contract
from rekindle.facts.contracts.order_lines import CONTRACT as ORDER_LINES
from rekindle.facts.contracts.orders import CONTRACT as ORDERS
from rekindle.facts.contracts.orders import STAMPS
from rekindle.facts.contracts.permissions import CONTRACT as PERMISSIONS
from rekindle.facts.contracts.permissions import UNSAID
from rekindle.facts.contracts.products import CONTRACT as PRODUCTS
from rekindle.facts.contracts.quarantine import CONTRACT as QUARANTINE
from rekindle.facts.contracts.refunds import CONTRACT as REFUNDS
from rekindle.facts.contracts.subscriptions import CONTRACT as SUBSCRIPTIONS

CONTRACTS = Contracts()

__all__ = [
    "BASKETS",
    "CARD",
    "CONTRACTS",
    "CUSTOMERS",
    "EMPTY_BASKET",
    "EVENTS",
    "HANDLES",
    "IDENTITIES",
    "IMPORTS",
    "INSTANT",
    "MONEY",
    "ORDERS",
    "ORDER_LINES",
    "OVERRIDDEN_CARDS",
    "OVERRIDDEN_ORDERS",
    "PERMISSIONS",
    "PRODUCTS",
    "QUARANTINE",
    "REFUNDS",
    "SOURCE",
    "STAMPS",
    "SUBSCRIPTIONS",
    "UNSAID",
    "Column",
    "Contract",
    "Contracts",
    "describe_contracts",
]
