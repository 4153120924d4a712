"""People like you say: good reviews, those of the person's own category first."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.profiles.showing import Block, Sales, find_liked

GOOD = 4
"""So many stars, or none given: nobody is invited back by a complaint."""

OWN = 1e12
EPOCH = ibis.date(1970, 1, 1)


def tell_reviews(sales: Sales) -> ir.Table:
    """Return reviews with words for each person, the newest of their category first."""
    reviews = sales.facts.more["reviews"].rename(own_category="category")
    reviews = reviews.filter(reviews.words.strip().length() > 0)
    reviews = reviews.filter(reviews.stars.fill_null(GOOD) >= GOOD)
    known = sales.facts.products.select(
        "url", "name", sold_id="product_id", product_category="category"
    )
    reviews = reviews.left_join(known, reviews.product_id == known.sold_id)
    people = sales.people.left_join(find_liked(sales.theirs), "customer_id")
    rows = people.drop("customer_id_right").cross_join(reviews)
    about = ibis.coalesce(rows.own_category, rows.product_category)
    is_own = (about == rows.liked).fill_null(False)
    day = rows.reviewed_at.date().delta(EPOCH, unit="day")
    return rows.select(
        "customer_id",
        "url",
        "name",
        "stars",
        key=rows.review_id,
        text=rows.words,
        category=about,
        at=rows.reviewed_at,
        by=rows.author,
        # The newest day first: not every warehouse counts the seconds of an instant.
        score=is_own.ifelse(OWN, 0.0) + day.cast("float64"),
    )


BLOCK = Block(
    name="people_say",
    meaning="Reviews of four stars and more from the table `reviews`, of their favourite category "
    "first: `text`, `by`, `stars`, `on`, and `name` and `url` of the product.",
    otherwise="reviews of other categories; nothing where there are none",
    tell=tell_reviews,
)
