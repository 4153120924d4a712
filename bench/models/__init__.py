"""How well the models foresee, out of time and out of sample, and how fast they are fitted."""

from bench.models.models import models
from bench.models.returns import returns

__all__ = ["models", "returns"]
