"""Tests by sums what a file's amounts are: before or after a discount, of one or of a line.

The rows themselves answer: a total that is what the others come to, a price that grows
with the quantity, a discount that is never more than one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from rekindle.config import SourceSettings
from rekindle.facts.casting import Rules, build_value
from rekindle.facts.contracts import MONEY, ORDER_LINES, ORDERS, Column, Contract
from rekindle.facts.proposing.matching import Match, headers
from rekindle.facts.proposing.survey import Survey
from rekindle.facts.sources import plain

CLOSE = 0.02  # what rounding may leave between a total and its parts
MOSTLY = 0.95
SHIPPING = (
    "shipping",
    "shippingcost",
    "shippingtotal",
    "shippingamount",
    "shippingprice",
    "shippingfee",
    "delivery",
    "deliveryfee",
    "deliverycost",
    "freight",
    "postage",
    "versand",
    "versandkosten",
    "fraisdeport",
    "livraison",
    "envio",
    "shippingcharges",
)
TAX = (
    "tax",
    "taxes",
    "taxtotal",
    "totaltax",
    "taxamount",
    "salestax",
    "vat",
    "vatamount",
    "mwst",
    "ust",
    "tva",
    "iva",
    "gst",
)
SUBTOTAL = (
    "subtotal",
    "subtotalprice",
    "itemstotal",
    "itemtotal",
    "goods",
    "goodstotal",
    "zwischensumme",
    "soustotal",
    "ordersubtotal",
    "productstotal",
    "merchandise",
)
PAID = (
    "total",
    "ordertotal",
    "grandtotal",
    "totalprice",
    "totalpaid",
    "amountpaid",
    "paid",
    "totalamount",
    "gesamtbetrag",
    "gesamtsumme",
    "summe",
    "montanttotal",
    "importetotal",
)
LINE_TOTAL = (
    "linetotal",
    "lineamount",
    "total",
    "amount",
    "itemtotal",
    "salesvalue",
    "revenue",
    "gesamt",
    "summe",
    "extendedprice",
    "subtotal",
)
UNITARY = re.compile(r"unit|each|einzel|stück|stuck|unitaire|unitario|peritem|perunit")
RATE = re.compile(r"percent|prozent|pourcent|pct|rate|%", re.IGNORECASE)


@dataclass
class Sums:
    """What the sums of a file say; ``match`` is changed to what follows from them."""

    found: Survey
    contract: Contract
    match: Match
    settings: SourceSettings
    fixed: frozenset[str]
    doubts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def test(self) -> None:
        """Test what can be tested, and say what was found and what remains open."""
        for name in ("discount", "refund", "line_discount"):
            if name in self.match.chosen and name not in self.fixed:
                self._test_flag(name)
        if "discount" in self.match.chosen and "discount" not in self.fixed:
            self._test_share()
        if self.contract is ORDERS and "gross" in self.match.chosen:
            self._test_total()
        if self.contract is ORDER_LINES and {"quantity", "unit_price"} <= self.match.chosen.keys():
            self._test_price()

    def leave_out(self, name: str, why: str) -> None:
        """Leave a column out, and say so."""
        column = self.match.chosen.pop(name)
        self.match.refused[column] = why
        self.doubts.append(f"the {name} in {column!r} is left out: {why}")

    def amount(self, column: str, name: str = "gross") -> str:
        """Return SQL for a file's column as an amount, as ``name`` would be read."""
        form = self.found.amounts(column)
        known = name if self.match.chosen.get(name) == column else "gross"
        formats = {**self.settings.formats}
        if known != name or column not in self.match.chosen.values():
            formats[known] = form.form if form else "1,234.50"
        rules = Rules(self.settings.model_copy(update={"formats": formats}), "", "UTC")
        return build_value(self.found.raw, column, Column(known, MONEY, ""), rules)

    def _test_flag(self, name: str) -> None:
        """Leave out what says whether and not how much: 0 and 1."""
        column = self.match.chosen[name]
        values = set(self.found.values[column])
        if self.found.rows > 1 and values & {"1", "1.0"} and values <= {"0", "1", "0.0", "1.0"}:
            self.leave_out(name, "0 and 1 say whether there was one, not how much")

    def _test_share(self) -> None:
        column = self.match.chosen["discount"]
        discount = self.amount(column, "discount")
        largest, broken, whole = self.found.ask(
            f"max(abs({discount})), "
            f"count(*) filter (where abs({discount}) between 0.0001 and 0.9999), "
            f"count(*) filter (where {discount} <> 0 and {discount} = floor({discount}))"
        )
        is_part = largest is not None and largest <= 1 and broken > whole
        if RATE.search(column) or is_part:
            kept = self.match.chosen.get("gross") or self.match.chosen.get("unit_price")
            self.leave_out(
                "discount",
                f"its values are shares, not amounts; {kept!r} is taken as what was paid",
            )

    def _parts(self) -> dict[str, str]:
        """Return the columns that a total may be made of, by what they are."""
        by_word = headers(list(self.found.values))
        kinds = {"shipping": SHIPPING, "tax": TAX, "subtotal": SUBTOTAL, "total": PAID}
        found = {}
        for kind, words in kinds.items():
            column = next((by_word[word] for word in words if word in by_word), None)
            amounts = self.found.amounts(column) if column else None
            if column and amounts and amounts.share > MOSTLY:
                found[kind] = column
        return found

    def _test_total(self) -> None:
        parts, chosen = self._parts(), self.match.chosen
        discount = chosen.get("discount")
        has_both = {"total", "subtotal"} <= parts.keys() and parts["subtotal"] != parts["total"]
        if has_both and self._test_sum(parts, discount):
            return
        gross = chosen["gross"]
        if discount is None or {"gross", "discount"} & self.fixed:
            return
        (over,) = self.found.ask(
            f"count(*) filter (where {self.amount(discount, 'discount')} > {self.amount(gross)} "
            f"and {self.amount(gross)} >= 0)"
        )
        if plain(gross) in PAID or over:
            self.leave_out(
                "discount",
                f"{gross!r} is taken as what was paid, after the discount; if it is before, "
                f"answer discount={discount}",
            )
        else:
            self.doubts.append(
                f"{gross!r} is taken as before the discount in {discount!r}; if it is after, "
                "answer discount= (nothing)"
            )

    def _test_sum(self, parts: dict[str, str], discount: str | None) -> bool:
        """Take the subtotal for gross where the total is what it and the others come to."""
        total, subtotal = self.amount(parts["total"]), self.amount(parts["subtotal"])
        others = [
            f"coalesce({self.amount(parts[k])}, 0)" for k in ("shipping", "tax") if k in parts
        ]
        taken = f"abs(coalesce({self.amount(discount, 'discount')}, 0))" if discount else "0"
        telling = f"{taken} <> 0" if discount else "true"
        for extra in (others, others[:1], []):
            added = " + ".join([subtotal, *extra])
            before, after, rows = self.found.ask(
                f"count(*) filter (where abs({added} - {taken} - {total}) <= {CLOSE}), "
                f"count(*) filter (where abs({added} - {total}) <= {CLOSE}), count(*)",
                where=f"{total} is not null and {subtotal} is not null and {telling}",
            )
            if rows and max(before, after) >= MOSTLY * rows:
                self._take_subtotal(parts, discount, is_before=before >= after, rows=rows)
                return True
        return False

    def _take_subtotal(
        self, parts: dict[str, str], discount: str | None, *, is_before: bool, rows: int
    ) -> None:
        if discount is None and self.match.chosen["gross"] == parts["total"]:
            self.notes.append(f"{parts['total']!r} is taken as gross, with shipping and tax in it")
            return
        if "gross" not in self.fixed:
            self.match.chosen["gross"] = parts["subtotal"]
        self.notes.append(
            f"{parts['total']!r} is what {parts['subtotal']!r}"
            f"{f', less {discount!r},' if discount and is_before else ''} and the rest come to in "
            f"{rows:,} rows: {self.match.chosen['gross']!r} is taken as gross"
        )
        if discount and not is_before and "discount" not in self.fixed:
            self.leave_out("discount", f"it is off {parts['subtotal']!r} already")

    def _test_price(self) -> None:
        """Tell the price of one from that of the line, by totals or by other quantities."""
        chosen = self.match.chosen
        price, quantity = chosen["unit_price"], chosen["quantity"]
        if "unit_price" in self.fixed:
            return
        several, _ = self.found.ask(
            f"count(*) filter (where {self.amount(quantity, 'quantity')} > 1), count(*)"
        )
        if not several:
            return
        says_line, says_one = self._by_total(price, quantity)
        if not says_line and not says_one:
            says_line, says_one = self._by_product(price, quantity)
        if says_line > 2 * says_one:
            self._take_line(price, says_line)
        elif not says_one and not UNITARY.search(plain(price)):
            self.doubts.append(
                f"the price in {price!r} is taken as that of one, not of the line"
                + (f"; else answer amount={price}" if self._takes_amount() else "")
            )

    def _take_line(self, price: str, lines: int) -> None:
        if not self._takes_amount():
            self.doubts.append(f"the price in {price!r} seems to be that of the whole line")
            return
        self.match.chosen["amount"] = self.match.chosen.pop("unit_price")
        self.doubts.append(
            f"the price in {price!r} grows with the quantity ({lines:,} times): it is taken as "
            "what the line comes to"
        )

    def _takes_amount(self) -> bool:
        return any(column.name == "amount" for column in self.contract.inputs)

    def _by_total(self, price: str, quantity: str) -> tuple[int, int]:
        """Return in how many lines a total is the price, and quantity × price."""
        by_word = headers(list(self.found.values))
        columns = [by_word[w] for w in LINE_TOTAL if w in by_word and by_word[w] != price]
        one, many = self.amount(price, "unit_price"), self.amount(quantity, "quantity")
        for column in columns:
            amounts = self.found.amounts(column)
            if amounts is None or amounts.share < MOSTLY:
                continue
            total = self.amount(column)
            same, times, rows = self.found.ask(
                f"count(*) filter (where abs({total} - {one}) <= {CLOSE}), "
                f"count(*) filter (where abs({total} - {one} * {many}) <= {CLOSE}), count(*)",
                where=f"{many} > 1 and {one} > 0",
            )
            if rows and max(same, times) >= MOSTLY * rows:
                return (same, times) if same != times else (0, 0)
        return 0, 0

    def _by_product(self, price: str, quantity: str) -> tuple[int, int]:
        """Return for how many products the price grows with the quantity, and stays."""
        product = self.match.chosen.get("product_id") or self.match.chosen.get("description")
        if product is None:
            return 0, 0
        one, many = self.amount(price, "unit_price"), self.amount(quantity, "quantity")
        rows = self.found.con.execute(
            f"""
            select count(*) filter (where max_price - min_price > {CLOSE}
                       and max_each - min_each <= 0.01 + 0.001 * max_each),
                   count(*) filter (where max_price - min_price <= {CLOSE})
            from (select min(p) as min_price, max(p) as max_price, min(p / q) as min_each,
                    max(p / q) as max_each
                from (select {self.found.text(product)} as product, {one} as p, {many} as q
                    from ({self.found.raw.relation})) where q > 0 and p > 0
                group by product having min(q) < max(q))"""
        ).fetchall()
        return int(rows[0][0]), int(rows[0][1])
