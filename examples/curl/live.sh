#!/bin/sh
# Prints the transactions of a country as they are added: sh live.sh http://localhost:5000 US
# Ctrl-C ends it. To resume after an event, send its `id:` as the header Last-Event-ID.
set -eu
url=${1:-http://localhost:5000}
country=${2:-US}

exec curl --fail-with-body --silent --show-error --no-buffer "$url/transactions/live?country=$country"
