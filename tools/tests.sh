#!/usr/bin/env bash
# Run the tests a change waits for, or those of a marker, as `soak`. What they write is thrown
# away: it lies in memory where there is room for all of it (some gigabytes), so that nobody
# waits for a disk.
set -uo pipefail
bin=$1
which=${2:-not soak}
memory=/dev/shm
wanted=8000000 # kilobytes

has_room() {
  [ -z "${TMPDIR:-}" ] && [ -d "$memory" ] && [ -w "$memory" ] || return 1
  (($(df -Pk "$memory" | awk 'END { print $4 }') > wanted)) || return 1
  (($(awk '/^MemAvailable/ { print $2 }' /proc/meminfo) > wanted)) || return 1
}

# Some containers let nothing run from there, which tests of commands have to.
runs_files() {
  printf '#!/bin/sh\n' >"$1/runs" && chmod +x "$1/runs" && "$1/runs" 2>/dev/null
}

if has_room && folder=$(mktemp -d "$memory/rekindle-XXXXXX"); then
  trap 'rm -rf "$folder"' EXIT
  chmod 755 "$folder" # for root, PostgreSQL runs as another user
  if runs_files "$folder"; then export TMPDIR=$folder; fi
fi
# Each worker reads all tests: what one has made of them, another finds.
unset PYTHONDONTWRITEBYTECODE
"$bin/python" -m pytest -q -m "$which" -n 3 --dist loadscope --no-loadscope-reorder
