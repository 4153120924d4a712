#!/usr/bin/env bash
# Resolve pyproject.toml into hash-locked requirement files that plain pip installs.
# They name no package index, so they work behind any mirror (docs/decisions/0006).
set -euo pipefail

command -v uv >/dev/null || {
  echo "make lock needs uv: pipx install uv" >&2
  exit 1
}

compile() {
  uv pip compile --quiet --universal --python-version 3.11 \
    --generate-hashes --no-emit-index-url --no-emit-find-links \
    --custom-compile-command "make lock" "$@" >/dev/null
}

# The product; what a server needs beside it; what developing it takes; what builds it.
compile pyproject.toml --output-file requirements/lock.txt
compile pyproject.toml --output-file requirements/server.lock \
  --constraints requirements/lock.txt \
  --extra alerts --extra chargebee --extra doctor --extra letters --extra postgres --extra push --extra reports --extra s3 --extra stripe
compile pyproject.toml --output-file requirements/dev.lock \
  --constraints requirements/server.lock --all-extras --group dev
compile --group build --output-file requirements/build.lock --constraints requirements/dev.lock
wc -l requirements/*.lock requirements/lock.txt
