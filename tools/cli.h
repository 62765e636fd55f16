/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_CLI_H
#define VMHEAT_TOOLS_CLI_H

#include <sys/types.h>

#include "client/client.h"
#include "exit-codes.h"
#include "fleet.h"
#include "page.h"
#include "recipes.h"
#include "report/access-view.h"
#include "report/filter.h"
#include "table.h"

/* Of which snapshots of a record a report is. */
typedef enum VhWhich {
    VH_WHICH_DEFAULT, /* all of the time asked for, or the last one */
    VH_WHICH_LAST,
    VH_WHICH_ALL,
    VH_WHICH_NUMBER,
} VhWhich;
#define VH_PERCENTILES_MAX 32
#define VH_WITHIN_MAX 6

/* What the command line says. */
typedef struct VhOptions {
    /* the virtual machine: one of both, or none; see vh_cli_target() */
    const char *socket;
    const char *domain;
    const char *uri; /* NULL: libvirt's default */
    bool json;
    VhColor color;
    int64_t timeout_us;
    /* snapshot; UINT64_MAX: not given */
    uint64_t start, end, min_nr_accesses, limit;
    VhSort sort;
    VhFilter filter; /* without what is above; see vh_cli_filter() */
    /* snapshot, report access */
    VhAccessStyle style;
    bool raw, reverse;
    VhWeights weights;
    VhWhich which;
    uint64_t number; /* of the snapshot that is asked for */
    /* report; NULL, UINT64_MAX: not given; us since the record begins */
    const char *input, *output;
    uint64_t from_us, to_us;
    bool ranged; /* one of these was given */
    /* record; 0, NULL: not given */
    int64_t duration_us, interval_us;
    const char *format;
    bool append, force, quiet;
    /* report wss, report times; nr 0: not given */
    double percentiles[VH_PERCENTILES_MAX];
    uint64_t within[VH_WITHIN_MAX];
    unsigned nr_percentiles, nr_within;
    uint64_t min_size;
    bool plot;
    /* report heatmap; 0: as large as it should be */
    unsigned width, height;
    /* top; iterations 0: without end */
    bool all;
    const char *sockets; /* NULL: libvirt's domains */
    VhFleetSort by;
    int64_t delay_us;
    uint64_t iterations;
    /* doctor; NULL: where they are installed or built */
    const char *programs;
    /* grant; pid 0: find out */
    pid_t pid;
    bool damon, no_idle_page, revoke, background;
    unsigned damon_cpu;
    /* schemes; NULL: not given */
    VhRecipes *recipes;
    char *problem; /* what is wrong with one of them; owned */
    const char *set_file;
    /* libvirt; NULL: not given */
    GPtrArray *properties; /* "NAME=VALUE" each; owned */
    const char *schemes_file, *plugin;
    bool yes;
    /* schemes, libvirt */
    bool add, dry_run, clear, export_list, actions, tried;
    /* tune; UINT64_MAX: not given */
    VhAttrsInfo attrs;
    /* for tests */
    const char *page_idle, *damon_root, *damon_owner;
} VhOptions;

/**
 * enum VhTarget - what a verb works on
 * @VH_TARGET_VM: a virtual machine, by a socket or as a domain of libvirt
 * @VH_TARGET_MAYBE_VM: the same, but it may be missing
 * @VH_TARGET_DOMAIN: a domain of libvirt
 * @VH_TARGET_NONE: nothing of these
 */
typedef enum VhTarget {
    VH_TARGET_VM,
    VH_TARGET_MAYBE_VM,
    VH_TARGET_DOMAIN,
    VH_TARGET_NONE,
} VhTarget;

/**
 * struct VhVerb - a subcommand
 * @name: as typed, of one word or two
 * @summary: a line of help
 * @options: names of the options it takes, blanks between them; with "connect"
 *           it takes a DOMAIN
 * @target: what it works on
 * @run: does it; returns the exit code
 * @examples: lines of help, each a command line
 */
typedef struct VhVerb {
    const char *name;
    const char *summary;
    const char *options;
    VhTarget target;
    int (*run)(const VhOptions *options, const VhTerm *term);
    const char *examples;
} VhVerb;

/**
 * vh_options_init() - options as they are when none is given
 * @options: the options; vh_options_clear() them
 */
void vh_options_init(VhOptions *options);

/**
 * vh_options_parse() - read the command line
 * @verbs: what there is; ends with a NULL name
 * @argc: as in main()
 * @argv: as in main()
 * @options: filled in
 * @exit_code: set when NULL is returned
 *
 * Returns: the verb to run, or NULL when all is done (help, an error).
 */
const VhVerb *vh_options_parse(const VhVerb *verbs, int argc, char **argv,
                               VhOptions *options, int *exit_code);

/**
 * vh_options_clear() - free what the options hold
 * @options: the options
 */
void vh_options_clear(VhOptions *options);

/**
 * vh_cli_target() - the virtual machine the options name
 * @options: the options
 *
 * Returns: a socket or a domain, to be shown; NULL: none.
 */
const char *vh_cli_target(const VhOptions *options);

/**
 * vh_cli_is_live() - is a report of a virtual machine, not of a record?
 * @options: the options
 */
bool vh_cli_is_live(const VhOptions *options);

/**
 * vh_cli_filter() - which regions the options ask for
 * @options: start, end, min_nr_accesses, filter
 */
VhFilter vh_cli_filter(const VhOptions *options);

/**
 * vh_cli_open() - connect as the options say
 * @options: the options
 * @error: reason of failure
 *
 * Returns: a client, or NULL.
 */
VhClient *vh_cli_open(const VhOptions *options, GError **error);

/**
 * vh_cli_fail() - tell the user what went wrong
 * @error: the error
 *
 * Returns: the exit code for it.
 */
int vh_cli_fail(const GError *error);

/**
 * vh_cli_complain() - write a sentence to standard error
 * @sentence: may come from anywhere
 */
void vh_cli_complain(const char *sentence);

/**
 * vh_cli_is_for_files() - can a record be written, or replace what is there?
 * @path: as typed
 * @error: why not
 *
 * Not to "-" and not to a device, pipe, socket or folder: replacing one would
 * take it from the whole host.
 */
bool vh_cli_is_for_files(const char *path, GError **error);

/**
 * vh_cli_may_replace() - may a file be written anew?
 * @path: the file; none is fine
 * @force: also when it is there; but not what a recorder writes, nor what is
 * not vh_cli_is_for_files()
 * @error: why not
 */
bool vh_cli_may_replace(const char *path, bool force, GError **error);

/**
 * vh_cli_may_draw() - may the picture of a report be written?
 * @options: output, which is for vh_image_check(), or NULL; force
 * @error: why not: as of vh_cli_may_replace()
 */
bool vh_cli_may_draw(const VhOptions *options, GError **error);

/**
 * vh_cli_make_room() - see to it that a file is not there
 * @path: the file
 * @force: remove it when it is, and vh_cli_may_replace() says so
 * @error: it is there, or cannot be removed
 */
bool vh_cli_make_room(const char *path, bool force, GError **error);

/**
 * vh_cli_print() - write text to standard output
 * @text: the text
 *
 * Returns: the exit code.
 */
int vh_cli_print(const char *text);

/**
 * vh_cli_print_page() - write a page to standard output
 * @page: the page
 *
 * Returns: the exit code.
 */
int vh_cli_print_page(const VhPage *page);

/**
 * vh_cli_print_json() - write a reply to standard output, for people
 * @node: the reply
 *
 * Returns: the exit code.
 */
int vh_cli_print_json(JsonNode *node);

/**
 * vh_cmd_status() - the "status" verb
 * @options: the options
 * @term: what standard output can show
 *
 * Returns: the exit code.
 */
int vh_cmd_status(const VhOptions *options, const VhTerm *term);

/**
 * vh_cmd_snapshot() - the "snapshot" verb
 * @options: the options
 * @term: what standard output can show
 *
 * Returns: the exit code.
 */
int vh_cmd_snapshot(const VhOptions *options, const VhTerm *term);

/**
 * vh_cmd_record() - the "record" verb
 * @options: the options
 * @term: what standard output can show
 *
 * Returns: the exit code.
 */
int vh_cmd_record(const VhOptions *options, const VhTerm *term);

/**
 * vh_cmd_convert() - the "convert" verb
 * @options: the options
 * @term: what standard output can show
 *
 * Returns: the exit code.
 */
int vh_cmd_convert(const VhOptions *options, const VhTerm *term);

/**
 * vh_cmd_report_access() - the "report access" verb
 * @options: the options
 * @term: what standard output can show
 *
 * Returns: the exit code.
 */
int vh_cmd_report_access(const VhOptions *options, const VhTerm *term);

/**
 * vh_cmd_top() - the "top" verb
 * @options: the options
 * @term: what standard output can show
 *
 * Returns: the exit code.
 */
int vh_cmd_top(const VhOptions *options, const VhTerm *term);

/**
 * vh_cmd_top_all() - the "top" verb with --all
 * @options: the options
 * @term: what standard output can show
 *
 * Returns: the exit code.
 */
int vh_cmd_top_all(const VhOptions *options, const VhTerm *term);

/**
 * vh_cmd_pause() - the "pause" verb
 * @options: the options
 * @term: what standard output can show
 *
 * Returns: the exit code.
 */
int vh_cmd_pause(const VhOptions *options, const VhTerm *term);

/**
 * vh_cmd_resume() - the "resume" verb
 * @options: the options
 * @term: what standard output can show
 *
 * Returns: the exit code.
 */
int vh_cmd_resume(const VhOptions *options, const VhTerm *term);

/**
 * vh_cmd_doctor() - the "doctor" verb
 * @options: the options
 * @term: what standard output can show
 *
 * Returns: the exit code.
 */
int vh_cmd_doctor(const VhOptions *options, const VhTerm *term);

/**
 * vh_cmd_grant() - the "grant" verb
 * @options: the options
 * @term: what standard output can show
 *
 * Returns: the exit code.
 */
int vh_cmd_grant(const VhOptions *options, const VhTerm *term);

/**
 * vh_cmd_schemes() - the "schemes" verb
 * @options: the options
 * @term: what standard output can show
 *
 * Returns: the exit code.
 */
int vh_cmd_schemes(const VhOptions *options, const VhTerm *term);

/**
 * vh_cmd_tune() - the "tune" verb
 * @options: the options
 * @term: what standard output can show
 *
 * Returns: the exit code.
 */
int vh_cmd_tune(const VhOptions *options, const VhTerm *term);

/**
 * vh_cmd_report_heatmap() - the "report heatmap" verb
 * @options: the options
 * @term: what standard output can show
 *
 * Returns: the exit code.
 */
int vh_cmd_report_heatmap(const VhOptions *options, const VhTerm *term);

/**
 * vh_cmd_report_wss() - the "report wss" verb
 * @options: the options
 * @term: what standard output can show
 *
 * Returns: the exit code.
 */
int vh_cmd_report_wss(const VhOptions *options, const VhTerm *term);

/**
 * vh_cmd_report_times() - the "report times" verb
 * @options: the options
 * @term: what standard output can show
 *
 * Returns: the exit code.
 */
int vh_cmd_report_times(const VhOptions *options, const VhTerm *term);

/**
 * vh_cmd_report_profile() - the "report profile" verb
 * @options: the options
 * @term: what standard output can show
 *
 * Returns: the exit code.
 */
int vh_cmd_report_profile(const VhOptions *options, const VhTerm *term);

/**
 * vh_cmd_report_schemes() - the "report schemes" verb
 * @options: the options
 * @term: what standard output can show
 *
 * Returns: the exit code.
 */
int vh_cmd_report_schemes(const VhOptions *options, const VhTerm *term);

/**
 * vh_cmd_libvirt_enable() - the "libvirt enable" verb
 * @options: the options
 * @term: what standard output can show
 *
 * Returns: the exit code.
 */
int vh_cmd_libvirt_enable(const VhOptions *options, const VhTerm *term);

/**
 * vh_cmd_libvirt_disable() - the "libvirt disable" verb
 * @options: the options
 * @term: what standard output can show
 *
 * Returns: the exit code.
 */
int vh_cmd_libvirt_disable(const VhOptions *options, const VhTerm *term);

/**
 * vh_cmd_libvirt_show() - the "libvirt show" verb
 * @options: the options
 * @term: what standard output can show
 *
 * Returns: the exit code.
 */
int vh_cmd_libvirt_show(const VhOptions *options, const VhTerm *term);

#endif
