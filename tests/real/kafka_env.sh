#!/bin/sh
# Fetches Kafka 4.3.1, its tools, Streams and Connect into build/real/kafka/lib, once.
# Prints one line to be evaluated by a shell: TAILRACE_KAFKA_JARS=…
set -eu
here=$(cd "$(dirname "$0")" && pwd)
home=${TAILRACE_REAL_DIR:-$here/../../build/real}/kafka
mkdir -p "$home"
home=$(cd "$home" && pwd)
want=$(cksum < "$here/kafka/pom.xml")
if [ "$(cat "$home/lib.done" 2>/dev/null || true)" != "$want" ]; then
  rm -rf "$home/lib"
  mvn -q -B -f "$here/kafka/pom.xml" dependency:copy-dependencies -DoutputDirectory="$home/lib" >&2
  printf '%s\n' "$want" > "$home/lib.done"
fi
printf "TAILRACE_KAFKA_JARS='%s'\n" "$home/lib"
