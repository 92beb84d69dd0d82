#!/bin/sh
# Fetches Kafka 4.3.1, its tools, Streams and Connect into build/real/kafka/lib, and Kafka 3.9.2 with ZooKeeper into
# build/real/kafka39/lib, and Avro for Java into build/real/avro/lib, once. Prints lines to be evaluated by a shell:
# TAILRACE_KAFKA_JARS=…, TAILRACE_KAFKA39_JARS=… and TAILRACE_AVRO_JARS=…
set -eu
here=$(cd "$(dirname "$0")" && pwd)
jars() {  # NAME: the jars of NAME/pom.xml
  home=${TAILRACE_REAL_DIR:-$here/../../build/real}/$1
  mkdir -p "$home"
  home=$(cd "$home" && pwd)
  want=$(cksum < "$here/$1/pom.xml")
  if [ "$(cat "$home/lib.done" 2>/dev/null || true)" != "$want" ]; then
    rm -rf "$home/lib"
    mvn -q -B -f "$here/$1/pom.xml" dependency:copy-dependencies -DoutputDirectory="$home/lib" >&2
    printf '%s\n' "$want" > "$home/lib.done"
  fi
}
jars kafka
printf "TAILRACE_KAFKA_JARS='%s'\n" "$home/lib"
jars kafka39
printf "TAILRACE_KAFKA39_JARS='%s'\n" "$home/lib"
jars avro
printf "TAILRACE_AVRO_JARS='%s'\n" "$home/lib"
