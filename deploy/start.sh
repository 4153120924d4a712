#!/bin/sh
# Run a command of Rekindle in the present folder; where that is no workspace yet, make one
# whose ledger is LEDGER_URL and whose pages are reached from outside the container.
set -eu
if [ ! -e rekindle.toml ]; then
  rekindle init . --name "${SHOP_NAME:-My shop}" --currency "${SHOP_CURRENCY:-GBP}" \
    --timezone "${SHOP_TIMEZONE:-UTC}"
  sed 's/^listen = .*/listen = "0.0.0.0:8080"/' rekindle.toml >.rekindle.toml.new
  if [ -n "${LEDGER_URL:-}" ]; then
    printf '\n[ledger]\nurl = "%s"\n' "$LEDGER_URL" >>.rekindle.toml.new
  fi
  mv .rekindle.toml.new rekindle.toml
fi
exec rekindle "$@"
