#!/usr/bin/env bash
# The profile distribution-2.8 beside the real one: Debian's docker-registry.
#
#   conformance/distribution.sh
#
# Sends the same requests to docker-registry and to `longshore mock --profile distribution-2.8`, and compares each pair of
# answers: status, error codes, and the forms of the headers that clients read. Where they differ, both are shown, and the
# status is 1. Differences that are known stand in `known` below, with their reason; one that is not there any more is a
# failure too. Without docker-registry it is skipped, loudly. LONGSHORE names the program; without it, it is built.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v docker-registry >/dev/null; then
    printf 'SKIPPED: docker-registry is not installed: the profile distribution-2.8 was compared with nothing (apt install docker-registry)\n' >&2
    exit 0
fi
if [[ -z ${LONGSHORE:-} ]]; then
    cargo build --quiet --package longshore
    LONGSHORE=${CARGO_TARGET_DIR:-target}/debug/longshore
fi

# The name of a step, and why the two answers may differ.
declare -A known=(
    ['ping without a slash']='the mock answers /v2 as /v2/'
    ['cancel']='the mock does not name an upload that is gone'
    ['what is left of it']='docker-registry cannot cancel an upload whose digest was wrong, and finds its state to be stale'
)

work=$(mktemp -d)
started=()
finish() {
    for process in "${started[@]}"; do
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap finish EXIT

# wait_for URL: until something answers there.
wait_for() {
    for _ in $(seq 100); do
        ! curl --silent --output /dev/null "$1" || return 0
        sleep 0.1
    done
    printf 'nothing answers at %s\n' "$1" >&2
    exit 1
}

port=$((20000 + RANDOM % 20000))
cat >"$work/config.yml" <<EOF
version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: $work/registry } }
http: { addr: "127.0.0.1:$port" }
EOF
OTEL_TRACES_EXPORTER=none docker-registry serve "$work/config.yml" >"$work/registry.log" 2>&1 &
started+=($!)
"$LONGSHORE" mock --listen 127.0.0.1:0 --profile distribution-2.8 >"$work/url" 2>"$work/mock.log" &
started+=($!)
for _ in $(seq 100); do
    [[ ! -s $work/url ]] || break
    sleep 0.1
done
bases=("http://127.0.0.1:$port" "$(head -n 1 "$work/url")")
wait_for "${bases[0]}/v2/"
wait_for "${bases[1]}/v2/"

# What the newest Location of an upload is, at either.
locations=('' '')
steps=0
failures=0

# form FILE HOST: an answer with what is particular to it put into words.
form() {
    tr -d '\r' <"$1.head" | sed -n '1s/^HTTP[^ ]* \([0-9]*\).*/status \1/p'
    tr -d '\r' <"$1.head" | tr 'A-Z' 'a-z' | grep -E '^(location|range|docker-content-digest|docker-upload-uuid|docker-distribution-api-version|content-type|etag|link|allow|www-authenticate|oci-[a-z-]*):' |
        sed -E -e "s|http://[0-9a-z.:]+|<host>|" -e 's/[0-9a-f]{8}-[0-9a-f-]{27}/<uuid>/g' -e 's/_state=[^&]*/_state=<state>/' | sort
    { grep -o '"code":"[^"]*"' "$1.body" || true; } | sort -u
    # Every tag of a list, in no order: that of docker-registry is its file system's.
    { grep -o '"tags":\[[^]]*\]' "$1.body" || true; } | { grep -o '"[^",:]*"' || true; } | sort
}

# both NAME METHOD PATH [CURL OPTION...]: sends it to both, and compares. In PATH and options, @LOCATION is the upload's URL.
both() {
    local name=$1 method=$2 path=$3 side target option options
    shift 3
    for side in 0 1; do
        target=$path
        [[ $path != @LOCATION* ]] || target=${locations[side]}${path#@LOCATION}
        [[ $path != '@LOCATION&'* || ${locations[side]} == *\?* ]] || target=${locations[side]}?${path#@LOCATION&}
        [[ $target == http* ]] || target=${bases[side]}$target
        options=()
        for option in "$@"; do options+=("$option"); done
        [[ $method != HEAD ]] || options+=(--head)
        curl --silent --max-time 20 --request "$method" --dump-header "$work/$side.head" --output "$work/$side.body" \
            "${options[@]}" "$target" || true
        [[ -e $work/$side.body ]] || : >"$work/$side.body"
        form "$work/$side" >"$work/$side.form"
        option=$(tr -d '\r' <"$work/$side.head" | sed -n 's/^[Ll]ocation: //p' | tail -n 1)
        [[ $option != *uploads* ]] || locations[side]=$option
        rm -f "$work/$side.body"
    done
    steps=$((steps + 1))
    if cmp --quiet "$work/0.form" "$work/1.form"; then
        printf 'ok    %s\n' "$name"
        if [[ -n ${known[$name]:-} ]]; then
            printf 'FAIL  %s: they are known to differ (%s), and do not\n' "$name" "${known[$name]}" >&2
            failures=$((failures + 1))
        fi
    elif [[ -n ${known[$name]:-} ]]; then
        printf 'known %s: %s\n' "$name" "${known[$name]}"
    else
        printf 'FAIL  %s: docker-registry on the left, the profile on the right\n' "$name" >&2
        diff --side-by-side --width 150 "$work/0.form" "$work/1.form" >&2 || true
        failures=$((failures + 1))
    fi
}

octets='Content-Type: application/octet-stream'
image='application/vnd.oci.image.manifest.v1+json'
accept="Accept: $image, application/vnd.oci.image.index.v1+json"
printf 'hello, registry' >"$work/blob"
printf '{"architecture":"amd64","os":"linux"}' >"$work/config"
digest() { printf 'sha256:%s' "$(sha256sum "$1" | cut -d ' ' -f 1)"; }
blob=$(digest "$work/blob")
config=$(digest "$work/config")
absent=sha256:$(printf '0%.0s' $(seq 64))
uploads=/v2/library/app/blobs/uploads/

both 'ping' GET /v2/
both 'ping without a slash' GET /v2
both 'tags of no repository' GET /v2/library/app/tags/list
both 'a blob that is not there' HEAD "/v2/library/app/blobs/$blob"
both 'a blob that is not there, got' GET "/v2/library/app/blobs/$blob"
both 'a manifest in no repository' GET /v2/library/app/manifests/v1 --header "$accept"
both 'begin an upload' POST "$uploads" --header 'Content-Length: 0'
both 'its state, before a byte' GET @LOCATION
both 'a streamed chunk' PATCH @LOCATION --header "$octets" --data-binary 'hello, '
both 'its state' GET @LOCATION
both 'its state by HEAD' HEAD @LOCATION
both 'a chunk with Content-Range' PATCH @LOCATION --header "$octets" --header 'Content-Range: 7-14' --data-binary 'registry'
both 'the end of it' PUT "@LOCATION&digest=$blob" --header 'Content-Length: 0'
both 'the blob' HEAD "/v2/library/app/blobs/$blob"
both 'the blob, got' GET "/v2/library/app/blobs/$blob"
both 'a part of the blob' GET "/v2/library/app/blobs/$blob" --header 'Range: bytes=0-4'
both 'begin another' POST "$uploads" --header 'Content-Length: 0'
both 'a whole blob' PUT "@LOCATION&digest=$config" --header "$octets" --data-binary "@$work/config"
both 'begin one whose digest is wrong' POST "$uploads" --header 'Content-Length: 0'
both 'a wrong digest' PUT "@LOCATION&digest=$absent" --header "$octets" --data-binary 'other'
both 'what is left of it' GET @LOCATION
both 'begin one without a digest' POST "$uploads" --header 'Content-Length: 0'
both 'the end without a digest' PUT @LOCATION --header "$octets" --data-binary 'other'
both 'begin one to be cancelled' POST "$uploads" --header 'Content-Length: 0'
both 'cancel' DELETE @LOCATION
both 'the state of what was cancelled' GET @LOCATION
both 'the state of an upload that never was' GET "${uploads}7d2ab1a6-0000-4000-8000-000000000000"
both 'begin one whose state goes stale' POST "$uploads" --header 'Content-Length: 0'
stale=("${locations[@]}")
both 'a chunk of it' PATCH @LOCATION --header "$octets" --data-binary 'x'
locations=("${stale[@]}")
both 'its stale state' GET @LOCATION
both 'a whole blob in a POST' POST "$uploads?digest=$blob" --header "$octets" --data-binary "@$work/blob"
both 'begin one of another type' POST "$uploads" --header 'Content-Length: 0'
both 'a chunk of another type' PATCH @LOCATION --header 'Content-Type: text/plain' --data-binary 'x'
both 'mount' POST "/v2/library/other/blobs/uploads/?mount=$blob&from=library/app" --header 'Content-Length: 0'
both 'mount what is not there' POST "/v2/library/other/blobs/uploads/?mount=$absent&from=library/app" --header 'Content-Length: 0'
both 'mount without a source' POST "/v2/library/other/blobs/uploads/?mount=$blob" --header 'Content-Length: 0'

printf '{"schemaVersion":2,"mediaType":"%s","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%d},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"%s","size":%d}]}' \
    "$image" "$config" "$(stat --format %s "$work/config")" "$blob" "$(stat --format %s "$work/blob")" >"$work/manifest"
sed "s/$blob/$absent/" "$work/manifest" >"$work/missing"
manifest=$(digest "$work/manifest")

both 'an image' PUT /v2/library/app/manifests/v1 --header "Content-Type: $image" --data-binary "@$work/manifest"
both 'an image by digest' PUT "/v2/library/app/manifests/$manifest" --header "Content-Type: $image" --data-binary "@$work/manifest"
both 'an image whose layer is missing' PUT /v2/library/app/manifests/v2 --header "Content-Type: $image" --data-binary "@$work/missing"
both 'an image under another digest' PUT "/v2/library/app/manifests/$absent" --header "Content-Type: $image" --data-binary "@$work/manifest"
both 'an image under no tag' PUT /v2/library/app/manifests/.no --header "Content-Type: $image" --data-binary "@$work/manifest"
both 'an image that is none' PUT /v2/library/app/manifests/v3 --header "Content-Type: $image" --data-binary '{'
both 'the image' HEAD /v2/library/app/manifests/v1 --header "$accept"
both 'the image, got' GET /v2/library/app/manifests/v1 --header "$accept"
both 'the image by digest' GET "/v2/library/app/manifests/$manifest" --header "$accept"
both 'the image, unchanged' GET /v2/library/app/manifests/v1 --header "$accept" --header "If-None-Match: \"$manifest\""
both 'the image to one who knows no OCI' GET /v2/library/app/manifests/v1 --header 'Accept: application/vnd.docker.distribution.manifest.v2+json'
both 'a tag that is not there' GET /v2/library/app/manifests/v9 --header "$accept"
both 'no tag' GET /v2/library/app/manifests/.no --header "$accept"
both 'no digest' GET /v2/library/app/manifests/sha256:totallywrong --header "$accept"
both 'no digest, by HEAD' HEAD /v2/library/app/manifests/sha256:totallywrong --header "$accept"
both 'an image under no digest' PUT /v2/library/app/manifests/sha256:totallywrong --header "Content-Type: $image" --data-binary "@$work/manifest"
both 'no digest, deleted' DELETE /v2/library/app/manifests/sha256:totallywrong
for tag in a b c d e f; do
    both "tag $tag" PUT "/v2/library/app/manifests/$tag" --header "Content-Type: $image" --data-binary "@$work/manifest"
done
both 'tags' GET /v2/library/app/tags/list
for query in 'n=2' 'n=2&last=b' 'n=0' 'n=x'; do
    both "tags, $query" GET "/v2/library/app/tags/list?$query"
done
both 'referrers' GET "/v2/library/app/referrers/$manifest"
both 'delete a tag' DELETE /v2/library/app/manifests/v1
both 'delete a manifest' DELETE "/v2/library/app/manifests/$manifest"
both 'delete a blob' DELETE "/v2/library/app/blobs/$blob"
both 'a name that is none' GET /v2/Library/APP/tags/list
both 'no endpoint' GET /v2/library/app/nothing
both 'no method of a manifest' POST /v2/library/app/manifests/v1 --header 'Content-Length: 0'
both 'no method of a blob' PUT "/v2/library/app/blobs/$blob" --header 'Content-Length: 0'

printf '%d exchanges, %d differ\n' "$steps" "$failures"
[[ $failures -eq 0 ]]
