#!/bin/bash -eu
# One program has all targets: it is linked once, and knows by its own name which one it is.
cd "$SRC/longshore/fuzz"

# cargo-fuzz sets the engine's and the sanitizer's flags; ours in .cargo/config.toml are for a run without it.
cargo fuzz build -O --debug-assertions fuzz
program=$(find target/*/release -maxdepth 1 -name fuzz -type f -perm -u+x | head -1)

for corpus in corpus/*/; do
    target=$(basename "$corpus")
    # The program is large: it is there once, under all names.
    [ -n "${first:-}" ] || { first=$OUT/$target && cp "$program" "$first"; }
    [ "$first" -ef "$OUT/$target" ] || ln -f "$first" "$OUT/$target"
    (cd "$corpus" && zip -qr "$OUT/${target}_seed_corpus.zip" .)
    dictionary=$("$program" dictionary "$target")
    [ -z "$dictionary" ] || cp "$dictionary" "$OUT/$target.dict"
done
