#!/usr/bin/env bash
# Makes a Debian package and a folder as .tar.gz of an installed tree: tools/package.sh TREE OUT VERSION
# TREE is what `cmake --install` wrote: bin, lib, share, examples, LICENSE. Needs dpkg-deb, strip, tar; no root.
set -euo pipefail
tree=$1 out=$2 version=$3
# Who makes a package for others says so, as for Debian's own tools.
maintainer="${DEBFULLNAME:-Tailrace} <${DEBEMAIL:-tailrace@users.noreply.github.com}>"
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"
architecture=$(dpkg --print-architecture)
epoch=${SOURCE_DATE_EPOCH:-$(git -C "$here" log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH=$epoch

# The newest glibc that anything in there asks for.
glibc_of() {
  find "$1" -type f \( -name '*.so*' -o -path '*/bin/*' \) -exec objdump -T {} + 2>/dev/null |
    grep -o 'GLIBC_2\.[0-9]*' | sed 's/GLIBC_//' | sort -Vu | tail -1
}

# Files for their owner to write and for all to read, times of the commit.
settle() {
  find "$1" -type d -exec chmod 0755 {} +
  find "$1" -type f -exec chmod 0644 {} +
  find "$1" -path '*/bin/*' -type f -exec chmod 0755 {} +
  find "$1" -path '*/DEBIAN/p*' -type f -exec chmod 0755 {} +
  find "$1" -exec touch -h -d "@$epoch" {} +
}

folder=$work/tailrace-$version
mkdir -p "$folder"
cp -a "$tree"/. "$folder"/
strip --strip-unneeded "$folder"/bin/tailrace
find "$folder/lib" -type f -name '*.so*' -exec chmod u+w {} + -exec strip --strip-unneeded {} +
cp "$here/README.md" "$folder/"
# Beside examples/, as in the sources: the compose files name what they mount from where they are.
mkdir -p "$folder/deploy"
for one in README.md Dockerfile airflow compose.yml compose.real.yml env.example grafana prometheus systemd tailrace.yml; do
  cp -r "$here/deploy/$one" "$folder/deploy/"
done
find "$folder/deploy" -name __pycache__ -prune -exec rm -rf {} +
settle "$folder"
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner -czf "$out/tailrace-$version-$architecture.tar.gz" "tailrace-$version"

deb=$work/deb
mkdir -p "$deb"/{DEBIAN,usr/bin,usr/lib/tailrace,usr/lib/sysusers.d,lib/systemd/system,etc/tailrace} \
  "$deb"/usr/share/{tailrace,doc/tailrace,lintian/overrides}
cp -a "$folder/bin" "$folder/lib" "$folder/share" "$deb/usr/lib/tailrace/"
ln -s ../lib/tailrace/bin/tailrace "$deb/usr/bin/tailrace"
cp -a "$folder/examples" "$folder/deploy" "$deb/usr/share/tailrace/"
cp "$here/deploy/systemd/tailrace.service" "$deb/lib/systemd/system/tailrace.service"
cp "$here/deploy/systemd/tailrace.sysusers" "$deb/usr/lib/sysusers.d/tailrace.conf"
cp "$here/deploy/systemd/tailrace.env" "$deb/etc/tailrace/tailrace.env"
cp "$here/README.md" "$deb/usr/share/doc/tailrace/README.md"
cp "$here/deploy/debian/copyright" "$deb/usr/share/doc/tailrace/copyright"
cp "$here/deploy/debian/lintian-overrides" "$deb/usr/share/lintian/overrides/tailrace"
printf 'tailrace (%s) stable; urgency=medium\n\n  * Release %s.\n\n -- %s  %s\n' \
  "$version" "$version" "$maintainer" "$(date -R -u -d "@$epoch")" | gzip -9n >"$deb/usr/share/doc/tailrace/changelog.gz"
echo /etc/tailrace/tailrace.env >"$deb/DEBIAN/conffiles"
cp "$here"/deploy/debian/{postinst,prerm,postrm} "$deb/DEBIAN/"
size=$(du -sk --exclude=DEBIAN "$deb" | cut -f1)
cat >"$deb/DEBIAN/control" <<CONTROL
Package: tailrace
Version: $version
Section: database
Priority: optional
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $size
Depends: libc6 (>= $(glibc_of "$folder")), ca-certificates, tzdata
Recommends: python3
Description: whole real-time data pipeline in one program
 Tailrace takes records in, keeps them in a log that speaks Kafka's protocol,
 runs a Spark Declarative Pipelines project over them incrementally, and holds
 every table as a Delta table and, where asked, as keyed rows for CQL's clients.
 .
 The package brings the libraries that it needs, a hardened systemd unit, an
 example, a Grafana dashboard and Prometheus rules.
CONTROL
settle "$deb"
(cd "$deb" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum) >"$deb/DEBIAN/md5sums"
chmod 0644 "$deb/DEBIAN/md5sums"
dpkg-deb --root-owner-group -Zxz --build "$deb" "$out/tailrace_${version}_$architecture.deb" >/dev/null
ls -l "$out"/tailrace[-_]"$version"*
