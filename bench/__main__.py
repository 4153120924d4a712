"""Runs the benchmarks, each in a process of its own, and prints and keeps the figures.

``python -m bench`` runs all, ``python -m bench NAME`` one. Results are in
``bench/results.json``; a benchmark over its limit ends the run with exit code 1.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from bench.benchmarks import BENCHMARKS
from bench.worlds import WORK
from rekindle.cli.tables import lay_out, wrap

RESULTS = Path(__file__).parent / "results.json"
ALONE = "--alone"
WIDTH = 80


def main(arguments: list[str]) -> int:
    """Run what ``arguments`` name and return the exit code."""
    if arguments[:1] == [ALONE]:
        WORK.mkdir(exist_ok=True)
        print(json.dumps(BENCHMARKS[arguments[1]]().as_row()))
        return 0
    names = arguments or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
        return 2
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        done = subprocess.run(
            [sys.executable, "-m", "bench", ALONE, name],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        results[name] = json.loads(done.stdout.splitlines()[-1])
        RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    _show({name: results[name] for name in names})
    return int(any(results[name]["ratio"] > results[name]["limit"] for name in names))


def _show(results: dict[str, dict[str, object]]) -> None:
    """Print the figures so that they fit 80 columns, and under them what each measures."""
    headers = ("name", "ours", "baseline", "ratio", "limit", "peak MB")
    keys = ("ours", "baseline", "ratio", "limit", "peak_mb")
    rows = [[name, *(str(row[key]) for key in keys)] for name, row in results.items()]
    head, body = lay_out(headers, rows, WIDTH)
    notes = [
        line for name, row in results.items() for line in wrap(f"{name}: {row['note']}", WIDTH)
    ]
    print("\n".join((*head, *body, "", *notes)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
