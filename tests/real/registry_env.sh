#!/bin/sh
# Fetches Apicurio Registry, which speaks Confluent's REST API, into build/real/apicurio, once: the last version that
# runs on Java 17; and Confluent's Java client into build/real/registry_client/lib. Prints lines to be evaluated by a
# shell: TAILRACE_APICURIO=… and TAILRACE_REGISTRY_CLIENT_JARS=…
set -eu
version=3.0.9
here=$(cd "$(dirname "$0")" && pwd)
home=${TAILRACE_REAL_DIR:-$here/../../build/real}/apicurio-$version
mkdir -p "$home"
home=$(cd "$home" && pwd)
if [ ! -e "$home/done" ]; then
  mvn -q -B dependency:copy -Dartifact=io.apicurio:apicurio-registry-app:$version:tar.gz:all -DoutputDirectory="$home" >&2
  tar xzf "$home/apicurio-registry-app-$version-all.tar.gz" -C "$home"
  rm "$home/apicurio-registry-app-$version-all.tar.gz"
  touch "$home/done"
fi
printf "TAILRACE_APICURIO='%s'\n" "$home/apicurio-registry-app-$version-runner.jar"
home=${TAILRACE_REAL_DIR:-$here/../../build/real}/registry_client
mkdir -p "$home"
home=$(cd "$home" && pwd)
want=$(cksum < "$here/registry_client/pom.xml")
if [ "$(cat "$home/lib.done" 2>/dev/null || true)" != "$want" ]; then
  rm -rf "$home/lib"
  mvn -q -B -f "$here/registry_client/pom.xml" dependency:copy-dependencies -DoutputDirectory="$home/lib" >&2
  printf '%s\n' "$want" > "$home/lib.done"
fi
printf "TAILRACE_REGISTRY_CLIENT_JARS='%s'\n" "$home/lib"
