"""The goods of the shop in the pictures, each with a picture that is drawn here."""

from __future__ import annotations

from dataclasses import dataclass

DRAWN_AT = "https://marlow.example/i/"


@dataclass(frozen=True, slots=True)
class Good:
    """One thing to sell: its look is one of the shapes below, in two colours."""

    id: str
    name: str
    category: str
    price: str
    shape: str
    cloth: str
    trim: str

    @property
    def row(self) -> dict[str, str]:
        """Return its row in the catalogue."""
        return {
            "product_id": self.id,
            "name": self.name,
            "category": self.category,
            "price": self.price,
            "url": f"https://marlow.example/{self.id}",
            "image": f"{DRAWN_AT}{self.id}.png",
        }


# Two hundred by two hundred, and simple enough to be told apart at 100 pixels.
SHAPES = {
    "top": "M62 52 82 40Q100 58 118 40L138 52 168 92 148 108 138 94V162H62V94L52 108 32 92Z",
    "coat": "M70 40H130L158 150 142 156 132 108V172H68V108L58 156 42 150Z",
    "shoe": "M36 84H78Q92 112 128 116 166 122 166 148H36Z",
    "scarf": "M58 40Q100 72 142 40L150 64Q128 82 116 84V168H92V86Q66 82 50 64Z",
    "hat": "M52 112Q54 54 100 54T148 112V124H52ZM44 126H156V148H44Z",
}
GOODS = (
    Good("cardigan", "Lambswool cardigan", "knitwear", "89.00", "top", "#7a8f6a", "#5d7050"),
    Good("roundneck", "Merino round neck", "knitwear", "75.00", "top", "#3f5d7d", "#2f4763"),
    Good("fisherman", "Fisherman’s jumper", "knitwear", "110.00", "top", "#d8cbb3", "#b9a988"),
    Good("scarf", "Ribbed scarf", "knitwear", "38.00", "scarf", "#b5533c", "#8f3f2d"),
    Good("beanie", "Cashmere beanie", "knitwear", "45.00", "hat", "#5b5470", "#433e55"),
    Good("shirt", "Oxford shirt", "shirts", "59.00", "top", "#a9c1d9", "#7f9dbb"),
    Good("flannel", "Flannel shirt", "shirts", "65.00", "top", "#a35b4f", "#7f443a"),
    Good("coat", "Waxed field coat", "coats", "240.00", "coat", "#6b6b45", "#515134"),
    Good("raincoat", "Harbour raincoat", "coats", "180.00", "coat", "#d9a441", "#b3842f"),
    Good("boots", "Chelsea boots", "shoes", "165.00", "shoe", "#6e4a33", "#4f3423"),
)
ARRIVALS = (
    Good("slipover", "Shetland slipover", "knitwear", "79.00", "top", "#a2546b", "#7e3f53"),
    Good("aran", "Aran cardigan", "knitwear", "129.00", "top", "#e4ddcf", "#bfb39b"),
    Good("mittens", "Fair Isle mittens", "knitwear", "32.00", "hat", "#2f6f73", "#245558"),
)
_BY_ID = {one.id: one for one in (*GOODS, *ARRIVALS)}


def draw(file: str) -> str:
    """Return the picture of a good as SVG, by its file's name."""
    good = _BY_ID[file.partition(".")[0]]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" width="200" height="200">'
        '<rect width="200" height="200" rx="10" fill="#efece6"/>'
        f'<path d="{SHAPES[good.shape]}" fill="{good.cloth}" stroke="{good.trim}" '
        'stroke-width="5" stroke-linejoin="round"/></svg>'
    )
