#!/bin/sh
# ask.sh CLASS ARGUMENT…: runs one of the classes here beside Cassandra 5.0.9's own, whose jars are fetched once into
# build/real/cassandra. Each says at its head what it asks. Needs JDK 17 and Maven.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
home=${TAILRACE_REAL_DIR:-$here/../../../build/real}/cassandra
mkdir -p "$home"
if [ "$(cat "$home/done" 2>/dev/null || true)" != "$(cksum < "$here/pom.xml")" ]; then
  rm -rf "$home/lib"
  mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$home/lib" -DincludeScope=runtime >&2
  cksum < "$here/pom.xml" > "$home/done"
fi
javac -nowarn -cp "$home/lib/*" -d "$home/classes" "$here/$1.java"
open="--add-opens=java.base"
exec java -Xmx1g "$open/java.nio=ALL-UNNAMED" "$open/sun.nio.ch=ALL-UNNAMED" "$open/java.lang=ALL-UNNAMED" \
  "$open/java.util=ALL-UNNAMED" --add-exports=java.base/jdk.internal.misc=ALL-UNNAMED \
  --add-exports=java.base/jdk.internal.ref=ALL-UNNAMED -Duser.timezone=UTC -Duser.language=en -Duser.country=US \
  -cp "$home/classes:$home/lib/*" "$@" >&2
