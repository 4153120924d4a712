"""What every section of ``rekindle.toml`` is, and the one on the shop that messages show."""

from __future__ import annotations

from datetime import timedelta
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rekindle.config.values import Address, Cost, Duration, Host, Text


class Settings(BaseModel):
    """The common behaviour of every section: frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StoppingSettings(Settings):
    """Whether messages stop that their own journey has shown to earn less than they cost."""

    measured: bool = Field(
        False,
        description="Leave out a message where its journey's lift, at its most, is worth less than "
        "it costs; takes `margin` in [offers].",
    )
    kept_on: float = Field(
        0.1,
        ge=0.01,
        le=0.5,
        description="Share of people who get such messages still, so that what stopping gives up "
        "is measured.",
    )
    by_person: bool = Field(
        False,
        description="Leave a message out to single people whom their journey was learned not to "
        "move, where its own holdout shows that this can be told; takes `margin` in [offers].",
    )
    by: Text = Field(
        "",
        description="What people were as they entered, as `tier`, by which each part of them is "
        "judged by itself; takes `subgroups`.",
    )
    subgroups: tuple[Text, ...] = Field(
        (),
        max_length=6,
        description="The values of `by` that are judged, each by its own people, declared before "
        "anything is measured; whoever has none of them is judged as one subgroup more.",
    )

    @property
    def reckoned(self) -> tuple[str, ...]:
        """Return the settings by which what messages earn is found, so that margin is needed."""
        return tuple(name for name in ("measured", "by_person") if getattr(self, name))

    @model_validator(mode="after")
    def _check_subgroups(self) -> Self:
        """See that subgroups are declared: of what, which, and each once."""
        if bool(self.by) != bool(self.subgroups):
            raise ValueError("give `by` and `subgroups` together: what people were, and which")
        if len(set(self.subgroups)) < len(self.subgroups) or "" in self.subgroups:
            raise ValueError("name each of `subgroups` once, and none that is empty")
        return self


class HoldoutSettings(Settings):
    """People who get nothing from any marketing journey, so that all together are measured."""

    share: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="Of the people who enter a marketing journey for the first time; 0 for none. "
        "A change draws new people alone; 0 lets everybody be written to again.",
    )
    within: Duration = Field(
        timedelta(days=90), description="How long after they were drawn people are compared."
    )


class ShopSettings(Settings):
    """What messages show of the business, and where their links may lead."""

    url: Address = Field(
        "",
        pattern=r"^(https?://[^\s/]+[^\s]*)?$",
        description="Where people buy; the buttons of messages lead there.",
    )
    hosts: tuple[Host, ...] = Field(
        (), description="Other hosts of the business that messages link to, like blog.shop.example."
    )
    code_url: Address = Field(
        "",
        pattern=r"^(https?://[^\s/]+/[^\s]*\{code\}[^\s]*)?$",
        description="Address of the shop that applies a code and leads on, as "
        "`https://shop.example/discount/{code}`; the way back leads there. Without it the code is "
        "shown, to be typed in.",
    )
    basket_url: Address = Field(
        "",
        pattern=r"^(https?://[^\s/]+/[^\s]*\{basket\}[^\s]*)?$",
        description="Address of the shop that fills a basket, as "
        "`https://shop.example/cart/{basket}?discount={code}`; the way back leads there. Of "
        "`{basket}` becomes `ID:QUANTITY,ID:QUANTITY`, of `{code}`, which it may lack, the code of "
        "the offer.",
    )
    basket_lasts: Duration = Field(
        timedelta(days=30),
        gt=timedelta(0),
        le=timedelta(days=92),
        description="How long after it was last changed a basket is shown to whom it belongs.",
    )
    logo: Address = Field(
        "",
        pattern=r"^(https://[^\s/]+[^\s]*)?$",
        description="Address of the logo, a picture twice as high as it is shown (40 pixels).",
    )
    colour: str = Field(
        "#1f5f5b",
        pattern=r"^#[0-9a-fA-F]{6}$",
        max_length=7,
        description="Of buttons and links, like #1f5f5b; the text on it is chosen to be read.",
    )

    @model_validator(mode="after")
    def _check_where_it_leads(self) -> Self:
        """See that codes and baskets go to the business's own hosts alone."""
        own = {*self.hosts, urlsplit(self.url).hostname}
        for name in ("code_url", "basket_url"):
            address = getattr(self, name)
            if address and urlsplit(address).hostname not in own:
                raise ValueError(f"{name} leads to a host that neither url nor hosts names")
        return self

    button: Text = Field("Visit the shop", min_length=1, description="The words of a button.")
    acquisition_cost: Cost | None = Field(
        None,
        description="What winning a new customer costs on average, in the currency; measures "
        "show it beside what bringing one back costs.",
    )
    never_shown: tuple[Text, ...] = Field(
        (), description="Ids of products that no message shows: postage, vouchers, samples."
    )
    language: str = Field(
        "en",
        pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
        max_length=35,
        description="BCP 47 tag of the language that templates are written in.",
    )
