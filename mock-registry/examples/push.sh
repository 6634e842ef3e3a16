#!/bin/sh
# A client's test against a mock registry: an answer is lost, and the judge must find nothing. sh push.sh longshore
set -eu
out=$(mktemp)
"$@" mock --control 127.0.0.1:0 >"$out" &
mock=$!
trap 'kill $mock; rm -f "$out"' EXIT
until [ "$(wc -l <"$out")" -ge 2 ]; do sleep 0.1; done
{ read -r registry; read -r control token; } <"$out"
steer() { curl --silent --fail --header "Authorization: Bearer $token" --request "$1" "$control$2" --data-binary "${3-}"; }

steer PUT /faults 'end-4b#1: answer-lost' >/dev/null
digest=sha256:$(printf hello | sha256sum | cut -d' ' -f1)
# The client under test.
curl --silent --show-error --fail --retry 2 --retry-all-errors --retry-delay 1 --data-binary hello \
    --header 'Content-Type: application/octet-stream' "$registry/v2/demo/blobs/uploads/?digest=$digest"
steer GET /state | grep -q '"requests":2'
! steer GET /report | grep -q '"status": "failed"'
echo 'two requests, and no rule broken'
