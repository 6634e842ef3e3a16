#!/usr/bin/env bash
# Longshore beside programs that others wrote: Debian's docker-registry and skopeo, and the Python clients oras and python-dxf.
#
#   conformance/peers.sh [LAYOUT...]
#
# Pushes each OCI image layout (without one: the demonstration's) to `longshore mock` and to docker-registry, and has skopeo
# pull it back: the digests must agree. Then skopeo itself copies into `longshore mock`, and inspects there.
# Artifacts and charts that Longshore pushes are pulled by the Python clients, and the reverse (peers.py).
# Then the same behind a password: the mock with TLS and tokens, docker-registry with an htpasswd file.
# At last skopeo, oras and python-dxf each have a session with tokens, mounts included, of which the judge finds nothing to say.
# What is not installed is skipped, loudly. LONGSHORE names the program; without it, it is built. PYTHON names an interpreter
# that has the clients (pip install oras python-dxf).
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

# skip PROGRAM WHAT-FOLLOWS [INSTALLER]
skip() {
    skipped+=("$1")
    say SKIP "$1 is not installed: $2 (${3:-apt install} $1)" >&2
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

PYTHON=${PYTHON:-python3}
has_python() { "$PYTHON" -c "import $1" 2>/dev/null; }
python_peer() { "$PYTHON" conformance/peers.py "$@"; }

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

# start_mock ARGUMENT...: its address is in $mock.
start_mock() {
    rm -f "$work/url"
    "$LONGSHORE" mock "$@" >"$work/url" 2>"$work/mock.log" &
    started+=($!)
    for _ in $(seq 100); do
        [[ -s $work/url ]] && break
        sleep 0.1
    done
    mock=$(sed 's|^https*://||' "$work/url")
    [[ -n $mock ]] || { cat "$work/mock.log" >&2; return 1; }
}

# start_docker_registry [SETTING]: its address is in $docker_registry.
start_docker_registry() {
    local port=5000
    while (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
    cat >"$work/registry.yml" <<END
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $work/registry-$port}}
http: {addr: "127.0.0.1:$port"}
${1:-}
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

# Files, a folder and a chart, as people push them.
files=$work/files
mkdir -p "$files/docs/sub"
echo '{"a":1}' >"$files/a.json"
echo '# Guide' >"$files/docs/guide.md"
echo x >"$files/docs/sub/x"
mkdir "$work/chart" "$work/app"
printf 'apiVersion: v2\nname: app\nversion: 1.0.0\n' >"$work/app/Chart.yaml"
tar -czf "$work/chart/app-1.0.0.tgz" -C "$work" app
echo '{"apiVersion":"v2","name":"app","version":"1.0.0"}' >"$work/chart.json"

push_artifact() {
    (cd "$files" && "$LONGSHORE" artifact "$1" a.json docs --artifact-type application/vnd.example.docs --progress none)
}

push_chart() {
    (cd "$work/chart" && "$LONGSHORE" artifact "$1" --progress none \
        app-1.0.0.tgz:application/vnd.cncf.helm.chart.content.v1.tar+gzip \
        --config "$work/chart.json:application/vnd.cncf.helm.config.v1+json")
}

# pull_files REFERENCE FOLDER: what is pulled must be what is in the folder.
pull_files() {
    rm -rf "$work/out"
    "$LONGSHORE" pull "$1" --files "$work/out" --progress none && diff -r "$2" "$work/out"
}

oras_pulls() {
    rm -rf "$work/out"
    python_peer oras-pull "$1" "$work/out" && diff -r "$2" "$work/out"
}

oras_pushes() { oras_pushes_only "$1" && pull_files "$1" "$work/chart"; }

oras_pushes_only() { (cd "$work/chart" && "$PYTHON" "$OLDPWD/conformance/peers.py" oras-push "$1" app-1.0.0.tgz); }

# What dxf stores is pulled as a layout, which skopeo reads where it is there.
dxf_pushes() {
    python_peer dxf-push "$1" "$files/a.json" && pull_layout "$1" && grep -rqF '{"a":1}' "$work/layout-out/blobs"
}

pull_layout() {
    rm -rf "$work/layout-out"
    "$LONGSHORE" pull "$1" "$work/layout-out" --progress none
}

skopeo_reads_pulled() {
    rm -rf "$work/pulled"
    pull_layout "$1" && peer copy --quiet --all --preserve-digests "oci:$work/layout-out:v1" "dir:$work/pulled"
}

artifacts() {
    local name=$1 repository=$2/peers/artifact
    check "longshore pushes an artifact to $name" push_artifact "$repository:v1"
    check "longshore pushes a chart to $name" push_chart "$repository:chart"
    check "longshore pulls the artifact's files" pull_files "$repository:v1" "$files"
    check "longshore pulls the chart" pull_files "$repository:chart" "$work/chart"
    check "longshore pulls an image that it pushed" pull_layout "$2/peers/image:v1"
    if has skopeo; then
        check "skopeo reads the layout that longshore pulls" skopeo_reads_pulled "$2/peers/image:v1"
    fi
    if has_python oras; then
        check "oras pulls the artifact's files" oras_pulls "$repository:v1" "$files"
        check "oras pulls the chart" oras_pulls "$repository:chart" "$work/chart"
        check "longshore pulls what oras pushes" oras_pushes "$repository:oras"
    fi
    if has_python dxf; then
        check "dxf pulls the artifact's blobs" python_peer dxf-pull "$repository:v1" "$files/a.json"
        check "longshore pulls what dxf pushes" dxf_pushes "$2/peers/dxf:v1"
    fi
}

has skopeo || skip skopeo "nobody else looks at what was pushed"
has_python oras || skip oras "it pulls no artifacts, and pushes none" "pip install"
has_python dxf || skip python-dxf "it pulls no blobs, and pushes none" "pip install"
start_mock
push_and_pull mock "$mock"
check "longshore pushes an image to mock" push "${layouts[0]}" "$mock/peers/image:v1"
artifacts mock "$mock"
if has docker-registry; then
    if start_docker_registry; then
        push_and_pull docker-registry "$docker_registry"
        check "longshore pushes an image to docker-registry" push "${layouts[0]}" "$docker_registry/peers/image:v1"
        artifacts docker-registry "$docker_registry"
    else
        say FAIL "docker-registry does not start" >&2
        failures=$((failures + 1))
    fi
else
    skip docker-registry "nothing is pushed to it"
fi

# Two users, both with the password "wonderland"; docker-registry takes bcrypt alone, and so does the mock.
cat >"$work/htpasswd" <<'END'
alice:$2b$04$FmgyANX3Ofyssa17g.5QUOqehHBXh8HztIYj6tcosHm7gki3hYXO6
END
log_in_push() {
    local layout=$1 reference=$2
    shift 2
    echo wonderland | "$LONGSHORE" push "$layout" "$reference" --progress none \
        --username alice --password-stdin "$@" >"$work/pushed"
}

refuses() {
    local said
    if said=$("$LONGSHORE" check "$@" 2>&1); then echo "it lets in everybody"; return 1; fi
    [[ $said == *"refuses access"* ]] || { echo "$said"; return 1; }
}

behind_a_password() {
    local name=$1 registry=$2 skopeo_trust=$3
    shift 3
    check "$name refuses who says nothing" refuses "$registry/private/a" --anonymous "$@"
    check "longshore logs in to $name and pushes" log_in_push "${layouts[0]}" "$registry/private/a:v1" "$@"
    has skopeo || return 0
    check "skopeo logs in to $name" \
        peer login --authfile "$work/login.json" --username alice --password wonderland "$skopeo_trust" "$registry"
    check "longshore takes the login that skopeo left" env REGISTRY_AUTH_FILE="$work/login.json" \
        "$LONGSHORE" push "${layouts[0]}" "$registry/private/b:v1" --progress none "$@"
    check "skopeo copies there" peer copy --quiet --all --preserve-digests --authfile "$work/login.json" \
        "--src-${skopeo_trust#--}" "--dest-${skopeo_trust#--}" "docker://$registry/private/a:v1" "docker://$registry/private/c:v1"
}

mkdir "$work/certificates"
start_mock --tls --tls-ca "$work/certificates/ca.crt" --auth "$work/htpasswd"
behind_a_password "the mock with TLS" "$mock" "--cert-dir=$work/certificates" --https --ca "$work/certificates/ca.crt"
if has docker-registry && start_docker_registry "auth: {htpasswd: {realm: peers, path: $work/htpasswd}}"; then
    behind_a_password "docker-registry with htpasswd" "$docker_registry" --tls-verify=false
fi

# What the judge says of the others, over a whole session with tokens, mounts included: the mock ends with 1 where a client
# broke a MUST.
export PEERS_USER=alice PEERS_PASSWORD=wonderland

# judged_by PEER ARGUMENT...: a mock that judges; its address, under the name localhost, is in $mock.
judged_by() {
    peer=$1
    shift
    rm -f "$work/judged.log"
    start_mock --listen localhost:0 --auth "$work/htpasswd" --judge "$work/judge.json" --strict --log "$work/judged.log" "$@"
    mock=localhost:${mock##*:}
}

# verdict: ends that mock, and tells what the judge says.
verdict() {
    local process=${started[-1]} status=0
    kill "$process"
    wait "$process" || status=$?
    unset 'started[-1]'
    check "the judge found nothing that $peer must not do" judged "$status"
}

# A blob was mounted: 201 to end-11.
mounted() { grep '"row":"end-11"' "$work/judged.log" | grep -q '"status":201'; }

judged() {
    [[ $1 -eq 0 && -s $work/judge.json ]] || { cat "$work/mock.log" "$work/judge.json"; return 1; }
}

if has skopeo; then
    judged_by skopeo
    check "longshore pushes for skopeo, with a token" log_in_push "${layouts[0]}" "$mock/team/one:v1"
    rm -f "$work/login.json"
    check "skopeo logs in at localhost" \
        peer login --authfile "$work/login.json" --username alice --password wonderland --tls-verify=false "$mock"
    judged_copy() { REGISTRY_AUTH_FILE=$work/login.json copy_within "$mock/team/$1:v1" "$mock/team/$2:v1"; }
    check "skopeo copies with a token" judged_copy one two
    check "skopeo copies again with a token" judged_copy one three
    check "skopeo mounted" mounted
    verdict
fi
if has_python oras; then
    # It keeps its first token, of a HEAD, for the whole push (oras-py issue 187): so the token gives more than was asked for.
    judged_by oras --set auth.grants=all
    check "oras pushes with a token" oras_pushes_only "$mock/team/oras:v1"
    check "oras pulls with a token" oras_pulls "$mock/team/oras:v1" "$work/chart"
    verdict
fi
if has_python dxf; then
    # It sends no password over plain HTTP.
    judged_by dxf --tls --tls-ca "$work/certificates/ca.crt"
    export PEERS_CA=$work/certificates/ca.crt
    check "dxf pushes with a token" python_peer dxf-push "$mock/team/dxf:v1" "$files/a.json"
    check "dxf mounts with a token" python_peer dxf-mount "$mock/team/mounted:v1" "$mock/team/dxf:v1"
    check "dxf mounted" mounted
    check "dxf pulls with a token" python_peer dxf-pull "$mock/team/mounted:v1" "$files/a.json"
    unset PEERS_CA
    verdict
fi

if [[ ${#skipped[@]} -gt 0 ]]; then say SKIP "without ${skipped[*]} this says less than it could" >&2; fi
if [[ $failures -gt 0 ]]; then
    say FAIL "$failures checks failed" >&2
    exit 1
fi
say ok "all that was checked agrees"
