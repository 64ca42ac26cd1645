#!/usr/bin/env bash
# Makes the image `trainyard-test-python:1`, on which the tests build and run: sh, tar, coreutils, Python 3 and pytest.
#
# Tests must not depend on a public registry, and there may be none that can be reached. So nothing is pulled: the packages
# come from the apt sources of this Debian, are unpacked into a temporary folder, and are imported as one layer. apt is
# asked what a machine without any package would need, so the answer is whole whatever is installed here; nothing is
# installed on this machine and no package script runs, so this needs the right to use Docker and no other.
#
# It does nothing when the image is there; after `docker rmi trainyard-test-python:1` it makes it anew.
set -euo pipefail

image=trainyard-test-python:1
packages=(base-files coreutils dash findutils grep sed tar python3 python3-pytest)

exists() { docker image inspect "$image" >/dev/null 2>&1; }
exists && exit 0
docker version >/dev/null || { echo "no Docker Engine answers, so $image cannot be made" >&2; exit 1; }

# Tests of one program run side by side, and all want it at once: one makes it, the others wait and find it.
exec 9>"${TMPDIR:-/tmp}/trainyard-test-python.$(id -u).lock"
flock 9
exists && exit 0

work=$(mktemp -d)
container=
imported=
finish() {
  rm -rf "$work"
  [[ -z $container ]] || docker rm -f "$container" >/dev/null 2>&1 || true
  # Only a failure leaves it without children and without a name.
  [[ -z $imported ]] || docker rmi "$imported" >/dev/null 2>&1 || true
}
trap finish EXIT
mkdir -p "$work"/{archives,lists}/partial "$work/root"
# apt drops to the user _apt for downloads, who must come in here.
chmod 755 "$work"
: >"$work/status"

options=(
  -q -y -o Dir::State::status="$work/status" -o Dir::Cache::archives="$work/archives" -o APT::Install-Recommends=false
  -o Debug::NoLocking=true -o Dpkg::Use-Pty=0 -o Acquire::Retries=3
)
download() { apt-get "${options[@]}" "$@" --download-only install "${packages[@]}" >"$work/apt.log" 2>&1; }
# The package lists of this machine may be missing, or so old that the mirror has other versions by now. Fresh ones are
# kept beside the archives; a source that is no Debian mirror and cannot be reached does not matter.
if ! download; then
  fresh=(-o Dir::State::lists="$work/lists")
  apt-get "${options[@]}" "${fresh[@]}" update >"$work/update.log" 2>&1 || true
  if ! download "${fresh[@]}"; then
    cat "$work/update.log" "$work/apt.log" >&2
    echo "the packages of $image cannot be downloaded; is an apt mirror reachable?" >&2
    exit 1
  fi
fi

# Debian's packages still name /bin and /lib, which are links into /usr on every system that its installer made.
for folder in bin sbin lib lib64; do
  mkdir -p "$work/root/usr/$folder"
  ln -s "usr/$folder" "$work/root/$folder"
done
for package in "$work"/archives/*.deb; do
  # What only people read is half of the size.
  dpkg-deb --fsys-tarfile "$package" | tar -x -C "$work/root" --no-same-owner --keep-directory-symlink \
    --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' \
    --exclude='./usr/share/info/*' --exclude='./usr/share/lintian/*'
done
# What the scripts of the packages would have done, as far as it is needed.
[[ -e $work/root/bin/sh ]] || ln -s dash "$work/root/usr/bin/sh"
[[ -e $work/root/usr/bin/pytest ]] || ln -s pytest-3 "$work/root/usr/bin/pytest"
mkdir -p "$work/root/tmp" "$work/root/root" "$work/root/etc"
chmod 1777 "$work/root/tmp"
chmod 755 "$work/root"
printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'app:x:1000:1000:app:/tmp:/bin/sh' >"$work/root/etc/passwd"
printf '%s\n' 'root:x:0:' 'app:x:1000:' >"$work/root/etc/group"

environment='ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin LANG=C.UTF-8 PYTHONUNBUFFERED=1'
imported=$(tar -c -C "$work/root" --owner=0 --group=0 --numeric-owner . | docker import --change "$environment" -)
# It gets its name only once it was tried. What the trial compiled is kept: it halves the time until an app is up.
trial='set -e; tar --version >/dev/null; sleep 0; pytest --version
  python3 -c "import argparse, csv, http.client, http.server, json, logging, signal, ssl, tempfile, threading, urllib.request"'
container=$(docker create --network none "$imported" sh -c "$trial")
docker start --attach "$container" >"$work/trial.log" 2>&1 || { cat "$work/trial.log" >&2; exit 1; }
docker commit --change 'CMD ["python3"]' --message 'made by tests/support/python_image.sh' "$container" "$image" >/dev/null
imported=
