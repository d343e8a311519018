#!/bin/sh
# Requests the transactions of a country in the last 90 days: sh transactions.sh http://localhost:5000 US
set -eu
url=${1:-http://localhost:5000}
country=${2:-US}

ask() {
  curl --fail-with-body --silent --show-error --compressed "$@"
}

# The number of Visa payments in all countries: {"count": …}
ask "$url/transactions/90/card/visa"
echo

# The newest three, one JSON object per line.
ask --header 'Accept: application/x-ndjson' "$url/transactions/90?country=$country&limit=3"

# All of them, as a file for spreadsheets.
ask --header 'Accept: text/csv' --output transactions.csv "$url/transactions/90/country/$country"

# And for pandas, Polars or DuckDB, in a file named by the server (which needs the extra `export`).
ask --remote-name --remote-header-name "$url/transactions/90/country/$country?format=parquet"

# Their number and sum in each currency.
ask "$url/transactions/90/summary?country=$country&groupBy=currency"
echo

# GraphQL: the newest three again, only with the fields needed.
ask --json @- "$url/graphql" << END
{
  "query": "query (\$filter: TransactionFilter) { transactions(filter: \$filter, first: 3) { totalCount nodes { amount currency vendor } } }",
  "variables": {"filter": {"days": 90, "country": "$country"}}
}
END
echo
