#!/bin/sh
# ask.sh CLASS ARGUMENT…: runs one of the classes here beside Cassandra 5.0.9's own, whose jars cassandra_env.sh fetches.
# Each says at its head what it asks. Needs JDK 17 and Maven.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
eval "$("$here/../cassandra_env.sh")"
lib=$TAILRACE_CASSANDRA_JARS
classes=$(dirname "$lib")/classes
javac -nowarn -cp "$lib/*" -d "$classes" "$here/$1.java"
open="--add-opens=java.base"
exec java -Xmx1g "$open/java.nio=ALL-UNNAMED" "$open/sun.nio.ch=ALL-UNNAMED" "$open/java.lang=ALL-UNNAMED" \
  "$open/java.util=ALL-UNNAMED" --add-exports=java.base/jdk.internal.misc=ALL-UNNAMED \
  --add-exports=java.base/jdk.internal.ref=ALL-UNNAMED -Duser.timezone=UTC -Duser.language=en -Duser.country=US \
  -cp "$classes:$lib/*" "$@" >&2
