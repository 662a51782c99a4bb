#!/usr/bin/env bash
# Checks the programs that set-up, build and tests need. As root on Debian it installs what is missing; otherwise it
# prints the exact line to run. `system.sh run` is for building and serving, `system.sh test` adds what tests need.
set -euo pipefail
what=${1:-run}

if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then
  echo "set-up: imgen builds on Linux x86_64 only (libtorch is fetched for it); this is $(uname -s) $(uname -m)" >&2
  exit 1
fi
if ! command -v cargo >/dev/null; then
  echo "set-up: no cargo; install Rust 1.95 or newer with rustup (rust-lang.org/tools/install) and run this again" >&2
  exit 1
fi
rust=$(rustc --version | cut -d' ' -f2)
if [ "$(printf '1.95.0\n%s\n' "$rust" | sort -V | head -n 1)" != 1.95.0 ]; then
  echo "set-up: Rust $rust is too old; run: rustup update stable (1.95 or newer is needed)" >&2
  exit 1
fi

missing=()
need() { command -v "$1" >/dev/null || missing+=("$2"); }
need g++ g++
need strip binutils
need python3 python3
if command -v python3 >/dev/null && ! python3 -m pip --version >/dev/null 2>&1; then missing+=(python3-pip); fi
need curl curl
# For the AV1 encoders: rav1e's assembly, and libaom's build.
need nasm nasm
need cmake cmake
if [ "$what" = test ]; then
  need node nodejs
  need openssl openssl
fi

install() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "set-up: installing ${missing[*]}"
    install "${missing[@]}"
  else
    echo "set-up: missing programs; run this line, then make again:" >&2
    echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
fi

# For the PHP example of the tests only; where it is not there, that test says aloud that it was left out.
if [ "$what" = test ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null \
  && ! php -m 2>/dev/null | grep -x curl >/dev/null; then
  echo "set-up: installing php-cli php-curl"
  install php-cli php-curl || echo "set-up: no PHP; its client test will be left out" >&2
fi
