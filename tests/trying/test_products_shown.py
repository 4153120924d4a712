"""A message that leaves shows the products of its reader, named by the catalogue."""

from __future__ import annotations

import csv
from datetime import timedelta
from email.message import EmailMessage

from rekindle.runtime import Workspace
from rekindle.worker import Worker, write_letters
from tests.runtime.shops import NOW, Team, add_section, set_key

HOSTILE = "<b>{{ email }}</b> & {% raw %}"
JOURNEY = """\
journey: products
enter: {audience: customer_id like 'c00_' and orders_count >= 1}
goal: {on: order, within: 30 days}
holdout: none
steps:
  - send: {channel: email, template: nudge}
"""
CATALOGUE = """
[[sources]]
name = "catalogue"
table = "products"
path = "products.csv"
[sources.columns]
product_id = "sku"
name = "name"
price = "price"
url = "url"
"""


def furnish(team: Team) -> Team:
    """Give the shop a catalogue of twenty products, and a journey that shows some."""
    with (team.folder / "products.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["sku", "name", "price", "url"])
        for number in range(20):
            url = f"https://shop.example/p/{number}"
            rows.writerow([f"p{number}", f"Mug {number} {HOSTILE}", "12.50", url])
    add_section(team.folder, CATALOGUE)
    set_key(team.folder, "url", '"https://shop.example/"')
    (team.folder / "journeys" / "products.yaml").write_text(JOURNEY, encoding="utf-8")
    Workspace.open(team.folder).import_facts(only=("catalogue",))
    team.workspace = Workspace.open(team.folder, clock=team.clock)
    team.worker = Worker(team.workspace)
    return team


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_each_reader_is_shown_their_own_favourites(team: Team) -> None:
    shop = furnish(team)
    letters = write_letters(shop.workspace, shop.workspace.journey("products"), NOW)
    shop.start("products")
    shop.tick()
    shop.tick(after=timedelta(minutes=1))
    mails = {mail["To"].addresses[0].addr_spec: mail for mail in shop.mails()}
    texts = {who: body(mail, "plain") for who, mail in mails.items()}
    assert len(texts) >= 5
    for mail, text in zip(mails.values(), texts.values(), strict=True):
        html = body(mail, "html")
        assert text.count("£12.50") == html.count("£12.50") == 3
        assert "<b>" not in html
        assert "{{ email }}" in text  # words, and nothing that is done
        assert "https://shop.example/p/" not in html  # each leads through the portal
    shown = {tuple(line for line in text.splitlines() if "Mug" in line) for text in texts.values()}
    assert len(shown) > 1
    first = letters[0]
    named = [
        line.partition(" <b>")[0] for line in first.parts["text"].splitlines() if "Mug" in line
    ]
    if first.reader.address in texts:
        assert all(name in texts[first.reader.address] for name in named)
