#!/usr/bin/env bash
# Install Debian packages that tests or examples need, if they are not there yet:
#
#     bash scripts/apt.sh flite pocketsphinx-testdata
#
# Without root and without password-free sudo, or without a reachable mirror, it says which
# packages are missing and ends with 1.
set -euo pipefail
missing=()
for package in "$@"; do
  dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

fail() {
  echo "Debian packages are missing and could not be installed here: ${missing[*]}" >&2
  echo "Install them with: sudo apt-get install ${missing[*]}" >&2
  exit 1
}
command -v apt-get >/dev/null || fail
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  sudo -n true 2>/dev/null || fail
  as_root=(sudo -n)
fi
export DEBIAN_FRONTEND=noninteractive
install() { "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1; }
install || { "${as_root[@]}" apt-get update -qq >/dev/null 2>&1 || true; install; } || fail
