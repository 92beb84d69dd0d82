#!/bin/sh
# Builds MinIO, which speaks S3, into build/real/minio, once: the last release as a Go module; four minutes of a
# processor. Prints a line to be evaluated by a shell: TAILRACE_MINIO=…
set -eu
want=github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c
here=$(cd "$(dirname "$0")" && pwd)
home=${TAILRACE_REAL_DIR:-$here/../../build/real}/minio
mkdir -p "$home"
home=$(cd "$home" && pwd)
if [ "$(cat "$home/done" 2>/dev/null || true)" != "$want" ]; then
  command -v go >/dev/null || { echo "MinIO is built by Go 1.24 or newer, which is not here" >&2; exit 1; }
  GOBIN=$home GOFLAGS=-buildvcs=false go install "$want" >&2
  printf '%s\n' "$want" > "$home/done"
fi
printf "TAILRACE_MINIO='%s'\n" "$home/minio"
