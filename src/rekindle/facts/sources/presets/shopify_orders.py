"""Shopify's export of orders: a row a line item, the order's own cells in its first row."""

from __future__ import annotations

from rekindle.facts.sources.presets.model import SourcePreset

PRESET = SourcePreset(
    name="Shopify orders",
    table="order_lines",
    header=("Name", "Financial Status", "Created at", "Lineitem quantity", "Lineitem price"),
    columns={
        "order_id": "Name",
        "email": "Email",
        "phone": "Phone",
        "country": "Billing Country",
        "ordered_at": "Created at",
        "currency": "Currency",
        "product_id": "Lineitem sku",
        "description": "Lineitem name",
        "quantity": "Lineitem quantity",
        "unit_price": "Lineitem price",
    },
    notes=(
        "the export gives discounts and refunds by order, not by line; lifetime value is what "
        "the lines cost",
    ),
)
