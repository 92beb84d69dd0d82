#!/usr/bin/env bash
# A bare Debian 12 with only git and certificates, a fresh clone, `./dev up --check`: prints what it took. Needs root.
set -euo pipefail
repo=$(cd "$(dirname "$0")/.." && pwd)
root=$(mktemp -d "${TMPDIR:-/tmp}/fresh.XXXXXX")

clean() {
  umount -l "$root/proc" "$root/dev" 2>/dev/null || true
  if grep -q " $root/" /proc/mounts; then echo "still mounted: $root" >&2; else rm -rf "$root"; fi
}
trap clean EXIT

copy() { [ ! -e "$1" ] || { mkdir -p "$root$(dirname "$1")"; cp -rL "$1" "$root$(dirname "$1")/"; }; }

debootstrap --variant=minbase --include=git,ca-certificates bookworm "$root" >"$root.log" 2>&1 ||
  { tail -20 "$root.log"; exit 1; }
rm -f "$root.log"
# How this host reaches its packages: names, proxies, certificates, pip's and npm's settings.
for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs /etc/pip.conf /root/.npmrc; do copy "$file"; done
for file in /etc/apt/apt.conf.d/*prox*; do copy "$file"; done
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --make-rslave "$root/dev"
git clone -q --no-hardlinks "$repo" "$root/tailrace"

keep=(HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
while IFS= read -r setting; do keep+=("$setting"); done < <(env | grep -iE \
  '^(https?_proxy|no_proxy|pip_cert|pip_index_url|ssl_cert_(file|dir)|node_extra_ca_certs|curl_ca_bundle)=' || true)
start=$SECONDS
chroot "$root" env -i "${keep[@]}" bash -c 'cd /tailrace && ./dev up --check'
echo "fresh clone to served rows: $((SECONDS - start)) s"
start=$SECONDS
chroot "$root" env -i "${keep[@]}" bash -c 'cd /tailrace && ./dev up --check'
echo "the second time: $((SECONDS - start)) s"
