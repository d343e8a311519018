#!/bin/sh
# Prints what is paid in a country from now on, as it happens: sh live.sh http://localhost:5000 US
# Ctrl-C ends it. The line `id:` of an event, sent as the header Last-Event-ID, goes on after it.
set -eu
url=${1:-http://localhost:5000}
country=${2:-US}

exec curl --fail-with-body --silent --show-error --no-buffer "$url/transactions/live?country=$country"
