#!/usr/bin/env bash
# The whole loop on a year of real orders: import, audit, audience, replay, start, report.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=examples/online_retail
shop=demo

say() { printf '\n\033[1m%s\033[0m\n' "$1"; }
run() { printf '\033[2m$ %s\033[0m\n' "$*"; "$@"; }

rm -rf "$shop"
say "1. A year of a British gift wholesaler's orders (UCI Online Retail II, CC BY 4.0)"
echo "The data has no addresses: the demo makes some up under example.com, which reaches nobody."
python "$here/make_addresses.py" "$here/orders.parquet" "$shop/customers.csv"
run rekindle init "$shop" --orders "$here/orders.parquet" --customers "$shop/customers.csv" \
    --name "Gift Shop" --timezone Europe/London --currency GBP --yes
echo "Every message has to carry a postal address: the demo makes one up too."
run sed -i 's/^postal_address = ""/postal_address = "1 Example Street, London"/' "$shop/rekindle.toml"

say "2. Who drifted away, and what were they worth?"
run rekindle audit -C "$shop" --html "$shop/reports/audit.html"

say "3. Any question about the customers is an audience"
run rekindle audience "tier = 'lapsed' and lifetime_value > 500" -C "$shop" --sample 5

say "4. The starter journey, replayed over history before a single message leaves"
echo "Nobody in this data was ever contacted, so the true lift is zero; the report has to say so."
run rekindle replay lapsed-buyers -C "$shop" --from 2010-03-01 --to 2010-12-09 \
    --html "$shop/reports/replay.html"

# By day: at night, on the clock of the person it is for, nothing leaves.
morning=2010-12-10T10:00+00:00
say "5. Live, on the morning after the last day; mail goes to a folder"
run rekindle start lapsed-buyers -C "$shop" --as-of "$morning" --yes
run rekindle tick -C "$shop" --as-of "$morning"
run rekindle report lapsed-buyers -C "$shop" --as-of "$morning" --html "$shop/reports/live.html"

first=$(find "$shop/state/outbox" -name '*.eml' | sort | head -n 1)
customer=$(sed -n 's/^To:.*customer-\([0-9]*\)@example.com.*/\1/p' "$first")
say "6. Why did customer $customer get a message?"
run rekindle explain "$customer" -C "$shop" --as-of "$morning"

say "Look around in $shop/: rekindle.toml, journeys/, templates/, reports/*.html, state/outbox/*.eml"
