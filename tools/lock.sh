#!/usr/bin/env bash
# Resolve pyproject.toml into hash-locked requirement files that plain pip installs.
# They name no package index, so they work behind any mirror (docs/decisions/0006).
set -euo pipefail

command -v uv >/dev/null || {
  echo "make lock needs uv: pipx install uv" >&2
  exit 1
}

compile() {
  uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
    --generate-hashes --no-emit-index-url --no-emit-find-links \
    --custom-compile-command "make lock" "$@" >/dev/null
}

compile --output-file requirements/lock.txt
compile --output-file requirements/dev.lock --constraints requirements/lock.txt \
  --extra postgres --extra s3 --extra spark --group dev
wc -l requirements/lock.txt requirements/dev.lock
