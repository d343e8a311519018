#!/bin/sh
# Requests the transactions of a country in the last 90 days: sh transactions.sh http://localhost:5000 US
set -eu
url=${1:-http://localhost:5000}
country=${2:-US}

ask() {
  http --ignore-stdin --check-status --body --pretty=none "$@"
}

# The number of Visa payments in all countries: {"count": …}
ask "$url/transactions/90/card/visa"
echo

# The newest three, one JSON object per line.
ask "$url/transactions/90" country=="$country" limit==3 Accept:application/x-ndjson

# All of them, as a file for spreadsheets.
ask --download --output transactions.csv "$url/transactions/90/country/$country" Accept:text/csv

# Their number and sum in each currency.
ask "$url/transactions/90/summary" country=="$country" groupBy==currency
echo

# GraphQL: the newest three again, only with the fields needed.
# shellcheck disable=SC2016  # the dollar signs are GraphQL's
ask "$url/graphql" \
  query='query ($filter: TransactionFilter) { transactions(filter: $filter, first: 3) { totalCount nodes { amount currency vendor } } }' \
  variables[filter][days]:=90 variables[filter][country]="$country"
echo
