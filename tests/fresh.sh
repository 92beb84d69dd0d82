#!/usr/bin/env bash
# A bare machine with only git and certificates, a fresh clone, `./dev up --check` twice: prints what each took. Needs root.
#   tests/fresh.sh [COMMAND…]    other commands, one a word, instead of those two ("./dev test")
#   FRESH_SUITE=noble FRESH_MIRROR=URL tests/fresh.sh    Ubuntu 24.04 instead of Debian 12
set -euo pipefail
repo=$(cd "$(dirname "$0")/.." && pwd)
root=$(mktemp -d "${TMPDIR:-/tmp}/fresh.XXXXXX")

clean() {
  umount -l "$root/proc" "$root/dev" 2>/dev/null || true
  if grep -q " $root/" /proc/mounts; then echo "still mounted: $root" >&2; else rm -rf "$root" "$root.log"; fi
}
trap clean EXIT

machine=("${FRESH_SUITE:-bookworm}" "$root") options=()
if [ -n "${FRESH_MIRROR:-}" ]; then  # Debian's debootstrap knows every Ubuntu by the script of its first one
  machine+=("$FRESH_MIRROR" /usr/share/debootstrap/scripts/gutsy)
  options=("--keyring=${FRESH_KEYRING:-/usr/share/keyrings/ubuntu-archive-keyring.gpg}")
fi
debootstrap --variant=minbase --include=git,ca-certificates "${options[@]}" "${machine[@]}" >"$root.log" 2>&1 ||
  { tail -20 "$root.log"; exit 1; }
if [ -n "${FRESH_MIRROR:-}" ]; then
  printf "deb $FRESH_MIRROR $FRESH_SUITE%s main universe\n" "" -updates >"$root/etc/apt/sources.list"
fi

# How this host reaches its packages: names, proxies, certificates, pip's and npm's settings. A link in there that points
# to an absolute path would lead out to the host's file, so it goes first.
carry() { [ ! -e "$1" ] || { mkdir -p "$root$(dirname "$1")"; rm -f "$root$1"; cp -L "$1" "$root$1"; }; }
for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt /usr/local/share/ca-certificates/*.crt \
  /etc/pip.conf /root/.npmrc /etc/apt/apt.conf.d/*prox*; do carry "$file"; done
keep=(HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
while IFS= read -r setting; do keep+=("$setting"); done < <(env | grep -iE \
  '^(https?_proxy|no_proxy|pip_cert|pip_index_url|ssl_cert_file|node_extra_ca_certs|curl_ca_bundle)=' || true)

mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --make-rslave "$root/dev"
git clone -q --no-hardlinks "$repo" "$root/tailrace"

[ $# -gt 0 ] || set -- "./dev up --check" "./dev up --check"
for command in "$@"; do
  TIMEFORMAT="$command: %R s by the clock, %U + %S s of processor"
  time chroot "$root" env -i "${keep[@]}" bash -c "cd /tailrace && $command"
done
