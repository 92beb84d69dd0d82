#!/bin/sh
# Makes build/real/airflow, a venv with Airflow 3.3.2 and dag-factory 1.1.0, once. Prints a line to be evaluated by a
# shell: TAILRACE_AIRFLOW_PYTHON=…
set -eu
here=$(cd "$(dirname "$0")" && pwd)
home=${TAILRACE_REAL_DIR:-$here/../../build/real}/airflow
mkdir -p "$home"
home=$(cd "$home" && pwd)
want="apache-airflow==3.3.2 dag-factory==1.1.0 time-machine==3.6.0 psycopg2-binary==2.9.13 asyncpg==0.32.0"
if [ "$(cat "$home/done" 2>/dev/null || true)" != "$want" ]; then
  python3 -m venv "$home/venv"
  # shellcheck disable=SC2086
  "$home/venv/bin/pip" install -q $want >&2
  printf '%s\n' "$want" > "$home/done"
fi
printf "TAILRACE_AIRFLOW_PYTHON='%s'\n" "$home/venv/bin/python"
