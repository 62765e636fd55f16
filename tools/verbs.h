/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which verb words name: for parsing, help, completion and suggestions. */
#ifndef VMHEAT_TOOLS_VERBS_H
#define VMHEAT_TOOLS_VERBS_H

#include "options-table.h"

/**
 * vh_has_word() - is it one of the words of a list?
 * @list: with blanks between them
 * @name: a word
 */
bool vh_has_word(const char *list, const char *name);

/**
 * vh_verb_in_group() - is it a verb of two words, the first of which is this?
 * @verb: the verb
 * @group: the first word
 */
bool vh_verb_in_group(const VhVerb *verb, const char *group);

/**
 * vh_verb_is_group() - does a verb of two words begin with this one?
 * @verbs: what there is
 * @name: the word
 */
bool vh_verb_is_group(const VhVerb *verbs, const char *name);

/**
 * vh_verb_takes_domain() - may the name of a domain follow?
 * @verb: the verb
 */
bool vh_verb_takes_domain(const VhVerb *verb);

/**
 * vh_verb_takes_option() - does it take this option, and tell so?
 * @verb: the verb; NULL: any
 * @option: the option
 */
bool vh_verb_takes_option(const VhVerb *verb, const VhOption *option);

/**
 * vh_verb_take() - the verb that words begin with
 * @verbs: what there is
 * @words: of two words rather than of one
 * @nr: how many there are
 * @taken: set to how many of them are the verb
 *
 * Returns: the verb, or NULL.
 */
const VhVerb *vh_verb_take(const VhVerb *verbs, char **words, int nr,
                           int *taken);

/**
 * vh_verb_words() - the words of a command line that are no options
 * @argv: the command line, without the command
 * @nr: how many there are
 *
 * Returns: array of those of @argv that are neither an option nor the argument
 * of one; free with g_ptr_array_unref().
 */
GPtrArray *vh_verb_words(char **argv, int nr);

/**
 * vh_verb_option() - the option that a word is
 * @word: such as "-s", "--socket" or "--socket=PATH"
 *
 * Returns: the option, or NULL when there is none of exactly this name.
 */
const VhOption *vh_verb_option(const char *word);

/**
 * vh_verb_unknown() - what to say of an unknown verb
 * @verbs: what there is
 * @words: as typed
 * @nr: how many there are, 1 at least
 *
 * Returns: a sentence, with what may have been meant; free with g_free().
 */
char *vh_verb_unknown(const VhVerb *verbs, char **words, int nr);

/**
 * vh_option_unknown() - what to say of a long option that getopt refused
 * @verb: whose option; NULL: any verb's
 * @word: as typed; unknown, or the begin of several, maybe not all of which
 *        @verb takes
 *
 * Returns: a sentence, with what may have been meant; free with g_free().
 */
char *vh_option_unknown(const VhVerb *verb, const char *word);

/**
 * vh_help_verb() - print help of a verb
 * @verb: the verb
 *
 * Returns: the exit code.
 */
int vh_help_verb(const VhVerb *verb);

/**
 * vh_help_verbs() - print all verbs, or some
 * @verbs: what there is
 * @group: only those that begin with this word; NULL: all
 *
 * Returns: the exit code.
 */
int vh_help_verbs(const VhVerb *verbs, const char *group);

/**
 * vh_complete() - print what can come next, for the completion of a shell
 * @verbs: what there is
 * @argv: the command line, without the command; the last word is being typed
 * @nr: how many there are
 *
 * Returns: the exit code.
 */
int vh_complete(const VhVerb *verbs, char **argv, int nr);

#endif
