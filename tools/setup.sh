#!/usr/bin/env bash
# Create a virtual environment and install locked dependencies with plain pip:
# tools/setup.sh VENV LOCK...
# Package sources come from the machine's own pip configuration; the hashes in the locks
# decide what is accepted. All it says goes to standard error, and nobody has to read it.
set -euo pipefail
trap '' PIPE
exec 3>&2
venv=$1
shift
log=$venv.log

say() {
  printf '%s\n' "$@" >&3 2>/dev/null || :
}

fail() {
  say "$@"
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
    say "$(cat "$log")"
    fail "$python cannot create virtual environments." \
      "On Debian or Ubuntu: sudo apt-get install $package" \
      "Then run make again."
  fi
  say "Installing $package, which $python needs for virtual environments."
  {
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy "$package"
  } >"$log" 2>&1 || fail "$(cat "$log")" "Could not install $package."
}

python=$(find_python)
create_venv || { install_venv_package; create_venv; } || fail "$(cat "$log")"

say "Installing the locked dependencies into $venv (a minute or two, once)."
export PIP_DISABLE_PIP_VERSION_CHECK=1
locks=()
for lock in "$@"; do locks+=(-r "$lock"); done
"$venv/bin/python" -m pip install --require-hashes --no-deps "${locks[@]}" \
  >"$log" 2>&1 || fail "$(tail -n 30 "$log")" "Set-up failed; the whole output is in $log."
rm -f "$log"
say "Ready: $("$venv/bin/python" --version) in $venv."
