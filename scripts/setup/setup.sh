#!/usr/bin/env bash
# All set-up, idempotent: `setup.sh run` for building and serving, `setup.sh test` for the tests as well.
# Fetched files go to .setup, .libtorch, .filters and .enhancer, which git ignores. With nothing to do it takes a fraction of a second.
set -euo pipefail
what=${1:-run}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
"$here/system.sh" "$what"

# stamp SECTION: changes with the section's lines of the lock file and with the script that unpacks it.
stamp() { { sed -n "/^\[$1\]/,/^\[/p" "$here/downloads.lock"; cat "$here/unpack.py"; } | sha256sum | cut -c1-16; }
# bring SECTION DEST: unless DEST was made by these scripts from these lines, makes it anew.
bring() {
  local section=$1 dest=$2
  if [ "$(cat "$dest/.stamp" 2>/dev/null)" = "$(stamp "$section")" ]; then return; fi
  echo "set-up: fetching $section"
  python3 "$here/fetch.py" "$section" "$top/.setup/$section"
  python3 "$here/unpack.py" "$section" "$top/.setup/$section" "$dest"
  stamp "$section" > "$dest/.stamp"
  rm -rf "$top/.setup/$section"
  echo "set-up: $section is ready ($(du -sh "$dest" | cut -f1))"
}
if [ -n "${LIBTORCH:-}" ]; then
  echo "set-up: LIBTORCH is set; using $LIBTORCH"
else
  bring libtorch "$top/.libtorch"
fi
bring filters "$top/.filters"
bring enhancer "$top/.enhancer"
if [ "$what" = test ]; then bring python "$top/.setup/site-packages"; fi
