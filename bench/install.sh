#!/usr/bin/env bash
# Installs the peers into an environment of the bench's own: install.sh FOLDER. A peer that can't be installed is told in the table.
set -euo pipefail
environment=$1
requirements=$(dirname "$0")/requirements.txt

packages=()
command -v tesseract >/dev/null || packages+=(tesseract-ocr)
python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)
if [ ${#packages[@]} -gt 0 ]; then
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
    else
        echo "bench: please install what corresponds to: ${packages[*]} (needs root)" >&2
    fi
fi

# The copy of the requirements says that all of them are installed.
if ! cmp -s "$requirements" "$environment/requirements.txt"; then
    python3 -m venv "$environment"
    complete=yes
    # One by one: a package that this machine can't have costs its peer, not the bench.
    while read -r package; do
        "$environment/bin/pip" install --quiet --disable-pip-version-check --constraint "$requirements" "$package" || complete=
    done < <(grep -v '^#' "$requirements")
    if [ -n "$complete" ]; then cp "$requirements" "$environment/requirements.txt"; fi
fi
