#!/bin/sh
# Makes src/kafka/testdata anew with Kafka's own classes: `make.sh [OUT_DIR]`. Needs Maven and a JDK of 17 or newer.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
out=${1:-$root/src/kafka/testdata}
work=$root/build/kafka_vectors
mkdir -p "$work" "$out"
mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$work/lib" -DincludeScope=runtime
javac -d "$work" -cp "$work/lib/*" "$here"/*.java
java -cp "$work:$work/lib/*" KafkaVectors "$out"
