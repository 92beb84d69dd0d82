#!/bin/sh
# Fetches AWS Lambda's runtime emulator into build/real/lambda, once: it is in the wheel of aws-sam-cli, pinned by hash, of
# which nothing is installed. Prints a line to be evaluated by a shell: TAILRACE_LAMBDA_EMULATOR=…
set -eu
here=$(cd "$(dirname "$0")" && pwd)
home=${TAILRACE_REAL_DIR:-$here/../../build/real}/lambda
mkdir -p "$home"
home=$(cd "$home" && pwd)
want=$(cksum < "$here/lambda/wheel.txt")
if [ "$(cat "$home/done" 2>/dev/null || true)" != "$want" ]; then
  rm -rf "$home/wheel"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: \
    --dest "$home/wheel" -r "$here/lambda/wheel.txt" >&2
  unzip -q -o -j -d "$home" "$home"/wheel/aws_sam_cli-*.whl 'samcli/local/rapid/aws-lambda-rie-x86_64'
  chmod +x "$home/aws-lambda-rie-x86_64"
  rm -rf "$home/wheel"
  printf '%s\n' "$want" > "$home/done"
fi
printf "TAILRACE_LAMBDA_EMULATOR='%s'\n" "$home/aws-lambda-rie-x86_64"
