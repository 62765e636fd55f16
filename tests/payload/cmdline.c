/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The payload's configuration and its error sentences. */
#include "cmdline.h"

/* A string that grows in a fixed buffer; what does not fit is cut off. */
typedef struct Text {
    char *to;
    size_t size;
    size_t used;
} Text;

static Text text(char *to, size_t size)
{
    Text t = { to, size, 0 };

    to[0] = 0;
    return t;
}

static void put_char(Text *t, char c)
{
    if (t->used + 1 < t->size) {
        t->to[t->used++] = c;
        t->to[t->used] = 0;
    }
}

static void put(Text *t, const char *s)
{
    while (*s) {
        put_char(t, *s++);
    }
}

static void put_number(Text *t, uint64_t n, unsigned int base)
{
    char digits[21];
    int used = 0;

    put(t, base == 16 ? "0x" : "");
    do {
        digits[used++] = "0123456789abcdef"[n % base];
        n /= base;
    } while (n);
    while (used) {
        put_char(t, digits[--used]);
    }
}

/* A part of the command line. */
typedef struct Word {
    const char *at;
    const char *end;
} Word;

static void put_word(Text *t, Word w)
{
    const char *most = w.at + 64;

    put_char(t, '"');
    while (w.at < w.end && w.at < most) {
        put_char(t, *w.at++);
    }
    put(t, w.at < w.end ? "...\"" : "\"");
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static Word next_word(const char **at)
{
    Word w;

    while (is_blank(**at)) {
        ++*at;
    }
    w.at = *at;
    while (**at && !is_blank(**at)) {
        ++*at;
    }
    w.end = *at;
    return w;
}

static bool starts_with(Word w, const char *prefix, Word *rest)
{
    while (*prefix) {
        if (w.at == w.end || *w.at != *prefix) {
            return false;
        }
        w.at++;
        prefix++;
    }
    *rest = w;
    return true;
}

static unsigned int digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10u : 99u;
}

static unsigned int suffix_shift(char c)
{
    switch (c) {
    case 'k':
    case 'K':
        return 10;
    case 'm':
    case 'M':
        return 20;
    case 'g':
    case 'G':
        return 30;
    default:
        return 0;
    }
}

/* Takes a number off the front of @w. */
static bool take_number(Word *w, uint64_t *value)
{
    unsigned int base = 10, shift, digits = 0;
    uint64_t n = 0;
    Word rest;

    if (starts_with(*w, "0x", &rest)) {
        base = 16;
        *w = rest;
    }
    for (; w->at < w->end && digit(*w->at) < base; w->at++, digits++) {
        if (__builtin_mul_overflow(n, (uint64_t)base, &n) ||
            __builtin_add_overflow(n, (uint64_t)digit(*w->at), &n)) {
            return false;
        }
    }
    shift = w->at < w->end ? suffix_shift(*w->at) : 0;
    if (shift) {
        w->at++;
    }
    *value = n << shift;
    return digits && *value >> shift == n;
}

static bool take_char(Word *w, char c)
{
    if (w->at == w->end || *w->at != c) {
        return false;
    }
    w->at++;
    return true;
}

static bool whole_number(Word w, uint64_t *value)
{
    return take_number(&w, value) && w.at == w.end;
}

static bool whole_range(Word w, VhpRange *r)
{
    return take_number(&w, &r->start) && take_char(&w, '+') &&
           take_number(&w, &r->size) && take_char(&w, ':') &&
           take_number(&w, &r->rate) && take_char(&w, ':') &&
           take_number(&w, &r->write_percent) && w.at == w.end;
}

static bool bad_word(Word w, const char *allowed, Text *why)
{
    put(why, "bad word ");
    put_word(why, w);
    put(why, ": allowed is ");
    put(why, allowed);
    return false;
}

static bool parse_range(Word w, Word value, VhpConfig *c, Text *why)
{
    VhpRange r;

    if (!whole_range(value, &r) || !r.size) {
        return bad_word(w,
                        "range=START+SIZE:RATE:WRITEPCT, numbers "
                        "with K, M or G, SIZE at least 4K",
                        why);
    }
    if (c->nr_ranges == VHP_MAX_RANGES) {
        return bad_word(w, "at most 8 ranges", why);
    }
    c->ranges[c->nr_ranges++] = r;
    return true;
}

static bool parse_number(Word w, Word value, uint64_t *to, Text *why)
{
    return whole_number(value, to) ||
           bad_word(w, "a decimal or 0x number with K, M or G", why);
}

static bool parse_word(Word w, VhpConfig *c, Text *why)
{
    Word value;

    if (starts_with(w, "range=", &value)) {
        return parse_range(w, value, c, why);
    }
    if (starts_with(w, "ram=", &value)) {
        return parse_number(w, value, &c->ram, why);
    }
    if (starts_with(w, "hole=", &value)) {
        return parse_number(w, value, &c->hole, why);
    }
    if (starts_with(w, "fill=", &value)) {
        return parse_number(w, value, &c->fill_end, why);
    }
    if (starts_with(w, "tsc_khz=", &value)) {
        return parse_number(w, value, &c->tsc_khz, why);
    }
    if (starts_with(w, "seed=", &value)) {
        return parse_number(w, value, &c->seed, why);
    }
    if (starts_with(w, "go", &value) && value.at == value.end) {
        c->go = true;
        return true;
    }
    /* QEMU's microvm appends these for Linux. */
    if (starts_with(w, "virtio_mmio.device=", &value)) {
        return true;
    }
    return bad_word(w, "range=, fill=, ram=, hole=, tsc_khz=, seed=, go", why);
}

/* "what 0x1234 is bad: allowed is least .. most" */
static bool bad_number(Text *why, const char *what, uint64_t value,
                       const char *problem, uint64_t least, uint64_t most,
                       unsigned int base)
{
    put(why, what);
    put_number(why, value, base);
    put(why, problem);
    put(why, ": allowed is ");
    put_number(why, least, base);
    put(why, " .. ");
    put_number(why, most, base);
    return false;
}

static bool check_memory(const VhpConfig *c, Text *why)
{
    const uint64_t step = VHP_PAGE_SIZE;

    if (!c->ram) {
        put(why, "ram= is missing: it must say where guest RAM ends");
        return false;
    }
    if (c->ram < VHP_RAM_START + step || c->ram > VHP_RAM_MAX ||
        c->ram % step) {
        return bad_number(why, "ram=", c->ram,
                          " is out of range or no multiple of 4 KiB",
                          VHP_RAM_START + step, VHP_RAM_MAX, 16);
    }
    if (c->hole && (c->hole <= VHP_RAM_START || c->hole >= VHP_HIGH_START ||
                    c->hole % step || c->ram <= VHP_HIGH_START)) {
        return bad_number(why, "hole=", c->hole,
                          " is out of range or no multiple of 4 KiB, or "
                          "ram= does not reach above 4 GiB",
                          VHP_RAM_START + step, VHP_HIGH_START - step, 16);
    }
    if (c->fill_end < VHP_RAM_START || c->fill_end > c->ram ||
        c->fill_end % step) {
        return bad_number(why, "fill=", c->fill_end,
                          " is out of range or no multiple of 4 KiB",
                          VHP_RAM_START, c->ram, 16);
    }
    return true;
}

bool vhp_config_parse(const char *cmdline, VhpConfig *config, char *why,
                      size_t why_size)
{
    Text t = text(why, why_size);
    VhpConfig c = { .fill_end = UINT64_MAX };
    Word w;

    for (w = next_word(&cmdline); w.at < w.end; w = next_word(&cmdline)) {
        if (!parse_word(w, &c, &t)) {
            return false;
        }
    }
    if (c.fill_end == UINT64_MAX) {
        c.fill_end = c.ram;
    }
    *config = c;
    return check_memory(config, &t);
}

static bool check_place(const VhpConfig *c, const VhpRange *r, Text *why)
{
    const char *outside = c->fill_end < c->ram
                              ? " is not all in the filled part of RAM (fill=)"
                              : " is not all in RAM";

    if (r->start % VHP_PAGE_SIZE || r->size % VHP_PAGE_SIZE) {
        put(why, "start or size is no multiple of 4 KiB: ");
        put_number(why, r->start, 16);
        put_char(why, '+');
        put_number(why, r->size, 16);
        return false;
    }
    if (r->start < VHP_RAM_START || r->start > c->fill_end ||
        r->size > c->fill_end - r->start) {
        put_number(why, r->start, 16);
        return bad_number(why, "+", r->size, outside, VHP_RAM_START,
                          c->fill_end, 16);
    }
    return true;
}

static bool check_hole(const VhpConfig *c, const VhpRange *r, Text *why)
{
    if (!c->hole || r->start >= VHP_HIGH_START ||
        r->start + r->size <= c->hole) {
        return true;
    }
    put_number(why, r->start, 16);
    put_char(why, '+');
    put_number(why, r->size, 16);
    put(why, " reaches into the hole ");
    put_number(why, c->hole, 16);
    put(why, " .. ");
    put_number(why, VHP_HIGH_START, 16);
    return false;
}

static bool check_range(const VhpConfig *c, unsigned int i, Text *why)
{
    const VhpRange *r = &c->ranges[i];

    put(why, "range ");
    put_number(why, i, 10);
    put(why, ": ");
    if (!check_place(c, r, why) || !check_hole(c, r, why)) {
        return false;
    }
    if (r->rate > VHP_MAX_RATE) {
        return bad_number(why, "rate ", r->rate, " is too high", 0,
                          VHP_MAX_RATE, 10);
    }
    if (r->write_percent > 100) {
        return bad_number(why, "write percentage ", r->write_percent,
                          " is too high", 0, 100, 10);
    }
    if (c->go && r->rate &&
        (c->tsc_khz < VHP_MIN_TSC_KHZ || c->tsc_khz > VHP_MAX_TSC_KHZ)) {
        return bad_number(why, "a rate needs tsc_khz, and tsc_khz=", c->tsc_khz,
                          " is out of range", VHP_MIN_TSC_KHZ, VHP_MAX_TSC_KHZ,
                          10);
    }
    return true;
}

bool vhp_config_check_run(const VhpConfig *config, char *why, size_t why_size)
{
    for (unsigned int i = 0; i < VHP_MAX_RANGES; i++) {
        Text t = text(why, why_size);

        if (config->ranges[i].size && !check_range(config, i, &t)) {
            return false;
        }
    }
    why[0] = 0;
    return true;
}

uint64_t vhp_config_next_page(const VhpConfig *config, uint64_t at)
{
    at += VHP_PAGE_SIZE;
    return at == config->hole ? VHP_HIGH_START : at;
}
