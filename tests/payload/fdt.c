/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds /chosen bootargs in a flattened device tree, version 16 and later. */
#include "fdt.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAGIC 0xd00dfeed
#define BEGIN_NODE 1
#define END_NODE 2
#define PROP 3
#define NOP 4

/* Words of the header */
#define TOTAL_SIZE 1
#define OFF_STRUCT 2
#define OFF_STRINGS 3

/* A place in the structure block. */
typedef struct Place {
    const uint32_t *at;
    const uint32_t *end;
    const char *strings;
    unsigned int depth; /* 1: in the root node */
    bool chosen;        /* in /chosen itself, or below it */
} Place;

static uint32_t be32(uint32_t word)
{
    const unsigned char *b = (const unsigned char *)&word;

    return (uint32_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
}

static bool same(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

static void begin_node(Place *p)
{
    const char *name = (const char *)p->at, *end = name;

    if (p->depth == 1) {
        p->chosen = same(name, "chosen");
    }
    p->depth++;
    while (end < (const char *)p->end && *end) {
        end++;
    }
    p->at += (end - name) / 4 + 1;
}

/* Returns the property's value if it is the one looked for. */
static const char *property(Place *p)
{
    uint32_t length, name;
    const char *value;

    if (p->end - p->at < 2) {
        p->at = p->end;
        return NULL;
    }
    length = be32(p->at[0]);
    name = be32(p->at[1]);
    value = (const char *)(p->at + 2);
    if (length > (size_t)((const char *)p->end - value)) {
        p->at = p->end;
        return NULL;
    }
    p->at += 2 + (length + 3) / 4;
    return p->chosen && p->depth == 2 && length && !value[length - 1] &&
                   same(p->strings + name, "bootargs")
               ? value
               : NULL;
}

const char *vhp_fdt_bootargs(const void *fdt)
{
    const uint32_t *header = fdt;
    Place p = { 0 };
    const char *found = NULL;

    if (!fdt || be32(header[0]) != MAGIC) {
        return NULL;
    }
    p.at = header + be32(header[OFF_STRUCT]) / 4;
    p.end = header + be32(header[TOTAL_SIZE]) / 4;
    p.strings = (const char *)fdt + be32(header[OFF_STRINGS]);
    while (!found && p.at < p.end) {
        uint32_t token = be32(*p.at++);

        if (token == BEGIN_NODE) {
            begin_node(&p);
        } else if (token == PROP) {
            found = property(&p);
        } else if (token == END_NODE) {
            p.depth--;
        } else if (token != NOP) {
            break;
        }
    }
    return found;
}
