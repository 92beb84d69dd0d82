#!/bin/sh
# Finds the newest PostgreSQL server of this machine (Debian keeps it out of PATH). Prints a line to be evaluated by a
# shell: TAILRACE_POSTGRES_BIN=…
set -eu
bin=$(find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/postgres' 2>/dev/null | sort -V | tail -1)
[ -n "$bin" ] || bin=$(command -v postgres) || { echo "no PostgreSQL server is installed" >&2; exit 1; }
printf "TAILRACE_POSTGRES_BIN='%s'\n" "$(dirname "$bin")"
