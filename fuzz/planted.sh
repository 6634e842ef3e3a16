#!/usr/bin/env bash
# Faults that are planted, and must be found: each planted/NAME.patch breaks one thing in the core, and says in its head what it
# breaks, which target has to find it, and what that prints then.
#
#   fuzz/planted.sh                  all of them
#   fuzz/planted.sh pause-leaks      this one
#
# They are planted together in a copy of the repository, under target/planted-fuzz, so that the program is built once. Each target
# begins with its own corpus and has a minute. What is not found in that time, or by other words, makes the status 1.
set -euo pipefail
cd "$(dirname "$0")"
exec </dev/null

root=$PWD
# Not within this folder: cargo would add the flags of this one's .cargo/config.toml to those of the copy's, and no counter may be
# there twice.
work=${root%/*}/target/planted-fuzz
copy=$work/copy
export CARGO_TARGET_DIR=$work/target
# The copy lies within this repository and is none of it.
export GIT_CEILING_DIRECTORIES=$work

# field NAME FILE: what the head of a patch says.
field() { sed -n "s/^$1: //p; /^---/q" "$2"; }

names=("$@")
[ $# -gt 0 ] || mapfile -t names < <(cd planted && printf '%s\n' *.patch | sed 's/\.patch$//')

rm -rf "$copy"
mkdir -p "$copy"
# With new dates: what cargo built of an earlier copy is not taken for this one's.
(cd .. && git ls-files -z --cached --others --exclude-standard | tar --null --files-from - --create) |
    tar --extract --touch --directory "$copy"
for name in "${names[@]}"; do
    (cd "$copy" && git apply --whitespace=nowarn "$root/planted/$name.patch")
done
cd "$copy/fuzz"
begin=$SECONDS
cargo build --quiet --locked --bins
printf 'built in %d s\n' $((SECONDS - begin))

failures=0
for name in "${names[@]}"; do
    target=$(field Target "$root/planted/$name.patch")
    seen=$(field Seen "$root/planted/$name.patch")
    log=$work/$name.log
    begin=$(date +%s%N)
    status=0
    cargo run --quiet --locked -- "$target" -max_total_time=60 -artifact_prefix="$work/" >"$log" 2>&1 || status=$?
    took=$((($(date +%s%N) - begin) / 100000000))
    if [ $status = 0 ]; then
        printf 'FAILED  %-20s %s did not find it in a minute\n' "$name" "$target"
        failures=$((failures + 1))
    elif ! grep --quiet --fixed-strings -- "$seen" "$log"; then
        printf 'FAILED  %-20s %s ends with status %d, and does not print %s\n' "$name" "$target" $status "$seen"
        tail -n 20 "$log"
        failures=$((failures + 1))
    else
        printf 'found   %-20s by %s in %d.%d s\n' "$name" "$target" $((took / 10)) $((took % 10))
    fi
done
[ "$failures" = 0 ]
