#!/usr/bin/env bash
# Create the virtual environment and install the locked dependencies with plain pip.
# Package sources come from the machine's own pip configuration; the hashes in the lock
# decide what is accepted.
set -euo pipefail
venv=$1
log=$venv.log

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

find_python() {
  local name
  for name in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  fail "Rekindle needs Python 3.11 or newer, and none was found." \
    "On Debian or Ubuntu: sudo apt-get install python3 python3-venv" \
    "Or name one: make setup PYTHON=/path/to/python3.12"
}

create_venv() {
  rm -rf "$venv"
  "$python" -m venv "$venv" >"$log" 2>&1
}

# Debian and Ubuntu ship python3 without venv; the package is named after the version.
install_venv_package() {
  local package
  package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    cat "$log" >&2
    fail "$python cannot create virtual environments." \
      "On Debian or Ubuntu: sudo apt-get install $package" \
      "Then run make again."
  fi
  echo "Installing $package, which $python needs for virtual environments."
  {
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy "$package"
  } >"$log" 2>&1 || { cat "$log" >&2; fail "Could not install $package."; }
}

python=$(find_python)
create_venv || { install_venv_package; create_venv; } || { cat "$log" >&2; exit 1; }

echo "Installing the locked dependencies into $venv (a minute or two, once)."
export PIP_DISABLE_PIP_VERSION_CHECK=1
"$venv/bin/python" -m pip install --require-hashes --no-deps -r requirements/dev.lock \
  >"$log" 2>&1 || { tail -n 30 "$log" >&2; fail "Set-up failed; the whole output is in $log."; }
rm -f "$log"
echo "Ready: $("$venv/bin/python" --version) in $venv."
