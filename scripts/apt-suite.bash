# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For scripts to source: packages of another suite of Debian than the host's.
#
# The host may be an older Debian. So apt is run with a state directory of its
# own that knows only that suite, at the mirror that the host's apt uses, and
# with signatures checked against debian-archive-keyring. Nothing is installed.
#
# apt_state: that directory; apt_options: more options, an array; apt_type:
# deb-src when it is about source packages
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
apt_state=
apt_type=deb
apt_options=()

# The mirror of Debian itself that the host's apt is set up with.
mirror() {
    # shellcheck disable=SC2016 # apt's variable, not the shell's
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
        'Origin: Debian' 'Label: Debian' 'Component: main' | head -n 1
}

# know_suite SUITE MIRROR [OPTION]: make the state, without package lists yet
know_suite() {
    mkdir -p "$apt_state/lists/partial" "$apt_state/archives/partial"
    echo "$apt_type [${3:+$3 }signed-by=$keyring] $2 $1 main" \
        > "$apt_state/sources.list"
}

# private TOOL ARGUMENTS: apt-get or apt-cache, with that state
private() {
    local tool=$1
    shift
    "$tool" -o Dir::State="$apt_state" -o Dir::State::status=/dev/null \
        -o Dir::Cache="$apt_state" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::sourcelist="$apt_state/sources.list" \
        -o Acquire::Languages=none -o APT::Sandbox::User="$(id -un)" \
        "${apt_options[@]}" "$@"
}
