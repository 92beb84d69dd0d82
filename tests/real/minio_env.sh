#!/bin/sh
# Builds MinIO into build/real/minio, once; needs a go command, and four minutes of a processor.
# Prints a line to be evaluated by a shell: TAILRACE_MINIO=…
set -eu
here=$(cd "$(dirname "$0")" && pwd)
home=${TAILRACE_REAL_DIR:-$here/../../build/real}/minio
mkdir -p "$home"
home=$(cd "$home" && pwd)
want=github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c
if [ "$(cat "$home/done" 2>/dev/null || true)" != "$want" ]; then
  GOBIN=$home GOFLAGS=-buildvcs=false go install "$want" >&2
  printf '%s\n' "$want" > "$home/done"
fi
printf "TAILRACE_MINIO='%s'\n" "$home/minio"
