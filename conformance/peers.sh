#!/usr/bin/env bash
# Longshore beside programs that others wrote: Debian's docker-registry and skopeo.
#
#   conformance/peers.sh [LAYOUT...]
#
# Pushes each OCI image layout (without one: the demonstration's) to `longshore mock` and to docker-registry, and has skopeo
# pull it back: the digests must agree. Then skopeo itself copies into `longshore mock`, and inspects there.
# What is not installed is skipped, loudly. LONGSHORE names the program; without it, it is built.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
started=()
failures=0
skipped=()

finish() {
    for process in "${started[@]}"; do
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap finish EXIT

say() { printf '%-4s  %s\n' "$1" "$2"; }

skip() {
    skipped+=("$1")
    say SKIP "$1 is not installed: $2 (apt install $1)" >&2
}

# check DESCRIPTION COMMAND...: the command must succeed.
check() {
    local what=$1
    shift
    if "$@" >"$work/said" 2>&1; then
        say ok "$what"
    else
        say FAIL "$what" >&2
        sed 's/^/      /' "$work/said" >&2
        failures=$((failures + 1))
    fi
}

has() { command -v "$1" >/dev/null; }

if [[ -z ${LONGSHORE:-} ]]; then
    cargo build --quiet --package longshore
    LONGSHORE=${CARGO_TARGET_DIR:-target}/debug/longshore
fi

# Peers get no credentials and no policy of whoever runs this.
export REGISTRY_AUTH_FILE=$work/auth.json
echo '{}' >"$REGISTRY_AUTH_FILE"
peer() { skopeo --insecure-policy "$@"; }

layouts=("$@")
if [[ ${#layouts[@]} -eq 0 ]]; then
    "$LONGSHORE" demo --layout "$work/layout" >/dev/null
    layouts=("$work/layout")
fi

start_mock() {
    "$LONGSHORE" mock >"$work/url" &
    started+=($!)
    until [[ -s $work/url ]]; do sleep 0.1; done
    mock=$(sed 's|^http://||' "$work/url")
}

start_docker_registry() {
    local port=5000
    while (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
    cat >"$work/registry.yml" <<END
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: "127.0.0.1:$port"}
END
    # It takes every variable REGISTRY_… for a setting of its own.
    env -u REGISTRY_AUTH_FILE docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
    started+=($!)
    docker_registry=127.0.0.1:$port
    for _ in $(seq 100); do
        (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return
        sleep 0.1
    done
    cat "$work/registry.log" >&2
    return 1
}

# The digest of what a registry gives under a tag, as skopeo sees it.
digest_of() { echo "sha256:$(peer inspect --raw --tls-verify=false "docker://$1" | sha256sum | cut -d' ' -f1)"; }

same_digest() {
    local found
    found=$(digest_of "$1")
    [[ $found == "$2" ]] || { echo "$1 is $found, not $2"; return 1; }
}

push() { "$LONGSHORE" push "$1" "$2" --progress none >"$work/pushed"; }

# Every blob of every platform comes back, and skopeo checks each against its digest.
pull_all() {
    rm -rf "$work/pulled"
    peer copy --quiet --all --preserve-digests --src-tls-verify=false "docker://$1" "dir:$work/pulled"
}

copy_within() {
    peer copy --quiet --all --preserve-digests --src-tls-verify=false --dest-tls-verify=false "docker://$1" "docker://$2"
}

push_and_pull() {
    local name=$1 registry=$2 layout repository digest
    for layout in "${layouts[@]}"; do
        repository=$registry/peers/$(basename "$layout" | tr '[:upper:]' '[:lower:]')
        check "longshore pushes $layout to $name" push "$layout" "$repository:v1"
        digest=$(head -n 1 "$work/pushed")
        check "longshore pushes it again" push "$layout" "$repository:v1"
        if has skopeo; then
            check "skopeo sees $digest" same_digest "$repository:v1" "$digest"
            check "skopeo pulls all of it" pull_all "$repository:v1"
        fi
        if has skopeo && [[ $name == mock ]]; then
            check "skopeo copies it into $name" copy_within "$repository:v1" "$repository-copy:v1"
            check "skopeo sees the same there" same_digest "$repository-copy:v1" "$digest"
            check "skopeo inspects it there" peer inspect --tls-verify=false --no-tags "docker://$repository-copy:v1"
        fi
    done
}

has skopeo || skip skopeo "nobody else looks at what was pushed"
start_mock
push_and_pull mock "$mock"
if has docker-registry; then
    if start_docker_registry; then
        push_and_pull docker-registry "$docker_registry"
    else
        say FAIL "docker-registry does not start" >&2
        failures=$((failures + 1))
    fi
else
    skip docker-registry "nothing is pushed to it"
fi

if [[ ${#skipped[@]} -gt 0 ]]; then say SKIP "without ${skipped[*]} this says less than it could" >&2; fi
if [[ $failures -gt 0 ]]; then
    say FAIL "$failures checks failed" >&2
    exit 1
fi
say ok "all that was checked agrees"
