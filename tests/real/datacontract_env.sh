#!/bin/sh
# Installs datacontract-cli, which tests data contracts against tables, into build/real/datacontract, once (700 MB).
# Prints a line to be evaluated by a shell: TAILRACE_DATACONTRACT=…, its Python.
set -eu
version=1.2.8
here=$(cd "$(dirname "$0")" && pwd)
home=${TAILRACE_REAL_DIR:-$here/../../build/real}/datacontract
mkdir -p "$home"
home=$(cd "$home" && pwd)
if [ "$(cat "$home/done" 2>/dev/null || true)" != "$version" ]; then
  rm -rf "$home/venv"
  python3 -m venv "$home/venv"
  "$home/venv/bin/pip" install -q "datacontract-cli[duckdb,parquet]==$version" >&2
  printf '%s\n' "$version" > "$home/done"
fi
printf "TAILRACE_DATACONTRACT='%s'\n" "$home/venv/bin/python"
