#!/bin/sh
# Makes build/real/airflow, a venv with Airflow 3.3.2, dag-factory 1.1.0, the providers that DAG files here name and
# Tailrace's own provider, once. Prints a line to be evaluated by a shell: TAILRACE_AIRFLOW_PYTHON=…
set -eu
here=$(cd "$(dirname "$0")" && pwd)
home=${TAILRACE_REAL_DIR:-$here/../../build/real}/airflow
mkdir -p "$home"
home=$(cd "$home" && pwd)
want="apache-airflow==3.3.2 dag-factory==1.1.0 time-machine==3.6.0 psycopg2-binary==2.9.13 asyncpg==0.32.0"
for one in amazon==9.39.0 apache-cassandra==3.10.1 apache-kafka==2.1.0 apache-spark==6.3.4 http==6.3.0 postgres==7.1.1 \
  slack==9.11.1 smtp==3.2.0 sqlite==4.3.4; do
  want="$want apache-airflow-providers-$one"
done
if [ "$(cat "$home/done" 2>/dev/null || true)" != "$want" ]; then
  python3 -m venv "$home/venv"
  # shellcheck disable=SC2086
  "$home/venv/bin/pip" install -q $want >&2
  printf '%s\n' "$want" > "$home/done"
  rm -f "$home/provider"
fi
own=$here/../../python/tailrace_provider
now=$(find "$own" -name '*.py' -o -name pyproject.toml | sort | xargs cat | cksum)
if [ "$(cat "$home/provider" 2>/dev/null || true)" != "$now" ]; then
  # From a copy: building leaves files beside what it builds.
  rm -rf "$home/source" && cp -r "$own" "$home/source"
  "$home/venv/bin/pip" install -q --no-deps --force-reinstall "$home/source" >&2
  printf '%s\n' "$now" > "$home/provider"
fi
printf "TAILRACE_AIRFLOW_PYTHON='%s'\n" "$home/venv/bin/python"
