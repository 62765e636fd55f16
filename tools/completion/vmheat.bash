# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Completion of vmheat in bash. The command itself tells what can come next
# ("vmheat --complete", tools/complete.c); here is only what bash knows better:
# how it splits lines, and files. To use it without installing it:
#   source tools/completion/vmheat.bash

# What stands before the cursor, without the command, in the array "words". Bash
# splits at : and =, which belong to options and URIs.
_vmheat_words() {
    local i word glue=false

    words=()
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ ${#words[@]} -gt 0 ]] &&
            { $glue || [[ $word =~ ^[:=]+$ ]]; }; then
            words[${#words[@]} - 1]+=$word
            [[ $word =~ ^[:=]+$ ]] && glue=true || glue=false
        else
            words+=("$word")
        fi
    done
}

# Adds files, of the kind told, that begin with $2.
_vmheat_files() {
    local path
    local -a paths

    compopt -o filenames 2> /dev/null
    mapfile -t paths < <(compgen -f -- "$2")
    for path in "${paths[@]}"; do
        if [[ $1 = :files || -d $path || $1 = :sockets && -S $path ]]; then
            COMPREPLY+=("$path")
        fi
    done
}

# Adds domains of libvirt that begin with $2; $1: ":domains URI".
_vmheat_domains() {
    local domain uri=${1#:domains}
    local -a from=()

    command -v virsh > /dev/null || return 0
    [[ $uri ]] && from=(-c "${uri# }")
    while IFS= read -r domain; do
        if [[ $domain && $domain = "$2"* ]]; then
            COMPREPLY+=("$(printf '%q' "$domain")")
        fi
    done < <(timeout 2 virsh -q "${from[@]}" list --name 2> /dev/null)
}

_vmheat() {
    local command=${1/#\~\//$HOME/} line value before i
    local -a words lines

    COMPREPLY=()
    _vmheat_words
    value=${words[-1]}
    [[ $value = --*=* ]] && value=${value#*=}
    mapfile -t lines < <("$command" --complete "${words[@]}" 2> /dev/null)
    for line in "${lines[@]}"; do
        case $line in
        :domains*) _vmheat_domains "$line" "$value" ;;
        :*) _vmheat_files "$line" "$value" ;;
        *) COMPREPLY+=("$line") ;;
        esac
    done
    # bash replaces what is behind the last : or =, or all of the word
    before=
    if [[ ${words[-1]} = --*=* && $COMP_WORDBREAKS != *=* ]]; then
        before=${words[-1]%%=*}=
    fi
    [[ $value = *:* && $COMP_WORDBREAKS = *:* ]] || value=
    for i in "${!COMPREPLY[@]}"; do
        line=${COMPREPLY[i]}
        [[ $value ]] && line=${line#"${value%"${value##*:}"}"}
        COMPREPLY[i]=$before$line
    done
}

complete -F _vmheat vmheat
