#!/usr/bin/env bash
# Installs what building and testing need on Debian or Ubuntu, and nothing that is already there.
# Without root it says what to install and stops.
set -euo pipefail

packages=()
need() { # need COMMAND PACKAGE
    command -v "$1" >/dev/null || packages+=("$2")
}
need cc gcc
need g++ g++
need make make
need pkg-config pkg-config
# The Kafka client's encryption.
[ -e /usr/include/openssl/ssl.h ] || packages+=(libssl-dev)
if ! command -v cargo >/dev/null; then packages+=(rustup); fi

# Fonts that the synthetic documents are set in; a line of datasets/fonts.txt is "package # what it gives".
if [ -f datasets/fonts.txt ] && command -v dpkg-query >/dev/null; then
    while read -r package _; do
        case "$package" in "" | "#"*) continue ;; esac
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "install ok installed" || packages+=("$package")
    done <datasets/fonts.txt
fi

if [ ${#packages[@]} -gt 0 ]; then
    if ! command -v apt-get >/dev/null; then
        echo "This is no Debian or Ubuntu: please install what corresponds to: ${packages[*]}" >&2
        exit 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        echo "Please install first (needs root):  apt-get install ${packages[*]}" >&2
        exit 1
    fi
    apt-get update -qq
    if [[ " ${packages[*]} " == *" rustup "* ]] && ! apt-cache show rustup >/dev/null 2>&1; then
        echo "This release has no package rustup: please install Rust from https://rustup.rs first." >&2
        exit 1
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

# Debian's rustup brings no toolchain of its own.
if ! cargo --version >/dev/null 2>&1; then rustup default stable; fi

required=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
have=$(cargo --version | cut -d' ' -f2)
if [ "$(printf '%s\n%s\n' "$required" "$have" | sort -V | head -n1)" != "$required" ]; then
    echo "Rust $required or newer is needed, this is $have: run 'rustup update stable'." >&2
    exit 1
fi
