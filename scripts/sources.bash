# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For scripts to source: the sources, to be built somewhere else.

# pack_sources ROOT: a tar of the work tree ROOT as it is, without what git ignores
pack_sources() {
    local f
    cd "$1" || return
    git -c safe.directory="$1" ls-files -z --cached --others --exclude-standard |
        while IFS= read -r -d '' f; do
            [ ! -e "$f" ] || printf '%s\0' "$f"
        done | tar --null -T - -cf -
}
