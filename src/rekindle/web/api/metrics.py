"""What Prometheus asks for at ``/metrics``: figures of all workers, and of this process.

Deny by default: it takes a key of the scope ``metrics``, which may do nothing else.
https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Protocol

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from rekindle import __version__
from rekindle.ledger import ApiKey, Scope, Waiting
from rekindle.web.access import open_to_keys
from rekindle.web.api.messages import Request, Response

PATH = "/metrics"
# A family of counters: what it counts, and its labels.
COUNTED: Mapping[str, tuple[str, Sequence[str]]] = {
    "passes": ("Passes of workers, by whether they came through.", ("result",)),
    "returned": ("Enrolments that a purchase ended.", ()),
    "entered": ("People who entered a journey.", ()),
    "decisions": ("What the gate decided, ghosts included.", ("answer", "reason")),
    "messages": ("What became of messages that were dispatched.", ("outcome",)),
    "database_errors": ("What the ledger's database refused, or that it was away.", ()),
    "reports": ("Events that this process took, by the source of the key.", ("source",)),
}


class Figures(Protocol):
    """What is there to measure, as of one instant."""

    def now(self) -> datetime:
        """Return the present instant, UTC-aware."""

    def counts(self) -> Mapping[tuple[str, ...], int]:
        """Return each counter by its family and labels."""

    def waiting(self) -> Waiting:
        """Return what waits to leave."""

    def stopped(self) -> Mapping[str, bool]:
        """Return of each outlet in use whether it is stopped."""

    def passed_at(self) -> datetime | None:
        """Return when a worker last came through."""

    def imported_at(self) -> datetime | None:
        """Return when the facts were imported that a pass last looked at."""


class Measuring:
    """The view."""

    def __init__(self, figures: Figures) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(Exposition(figures))

    @open_to_keys(Scope.METRICS)
    def show(self, request: Request, key: ApiKey) -> Response:
        """Return the figures in the format that was asked for."""
        encode, kind = choose_encoder(request.header("Accept"))
        text = encode(self._registry)
        return Response(None, HTTPStatus.OK, {"Content-Type": kind}, raw=text)


class Exposition(Collector):
    """Reads everything anew whenever it is asked."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Yield every family of figures."""
        yield _gauge("rekindle_info", "The release.", 1, version=__version__)
        yield from self._counters()
        yield from self._queue()
        for name, about, at in (
            ("pass", "When a worker last came through.", self._figures.passed_at()),
            ("import", "When the facts in use were imported.", self._figures.imported_at()),
        ):
            if at is not None:
                yield _gauge(f"rekindle_last_{name}_timestamp_seconds", about, at.timestamp())

    def _counters(self) -> Iterator[Metric]:
        counts = self._figures.counts()
        for family, (about, labels) in COUNTED.items():
            metric = CounterMetricFamily(f"rekindle_{family}", about, labels=labels)
            for name, number in sorted(counts.items()):
                if name[0] == family and len(name) == len(labels) + 1:
                    metric.add_metric(name[1:], number)
            yield metric

    def _queue(self) -> Iterator[Metric]:
        waiting = self._figures.waiting()
        depth = GaugeMetricFamily(
            "rekindle_queue_messages",
            "Messages that have not left, or may not have.",
            labels=["state"],
        )
        for state in ("ready", "later", "leaving", "unknown", "failed"):
            depth.add_metric([state], getattr(waiting, state))
        yield depth
        stopped = GaugeMetricFamily(
            "rekindle_outlet_stopped",
            "Whether an outlet sends nothing until something of ours is mended.",
            labels=["outlet"],
        )
        for outlet, is_stopped in sorted(self._figures.stopped().items()):
            stopped.add_metric([outlet], is_stopped)
        yield stopped
        age = 0.0
        if waiting.oldest_at is not None:
            age = max((self._figures.now() - waiting.oldest_at).total_seconds(), 0)
        yield _gauge(
            "rekindle_queue_oldest_seconds", "For how long the oldest message may have left.", age
        )


def _gauge(name: str, about: str, value: float, **labels: str) -> Metric:
    metric = GaugeMetricFamily(name, about, labels=list(labels))
    metric.add_metric(list(labels.values()), value)
    return metric
