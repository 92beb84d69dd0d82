#!/bin/sh
# Fetches Spark 4.2, the Delta and the Kafka jars into build/real/spark, once: a private Python environment and jars/.
# Prints two lines to be evaluated by a shell: PYTHON=… and TAILRACE_SPARK_JARS=…
set -eu
here=$(cd "$(dirname "$0")" && pwd)
home=${TAILRACE_REAL_DIR:-$here/../../build/real}/spark
mkdir -p "$home/jars"
home=$(cd "$home" && pwd)
want=$(cksum < "$here/requirements.txt")
if [ "$(cat "$home/venv.done" 2>/dev/null || true)" != "$want" ]; then
  python3 -m venv "$home/venv" >&2
  "$home/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2
  printf '%s\n' "$want" > "$home/venv.done"
fi
for jar in io.delta:delta-spark_4.2_2.13:4.4.0 io.delta:delta-storage:4.4.0 \
  org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0 org.apache.spark:spark-token-provider-kafka-0-10_2.13:4.0.0 \
  org.apache.kafka:kafka-clients:3.9.1 org.apache.commons:commons-pool2:2.12.1; do
  file=$home/jars/$(printf %s "${jar#*:}" | tr : -).jar
  [ -s "$file" ] || (cd "$home" && mvn -q -B dependency:copy -Dartifact="$jar" -DoutputDirectory="$home/jars" \
    -Dtransitive=false) >&2
done
printf "PYTHON='%s'\nTAILRACE_SPARK_JARS='%s'\n" "$home/venv/bin/python" "$home/jars"
