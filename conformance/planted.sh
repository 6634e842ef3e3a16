#!/usr/bin/env bash
# Bugs that are planted, and must be found: each conformance/planted/CRATE/NAME.patch breaks one thing in the core or in the mock
# registry, and says in its head what it breaks, what is run to find it, and what that prints then. Those in the transports are
# planted by transports/kit/planted/run, those for the fuzz targets by fuzz/planted.sh.
#
#   conformance/planted.sh                 all of them
#   conformance/planted.sh core mock/r     those whose names begin so
#
# They are planted one at a time in a copy of the repository, under target/planted, and what is run is a test of those that .ci/run
# runs for each change. Before that, the same is run without any bug, and must pass. A patch that does not apply any more, does not compile, is
# not found, or is found by something else makes the status 1. A line a bug is printed: seconds to build it, seconds to find it.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

root=$PWD
work=$root/target/planted
copy=$work/copy
log=$work/log
export CARGO_TARGET_DIR=$work/target CARGO_INCREMENTAL=1 RUST_BACKTRACE=0
# The copy lies within this repository and is none of it.
export GIT_CEILING_DIRECTORIES=$work

# field NAME FILE: what the head of a patch says.
field() { sed -n "s/^$1: //p; /^---/q" "$2"; }

# build TEST, run TEST ARGUMENTS...: a test of the suites, quietly.
build() { cargo test --quiet --package longshore-conformance --test "$1" --no-run >"$log" 2>&1; }
run() { cargo test --quiet --package longshore-conformance --test "$1" -- "${@:2}" >"$log" 2>&1; }

wanted() {
    [ $# -gt 1 ] || return 0
    local name=$1 prefix
    shift
    for prefix in "$@"; do [[ $name != "$prefix"* ]] || return 0; done
    return 1
}

# fail NAME WHY [show]: tells why, and what was printed first.
failures=0
fail() {
    failures=$((failures + 1))
    printf 'FAILED  %-40s %s\n' "$1" "$2"
    [ -z "${3:-}" ] || head -n 40 "$log"
}

# plant NAME: plants one bug, has it found, and takes it out again.
plant() {
    local name=$1 patch=$root/conformance/planted/$1.patch begin=$SECONDS built what seen
    read -ra what <<<"$(field Test "$patch")"
    seen=$(field Seen "$patch")
    if [ -z "${what[*]}" ] || [ -z "$seen" ]; then fail "$name" 'its head has no Test or no Seen'; return; fi
    if ! git -C "$copy" apply --check "$patch" 2>"$log"; then fail "$name" 'it does not apply any more' show; return; fi
    git -C "$copy" apply --whitespace=nowarn "$patch"
    if ! build "${what[@]}"; then
        fail "$name" 'it does not compile any more' show
    else
        built=$SECONDS
        if run "${what[@]}"; then
            fail "$name" 'it was not found' show
        elif ! grep --quiet --fixed-strings -- "$seen" "$log"; then
            fail "$name" "it was found, but not by what prints $seen" show
        else
            printf 'found   %-40s built in %3d s, found in %3d s: %s\n' "$name" $((built - begin)) $((SECONDS - built)) "${what[*]}"
        fi
    fi
    git -C "$copy" apply --whitespace=nowarn --reverse "$patch"
}

names=()
while read -r name; do
    ! wanted "$name" "$@" || names+=("$name")
done < <(cd conformance/planted && find . -name '*.patch' | sed 's|^\./||; s|\.patch$||' | sort)
[ ${#names[@]} -gt 0 ] || { printf 'no bug has such a name\n'; exit 1; }

# The copy is made the same as the repository. What is the same already keeps its date, so that it is not built again; what is not,
# such as what a run left that was broken off, gets a new one. The corpora of the fuzz targets, thousands of files, are not needed.
mkdir -p "$copy"
git ls-files -z --cached --others --exclude-standard -- ':!fuzz/corpus' | while read -rd '' file; do
    # One that was deleted since the last commit is still listed.
    [ ! -f "$file" ] || printf '%s\0' "$file"
done >"$work/files"
while read -rd '' file; do
    if ! cmp --silent "$file" "$copy/$file"; then
        mkdir -p "$copy/$(dirname "$file")"
        cp --no-preserve=timestamps "$file" "$copy/$file"
    fi
done <"$work/files"
(cd "$copy" && find . -type f -printf '%P\0') | sort -z | comm -z -23 - <(sort -z "$work/files") | (cd "$copy" && xargs -0 --no-run-if-empty rm)
cd "$copy"

# What finds the bugs passes without any.
while read -ra what; do
    begin=$SECONDS
    if build "${what[@]}" && run "${what[@]}"; then
        printf 'passes  %-40s in %3d s\n' "${what[*]}" $((SECONDS - begin))
    else
        fail "${what[*]}" 'it fails without any bug' show
        exit 1
    fi
done < <(for name in "${names[@]}"; do field Test "$root/conformance/planted/$name.patch"; done | sort -u)

for name in "${names[@]}"; do plant "$name"; done
printf '%d bugs were planted, %d of them not found as they should be\n' "${#names[@]}" "$failures"
[ "$failures" = 0 ]
