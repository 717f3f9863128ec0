#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the pages and makes a C file of them. Called by Meson:
#   web-assets.sh SOURCE_ROOT BUILD_DIR OUT.c DEPFILE TARGET
# Installs the locked npm packages first when they are missing or older than the lock file.
set -eu
root=$1 build=$2 out=$(realpath -m "$3") depfile=$(realpath -m "$4") target=$5

for tool in node npm; do
  command -v "$tool" >/dev/null 2>&1 || {
    echo "web: $tool is needed to build the pages: apt-get install nodejs npm" >&2
    exit 1
  }
done

cd "$root/web"
# Two build folders may get here at the same time; the packages are installed once.
exec 9>"$root/web/.install.lock"
flock 9
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "web: installing the locked packages (npm ci)"
  npm ci --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
fi
flock -u 9

mkdir -p "$build"
# The depfile names the .c file's target, as ninja knows it.
node build.mjs --out "$build/web-dist" --depfile "$depfile" --target "$target"
node "$root/tools/web-embed.mjs" "$build/web-dist" "$out"
