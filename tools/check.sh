#!/usr/bin/env bash
# Run every check, each with a closing line; fail at the end if one of them failed.
set -uo pipefail
bin=$1
failed=()

run() {
  local part=$1 start=$SECONDS
  shift
  if "$@"; then
    printf '✓ %-10s %3d s\n' "$part" $((SECONDS - start))
  else
    printf '✗ %-10s %3d s\n' "$part" $((SECONDS - start))
    failed+=("$part")
  fi
}

# The types take one core for a minute: others go on beside them.
types=$(mktemp)
"$bin/python" -m mypy --no-error-summary >"$types" 2>&1 &
typed=$!
# What is compiled of the tests meanwhile, every worker finds.
env -u PYTHONDONTWRITEBYTECODE "$bin/python" -m pytest --collect-only -qq >/dev/null 2>&1 &
compiled=$!

run format "$bin/ruff" format --check --quiet .
run lint "$bin/ruff" check --quiet .
run imports "$bin/lint-imports" --no-logo --no-cache
run generated "$bin/python" -m tools.reference --check
wait "$compiled"
run tests tools/tests.sh "$bin"
run types wait "$typed"
cat "$types" && rm -f "$types"

if ((${#failed[@]})); then
  echo "Failed: ${failed[*]}"
  exit 1
fi
echo "All checks passed."
