/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All options: what each is called, takes and means. */
#include "options-table.h"

const VhOption *vh_option_nth(unsigned n)
{
    static const VhOption *const tables[] = {
        vh_options_common,  vh_options_snapshot, vh_options_top,
        vh_options_filter,  vh_options_access,   vh_options_report,
        vh_options_record,  vh_options_grant,    vh_options_schemes,
        vh_options_libvirt, vh_options_tune,     vh_options_wss,
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(tables); i++) {
        const VhOption *o = tables[i];

        while (n && o->name) {
            n--;
            o++;
        }
        if (o->name) {
            return o;
        }
    }
    return NULL;
}

const VhOption *vh_option_of(const VhOption *option, const char *verb)
{
    const VhOption *o, *found = option;

    for (unsigned i = 0; (o = vh_option_nth(i)); i++) {
        if (g_str_equal(o->name, option->name) &&
            (!o->of || !g_strcmp0(o->of, verb))) {
            found = o;
            if (o->of) {
                break;
            }
        }
    }
    return found;
}

const char *vh_option_take(const VhOption *option, VhOptions *o,
                           const char *arg)
{
    if (option->take) {
        return option->take(o, arg);
    }
    *(bool *)((char *)o + option->flag) = true;
    return NULL;
}

bool vh_take_count(const char *arg, uint64_t min, uint64_t max, uint64_t *out)
{
    guint64 v;

    if (!g_ascii_string_to_unsigned(arg, 10, min, max, &v, NULL)) {
        return false;
    }
    *out = v;
    return true;
}
