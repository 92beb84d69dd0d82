#!/bin/sh
# Fetches the drivers of CQL's clients into build/real/drivers, once: Java's jars, Node's package, both versions of Go's,
# scylla-driver and the C++ driver for Python, Spark 3.5 with its connector. Prints a line to be evaluated by a shell:
# TAILRACE_DRIVERS=…  Go's are left out where there is no Go.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
home=${TAILRACE_REAL_DIR:-$here/../../build/real}/drivers
mkdir -p "$home"
home=$(cd "$home" && pwd)

once() {  # NAME FILES… -- COMMAND…: runs the command only when a file changed since it last succeeded
  stamp=$home/$1.done; shift
  files=
  while [ "$1" != -- ]; do files="$files $1"; shift; done; shift
  # shellcheck disable=SC2086
  want=$(cat $files | cksum)
  if [ "$(cat "$stamp" 2>/dev/null || true)" != "$want" ]; then
    "$@" >&2
    printf '%s\n' "$want" > "$stamp"
  fi
}
jars() {  # NAME
  rm -rf "${home:?}/$1/lib"
  mvn -q -B -f "$here/drivers/$1/pom.xml" dependency:copy-dependencies -DoutputDirectory="$home/$1/lib" \
    -DincludeScope=runtime
}
venv() {  # NAME
  rm -rf "${home:?}/$1"
  python3 -m venv "$home/$1"
  "$home/$1/bin/pip" install --quiet --disable-pip-version-check -r "$here/drivers/$1.txt"
}
node_package() {
  mkdir -p "$home/node"
  cp "$here/drivers/node/package.json" "$here/drivers/node/package-lock.json" "$home/node"
  npm --prefix "$home/node" ci --no-audit --no-fund --silent
}
go_driver() {  # NAME IMPORT
  mkdir -p "$home/$1"
  cp "$here/drivers/$1"/* "$home/$1"
  sed "s|\"GOCQL\"|\"$2\"|" "$here/drivers/go/driver.go" > "$home/$1/driver.go"
  (cd "$home/$1" && GOFLAGS=-buildvcs=false go build -o driver .)
}

once java "$here/drivers/java/pom.xml" -- jars java
once spark "$here/drivers/spark/pom.xml" -- jars spark
once python "$here/drivers/python.txt" -- venv python
once pyspark "$here/drivers/pyspark.txt" -- venv pyspark
once node "$here/drivers/node/package-lock.json" -- node_package
if command -v go >/dev/null; then
  for version in go1:github.com/gocql/gocql go2:github.com/apache/cassandra-gocql-driver/v2; do
    name=${version%%:*}
    once "$name" "$here/drivers/$name"/* "$here/drivers/go/driver.go" -- go_driver "$name" "${version#*:}"
  done
fi
printf "TAILRACE_DRIVERS='%s'\n" "$home"
