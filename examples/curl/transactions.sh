#!/bin/sh
# Asks for what was paid in a country in the last 90 days: sh transactions.sh http://localhost:5000 US
set -eu
url=${1:-http://localhost:5000}
country=${2:-US}

ask() {
  curl --fail-with-body --silent --show-error --compressed "$@"
}

# How many payments by Visa: {"count": …}
ask "$url/transactions/90/card/visa"
echo

# The newest three, one JSON object a line.
ask --header 'Accept: application/x-ndjson' "$url/transactions/90?country=$country&limit=3"

# All of them into a file for spreadsheets.
ask --header 'Accept: text/csv' --output transactions.csv "$url/transactions/90/country/$country"

# And for pandas, polars or DuckDB, with a name of its own (the server needs the extra `export`).
ask --remote-name --remote-header-name "$url/transactions/90/country/$country?format=parquet"

# How many there are and what they sum up to, in each currency.
ask "$url/transactions/90/summary?country=$country&groupBy=currency"
echo

# GraphQL: the newest three again, only what is wanted of them.
ask --json @- "$url/graphql" << END
{
  "query": "query (\$filter: TransactionFilter) { transactions(filter: \$filter, first: 3) { totalCount nodes { amount currency vendor } } }",
  "variables": {"filter": {"days": 90, "country": "$country"}}
}
END
echo
