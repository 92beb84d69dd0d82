#!/bin/sh
# Fetches Cassandra 5.0.9 into build/real/cassandra/lib, once. Prints a line to be evaluated by a shell:
# TAILRACE_CASSANDRA_JARS=…
set -eu
here=$(cd "$(dirname "$0")" && pwd)
home=${TAILRACE_REAL_DIR:-$here/../../build/real}/cassandra
mkdir -p "$home"
home=$(cd "$home" && pwd)
want=$(cksum < "$here/cassandra/pom.xml")
if [ "$(cat "$home/done" 2>/dev/null || true)" != "$want" ]; then
  rm -rf "$home/lib"
  mvn -q -B -f "$here/cassandra/pom.xml" dependency:copy-dependencies -DoutputDirectory="$home/lib" \
    -DincludeScope=runtime >&2
  printf '%s\n' "$want" > "$home/done"
fi
printf "TAILRACE_CASSANDRA_JARS='%s'\n" "$home/lib"
