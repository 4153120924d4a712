"""Blocks: the products a message shows to one person, computed from what was known then.

A block is one file with a ``BLOCK``, found as profile families are. It ranks products for
people; what a product is called and costs is joined here, the same for every block.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

import ibis
import ibis.expr.types as ir

from rekindle.config import find_pieces
from rekindle.errors import ConfigError
from rekindle.facts import INSTANT, MONEY, PURCHASE, Facts
from rekindle.profiles.tallies import local_day

GROUP = "rekindle.blocks"
MOST = 12
"""So many products a block has at the most; a template shows fewer."""

NO_NAMES = ("", "nan", "null", "none", "n/a", "?")
"""What exports write where they have no name."""

NO_GOODS = (
    "adjustment", "bank charges", "carriage", "delivery", "discount", "dotcom postage", "gift card",
    "gift wrap", "manual", "porto", "postage", "rabatt", "sample", "samples", "shipping", "tax",
    "tip", "versand", "voucher",
)  # fmt: skip
"""What tills book as a product and nobody wants to be shown; `never_shown` adds to it."""

LATELY = timedelta(days=30)

TOLD = {
    "name": "string",
    "text": "string",
    "category": "string",
    "url": "string",
    "by": "string",
    "stars": "int64",
    "on": "date",
    "at": INSTANT,
    "until": "date",
    "price": MONEY,
}
"""What a block that tells shows of each entry, with its type; what it leaves out is empty.

Of an instant (``at``) its day in the business's zone is shown, as ``on``: not every warehouse
knows the clocks of zones.
"""

PRICED = ("price", "was", "quantity")
"""What a block that ranks may bring of a product itself, in the place of the catalogue's."""

SAID = ("name", "url", "image")
"""What it may bring beside that, for products of which the catalogue does not say it."""

BASKET_LASTS = timedelta(days=30)
"""How long a basket waits for somebody, where nobody says."""


@dataclass(frozen=True)
class Sales:
    """What was bought before an instant: one row an order, product and customer.

    ``bought`` has ``customer_id``, ``source``, ``order_id``, ``product_id``, ``category``,
    ``ordered_at`` and ``ordered_on``, the business's day; anonymous sales have no customer.
    ``people`` are those who are asked about, by ``customer_id``. ``at`` is the instant, ``on``
    its day, and ``facts`` are all that was known before it. A basket waits for ``basket_lasts``.
    """

    bought: ir.Table
    people: ir.Table
    at: datetime
    on: date
    facts: Facts
    basket_lasts: timedelta = BASKET_LASTS

    @property
    def theirs(self) -> ir.Table:
        """Return what those who are asked about bought."""
        return self.bought.semi_join(self.people, "customer_id")

    def since(self, span: timedelta) -> ir.Table:
        """Return what was bought in the last while."""
        start = ibis.literal(self.at - span, type="timestamp('UTC', 6)")
        return self.bought.filter(self.bought.ordered_at >= start)

    @property
    def listed(self) -> ir.Table:
        """Return the price list: ``product_id`` and ``listed``, empty of what is sold no more."""
        prices = self.facts.more["prices"]
        # Of two sources that speak of one product at once, the dearer.
        newest = ibis.window(
            group_by=prices.product_id,
            order_by=[prices.since.desc(), prices.price.desc(nulls_first=False)],
        )
        prices = prices.mutate(number=ibis.row_number().over(newest))
        prices = prices.filter(prices.number == 0)
        return prices.select("product_id", listed=prices.price, is_listed=ibis.literal(True))

    def buyers(self, span: timedelta = LATELY) -> ir.Table:
        """Return ``product_id`` and ``buyers``, how many known customers bought it lately.

        Anonymous sales are left out: with them favourites were met less often (the till of a
        shop sells other things than those to whom one writes buy).
        """
        rows = self.since(span)
        rows = rows.filter(rows.customer_id.notnull())
        return rows.group_by("product_id").agg(buyers=rows.customer_id.nunique())


@dataclass(frozen=True, slots=True)
class Block:
    """One list of products for each person. ``otherwise`` says what stands in for nothing.

    ``rank`` returns ``customer_id``, ``product_id`` and ``score``; a higher score comes
    first, and of two that are equal the id that is first in the alphabet. It may bring what is
    ``PRICED``, or all that is priced and ``SAID``, for products that no catalogue knows. A block of
    no products has ``tell`` in its place, which returns ``customer_id``, ``score``, ``key`` (in the
    place of the id) and what is shown of ``TOLD``.
    """

    name: str
    meaning: str
    otherwise: str
    rank: Callable[[Sales], ir.Table] | None = None
    tell: Callable[[Sales], ir.Table] | None = None

    def __post_init__(self) -> None:
        if (self.rank is None) == (self.tell is None):
            raise ConfigError(f"the block {self.name!r} ranks products, or tells; not both")


def find_blocks() -> Mapping[str, Block]:
    """Return the blocks there are, by name; ours and those of installed packages.

    Raises:
        ConfigError: what a package names is no block, or its name is taken.
    """
    return _find_blocks(tuple(sys.path))


@lru_cache(maxsize=8)  # what is installed changes with the path alone
def _find_blocks(path: tuple[str, ...]) -> Mapping[str, Block]:
    found: dict[str, Block] = {}
    for where, block in find_pieces("rekindle.profiles.blocks", "BLOCK", GROUP):
        if not isinstance(block, Block):
            raise ConfigError(f"{where} names no Block")
        if block.name in found:
            raise ConfigError(f"{where}: there is a block {block.name!r} already")
        found[block.name] = block
    return found


def build_block(
    block: Block,
    facts: Facts,
    people: ir.Table,
    at: datetime,
    *,
    never: Collection[str] = (),
    most: int = MOST,
    basket_lasts: timedelta = BASKET_LASTS,
) -> ir.Table:
    """Return the products of a block for ``people``, as known before ``at``.

    A row has ``customer_id``, ``place`` from 0, ``product_id``, and of the product ``name``,
    ``category``, ``price``, ``url`` and ``image``, empty where the catalogue does not say. A
    product without a name is not shown, nor are those of ``never``. A block that tells has
    ``TOLD`` in the place of that, and its ``key`` as ``product_id``.
    """
    known = facts.cut(at)
    named = _without(_catalogue(known), never)
    sales = Sales(
        _bought(known).semi_join(named, "product_id"),
        people,
        at,
        local_day(at, facts.zone),
        known,
        basket_lasts,
    )
    if block.tell is not None:
        return _told(block.tell(sales), most)
    assert block.rank is not None
    ranked = block.rank(sales)
    if set(SAID) <= set(ranked.columns):
        # Of a few products the names are few: those of all take most of the time.
        catalogue = _catalogue(known, among=ranked.select("product_id").distinct())
        ranked = _without(_completed(ranked, catalogue), never)
        return _first(ranked, most, "product_id").drop("score").order_by("customer_id", "place")
    priced = [name for name in PRICED if name in ranked.columns]
    if "price" in priced:
        named = named.drop("price")
    chosen = _first(ranked, most, "product_id")
    chosen = chosen.select("customer_id", "place", "product_id", *priced)
    return chosen.inner_join(named, "product_id").order_by("customer_id", "place")


def _told(told: ir.Table, most: int) -> ir.Table:
    """Return what a block tells, with ``TOLD`` whole."""
    told = _first(told, most, "key")
    lacking = {name: ibis.null(kind) for name, kind in TOLD.items() if name not in told.columns}
    told = told.mutate(**lacking)
    chosen = told.select("customer_id", "place", *TOLD, product_id=told.key)
    return chosen.order_by("customer_id", "place")


def _first(rows: ir.Table, most: int, key: str) -> ir.Table:
    """Return the best rows of each person, with their ``place``."""
    order = ibis.window(group_by="customer_id", order_by=[ibis.desc("score"), ibis.asc(key)])
    rows = rows.mutate(place=ibis.row_number().over(order))
    return rows.filter(rows.place < most)


def _completed(ranked: ir.Table, catalogue: ir.Table) -> ir.Table:
    """Return ranked products as the catalogue has them, or else as the row itself says.

    What a row says is its own person's: of one product another may have been told otherwise.
    """
    known = catalogue.select(
        "category", known_id="product_id", **{f"known_{name}": catalogue[name] for name in SAID}
    )
    rows = ranked.left_join(known, ranked.product_id == known.known_id)
    named = {name: ibis.coalesce(rows[f"known_{name}"], rows[name]) for name in SAID}
    return rows.mutate(**named).drop("known_id", *(f"known_{name}" for name in SAID))


def find_liked(bought: ir.Table) -> ir.Table:
    """Return ``customer_id`` and ``liked``, the category of which they bought most often."""
    known = bought.filter(bought.category.notnull())
    counts = known.group_by("customer_id", "category").agg(times=known.count())
    order = ibis.window(group_by="customer_id", order_by=[ibis.desc("times"), "category"])
    counts = counts.mutate(place=ibis.row_number().over(order))
    return counts.filter(counts.place == 0).select("customer_id", liked="category")


def _bought(facts: Facts) -> ir.Table:
    orders = facts.orders.filter(facts.orders.kind == PURCHASE)
    orders = orders.select("source", "order_id", "customer_id", "ordered_at", "ordered_on")
    lines = facts.order_lines
    lines = lines.filter((lines.amount > 0) & (lines.quantity > 0) & lines.product_id.notnull())
    rows = lines.inner_join(orders, ["source", "order_id"])
    named = facts.products.select("product_id", product_category=facts.products.category)
    rows = rows.left_join(named, "product_id")
    keys = ("customer_id", "source", "order_id", "product_id", "ordered_at", "ordered_on")
    return rows.group_by(*keys).agg(
        category=ibis.coalesce(rows.category, rows.product_category).max()
    )


def _catalogue(facts: Facts, *, among: ir.Table | None = None) -> ir.Table:
    """Return every product there is; its name is the catalogue's or that of most lines."""
    lines, products = facts.order_lines, facts.products
    if among is not None:
        lines, products = (one.semi_join(among, "product_id") for one in (lines, products))
    told = lines.filter((lines.quantity > 0) & (lines.amount > 0) & lines.product_id.notnull())
    told = told.filter(~told.description.strip().lower().isin(NO_NAMES))
    told = told.group_by(told_id=told.product_id, said=told.description.strip()).agg(
        times=told.count()
    )
    order = ibis.window(group_by="told_id", order_by=[ibis.desc("times"), "said"])
    told = told.mutate(rank=ibis.row_number().over(order))
    told = told.filter(told["rank"] == 0).select("told_id", "said")
    products = products.select("product_id", "name", "category", "price", "url", "image")
    both = products.outer_join(told, products.product_id == told.told_id)
    return both.select(
        product_id=ibis.coalesce(both.product_id, both.told_id),
        name=ibis.coalesce(both.name, both.said),
        category=both.category,
        price=both.price,
        url=both.url,
        image=both.image,
    )


def _without(products: ir.Table, never: Collection[str]) -> ir.Table:
    """Leave out products without a name, what nobody wants to be shown, and those of ``never``."""
    name = products.name.strip().lower()
    products = products.filter(products.name.notnull() & ~name.isin(("", *NO_GOODS)))
    return products.filter(~products.product_id.isin(sorted(never))) if never else products
