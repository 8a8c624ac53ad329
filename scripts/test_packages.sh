#!/usr/bin/env bash
# Programs that tests drive and that pip cannot bring: a browser, a database server.
# Installs what is missing where apt-get and the rights for it are at hand, else says what to do.
set -euo pipefail
declare -A needed=(
  [chromium]=chromium
  [postgresql]='/usr/lib/postgresql/*/bin/initdb'
)
missing=()
for package in "${!needed[@]}"; do
  compgen -G "${needed[$package]}" >/dev/null || command -v "${needed[$package]}" >/dev/null || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
  echo "tests need the system packages: ${missing[*]}. Install them: apt-get install ${missing[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null
apt-get install -q -y --no-install-recommends "${missing[@]}" >/dev/null
