#!/bin/sh
# Asks for what was paid in a country in the last 90 days: sh transactions.sh http://localhost:5000 US
set -eu
url=${1:-http://localhost:5000}
country=${2:-US}

ask() {
  http --ignore-stdin --check-status --body --pretty=none "$@"
}

# How many payments by Visa: {"count": …}
ask "$url/transactions/90/card/visa"
echo

# The newest three, one JSON object a line.
ask "$url/transactions/90" country=="$country" limit==3 Accept:application/x-ndjson

# All of them into a file for spreadsheets.
ask --download --output transactions.csv "$url/transactions/90/country/$country" Accept:text/csv

# How many there are and what they sum up to, in each currency.
ask "$url/transactions/90/summary" country=="$country" groupBy==currency
echo

# GraphQL: the newest three again, only what is wanted of them.
# shellcheck disable=SC2016  # the dollar signs are GraphQL's
ask "$url/graphql" \
  query='query ($filter: TransactionFilter) { transactions(filter: $filter, first: 3) { totalCount nodes { amount currency vendor } } }' \
  variables[filter][days]:=90 variables[filter][country]="$country"
echo
