"""A block of products from outside: installed, and shown by templates without another edit."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest

from rekindle.content import describe_content, load_templates
from rekindle.errors import ConfigError
from rekindle.profiles import build_block, find_blocks
from rekindle.testing.small_shop import Sale, SmallShop
from tests.content.conftest import Write, write
from tests.extensions.conftest import Install, files_of
from tests.profiles.conftest import day

__all__ = ["write"]
OUR_OWN = "from rekindle.profiles.blocks.favourites import BLOCK"
SHOWN = "{% for one in blocks.rising %}{{ one.name }}{% endfor %}"


@pytest.mark.long
def test_it_is_known_to_templates_and_ranks(install: Install, write: Write) -> None:
    install(files_of("block.md"))
    load_templates(write("{% for one in blocks.rising %}{{ one.name }}{% endfor %}")).check(
        "letter"
    )
    assert "blocks.rising" in str(describe_content()["Blocks"])
    sold = [("p1", 10), ("p1", 50), ("p2", 50), ("p2", 52), ("p2", 54), ("p3", 20)]
    sales = [
        Sale(f"b{place}", day(on), lines=((product, None, Decimal(10)),))
        for place, (product, on) in enumerate(sold)
    ]
    rows = {"products": [{"source": "s", "product_id": one, "name": one} for one in ("p1", "p2")]}
    engine = SmallShop(sales, rows=rows).engine()
    asked = engine.bring("asked", pa.table({"customer_id": ["ann"]}))
    found = engine.run(build_block(find_blocks()["rising"], engine.facts(), asked, day(60)))
    engine.close()
    assert found.column("product_id").to_pylist() == ["p2"]


@pytest.mark.parametrize(
    ("module", "said"), [("BLOCK = 1", "names no Block"), (OUR_OWN, "a block 'favourites' already")]
)
def test_what_is_none_or_taken_is_refused(install: Install, module: str, said: str) -> None:
    install(files_of("block.md") | {"shop_rising.py": module})
    with pytest.raises(ConfigError, match=said):
        find_blocks()


def test_without_the_package_nobody_knows_it() -> None:
    assert "rising" not in find_blocks()
