#!/usr/bin/env bash
# The official suite of the distribution specification against `longshore mock`: as the spec wants it, and where manifests may
# refer to what is not there (sparse ones).
#
#   OCI_SUITE=path/to/suite conformance/official.sh
#
# The suite is a Go program: `go build -o suite .` in the folder `conformance` of opencontainers/distribution-spec. Without it
# this is skipped, loudly. Everything that the suite can test is switched on. LONGSHORE names the program under test; without
# it, it is built. The status is 1 where a test fails.
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ ! -x ${OCI_SUITE:-} ]]; then
    printf 'SKIPPED: OCI_SUITE names no program: the official suite was not run\n' >&2
    exit 0
fi
if [[ -z ${LONGSHORE:-} ]]; then
    cargo build --quiet --package longshore
    LONGSHORE=${CARGO_TARGET_DIR:-target}/debug/longshore
fi

work=$(mktemp -d)
mock=
finish() {
    [[ -z $mock ]] || kill "$mock" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

export OCI_TLS=disabled OCI_LOG=error OCI_REPO1=official/first OCI_REPO2=official/second
export OCI_API_BLOBS_UPLOAD_CANCEL=true OCI_API_BLOBS_DIGEST_HEADER=true
export OCI_API_MANIFESTS_TAG_PARAM=true OCI_API_MANIFESTS_DIGEST_HEADER=true

status=0
# run NAME SPARSE ARGUMENTS...: the suite against a mock registry with these arguments.
run() {
    local name=$1 sparse=$2 url results=$work/$1
    shift 2
    mkdir "$results"
    "$LONGSHORE" mock --listen 127.0.0.1:0 "$@" >"$results/url" 2>"$results/mock.log" &
    mock=$!
    for _ in $(seq 100); do
        [[ ! -s $results/url ]] || break
        sleep 0.1
    done
    url=$(head -n 1 "$results/url")
    OCI_REGISTRY=${url#http://} OCI_DATA_SPARSE=$sparse OCI_RESULTS_DIR=$results "$OCI_SUITE" >"$results/log" 2>&1 || status=1
    kill "$mock"
    wait "$mock" || true
    mock=
    local tests failures
    tests=$(sed -n 's/.*<testsuites.* tests="\([0-9]*\)".*/\1/p' "$results/junit.xml")
    failures=$(grep -c -e '<failure' -e '<error' "$results/junit.xml" || true)
    printf '%s: %s tests, %s failures\n' "$name" "${tests:-no}" "$failures"
    if [[ -z $tests || $tests -lt 900 || $failures -gt 0 ]]; then
        cat "$results/log"
        status=1
    fi
}

run specification false
run 'sparse manifests' true --set manifests.missing-reference=accepted
exit $status
