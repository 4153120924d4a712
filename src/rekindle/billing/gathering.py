"""Lists everything a biller has into files, from which an import makes facts.

A listing of a large account takes hours. After each page its cursor is kept with the length of
what was written by then, so that whoever is killed goes on there, and nothing stands twice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from rekindle.billing.model import BilledFact, Biller

PRICE = ("plan", "amount", "quantity", "interval", "interval_count", "currency")
Rows = dict[str, dict[str, Any]]


def gather(
    biller: Biller, folder: Path, *, progress: Callable[[str], None] = lambda text: None
) -> None:
    """List each kind into ``KIND.jsonl`` of the folder, going on where an earlier one stopped.

    Raises:
        BillerError: the biller did not answer; what was listed by then is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for kind in biller.kinds:
        mark = _read_mark(folder, kind)
        while not mark["is_done"]:
            page = biller.list_page(kind, mark["cursor"])
            lines = "".join(_write(one) + "\n" for one in page.statements).encode()
            mark = {
                "cursor": page.cursor,
                "length": _append(folder / f"{kind}.jsonl", mark["length"], lines),
                "count": mark["count"] + len(page.statements),
                "is_done": not page.cursor,
            }
            _write_mark(folder, kind, mark)
            progress(f"{kind}: {mark['count']:,}")


def fold(
    folder: Path, kinds: Iterable[str], *, now: datetime
) -> Mapping[str, list[dict[str, Any]]]:
    """Return the rows of each table that a whole listing gives, and begin the next one.

    What an earlier listing said is compared: a price is of a subscription's beginning, and
    one that differs since then is a change, known from now on; so is a pause.
    """
    tables: dict[str, Rows] = {}
    invoices: dict[str, str] = {}
    for kind in kinds:
        for said in _read_lines(folder, kind):
            if said["table"]:
                tables.setdefault(said["table"], {})[said["key"]] = said["row"]
            else:
                invoices[said["key"]] = said["row"]["invoice_id"]
    for row in tables.get("payments", {}).values():
        row["invoice_id"] = invoices.get(row.pop("payment_intent", None) or "")
    kept = _read_kept(folder)
    _keep_prices(tables, kept, now)
    _keep_pauses(tables, kept, now)
    return {table: list(rows.values()) for table, rows in tables.items() if rows}


def finish(folder: Path, kinds: Iterable[str], tables: Mapping[str, list[dict[str, Any]]]) -> None:
    """Remember what a listing said, once it was imported, and let the next one begin anew."""
    kept = {name: tables.get(name, []) for name in ("subscriptions", "pauses")}
    kept["prices"] = [
        {"subscription_id": row["subscription_id"], **{name: row.get(name) for name in PRICE}}
        for row in tables.get("subscription_changes", [])
    ]
    before = _read_kept(folder)
    told = {row["subscription_id"] for row in kept["prices"]}
    kept["prices"] += [row for row in before["prices"] if row["subscription_id"] not in told]
    _replace(folder / "kept.json", json.dumps(kept).encode())
    for kind in kinds:
        (folder / f"{kind}.mark").unlink(missing_ok=True)
        (folder / f"{kind}.jsonl").unlink(missing_ok=True)


def _keep_prices(tables: dict[str, Rows], kept: Mapping[str, Any], now: datetime) -> None:
    first = {row["subscription_id"]: row for row in kept["subscriptions"]}
    newest = {**first, **{row["subscription_id"]: row for row in kept["prices"]}}
    for id_, row in tables.get("subscriptions", {}).items():
        if id_ not in first:
            continue
        price = {name: row.get(name) for name in PRICE}
        if price != {name: newest[id_].get(name) for name in PRICE}:
            change = {"subscription_id": id_, "changed_at": now.isoformat(), **price}
            tables.setdefault("subscription_changes", {})[id_] = change
        row.update({name: first[id_].get(name) for name in PRICE})


def _keep_pauses(tables: dict[str, Rows], kept: Mapping[str, Any], now: datetime) -> None:
    """Date a pause by the listing that saw it first, and end one that is there no more."""
    rows = tables.setdefault("pauses", {})
    before = {row["subscription_id"]: row for row in kept["pauses"]}
    for id_, row in rows.items():
        is_running = id_ in before and not _is_over(before[id_], now)
        row["paused_at"] = before[id_]["paused_at"] if is_running else now.isoformat()
    for id_, row in before.items():
        if id_ not in rows:
            ended = row if _is_over(row, now) else {**row, "resumed_at": now.isoformat()}
            rows[id_] = ended


def _is_over(pause: Mapping[str, Any], now: datetime) -> bool:
    until = pause.get("resumed_at")
    return until is not None and datetime.fromisoformat(until) <= now


def _write(one: BilledFact) -> str:
    row = {name: _plain(value) for name, value in one.row.items()}
    return json.dumps({"table": one.table, "key": one.key, "row": row}, ensure_ascii=True)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _append(path: Path, length: int, lines: bytes) -> int:
    """Write after so many bytes, and cut off what a killed listing left behind them."""
    with path.open("r+b" if path.exists() else "w+b") as file:
        file.truncate(length)
        file.seek(length)
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())
    return length + len(lines)


def _read_mark(folder: Path, kind: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / f"{kind}.mark").read_bytes())
    except FileNotFoundError:
        return {"cursor": "", "length": 0, "count": 0, "is_done": False}
    return found


def _write_mark(folder: Path, kind: str, mark: Mapping[str, Any]) -> None:
    _replace(folder / f"{kind}.mark", json.dumps(mark).encode())


def _replace(path: Path, body: bytes) -> None:
    """Write a file whole or not at all."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(body)
    fresh.replace(path)


def _read_kept(folder: Path) -> dict[str, list[dict[str, Any]]]:
    try:
        found: dict[str, list[dict[str, Any]]] = json.loads((folder / "kept.json").read_bytes())
    except FileNotFoundError:
        return {"subscriptions": [], "pauses": [], "prices": []}
    return found


def _read_lines(folder: Path, kind: str) -> Iterable[dict[str, Any]]:
    """Yield what was listed, as far as its mark says that it was written."""
    left = _read_mark(folder, kind)["length"]
    with (folder / f"{kind}.jsonl").open("rb") as file:
        while left > 0:
            line = file.readline()
            left -= len(line)
            yield json.loads(line)
