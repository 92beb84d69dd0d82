#!/bin/sh
# ask.sh CLASS ARGUMENT…: runs one of the classes here beside Cassandra 5.0.9's own, whose jars cassandra_env.sh fetches.
# Each says at its head what it asks. Needs JDK 17 and Maven.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
eval "$("$here/../cassandra_env.sh")"
lib=$TAILRACE_CASSANDRA_JARS
classes=$(dirname "$lib")/classes
javac -nowarn -cp "$lib/*" -d "$classes" "$here/$1.java"
open=
for package in java.io java.lang java.lang.module java.lang.reflect java.nio java.util sun.nio.ch jdk.internal.loader \
  jdk.internal.math jdk.internal.module jdk.internal.ref jdk.internal.reflect jdk.internal.util.jar; do
  open="$open --add-opens=java.base/$package=ALL-UNNAMED"
done
for package in java.base/java.lang.ref java.base/jdk.internal.misc java.base/jdk.internal.ref \
  java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.registry java.rmi/sun.rmi.server \
  java.sql/java.sql jdk.unsupported/sun.misc; do
  open="$open --add-exports=$package=ALL-UNNAMED"
done
# shellcheck disable=SC2086
exec java -Xmx1g $open --add-opens=jdk.management/com.sun.management.internal=ALL-UNNAMED \
  -Djdk.attach.allowAttachSelf=true -javaagent:"$(ls "$lib"/jamm-*.jar)" \
  -Duser.timezone=UTC -Duser.language=en -Duser.country=US -cp "$classes:$lib/*" "$@" >&2
