/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A machine with a device tree (Arm's and RISC-V's "virt") hands it to the
 * guest when it starts; QEMU keeps it. hw/fdt-map.c reads it. The PC has the
 * e820 table instead, of which what is no RAM counts; QEMU exports how to read
 * it only where there is one.
 *
 * Both say what the guest is told by QEMU. What the guest's firmware adds
 * (OpenSBI its own memory, SeaBIOS its tables) is not seen: it is in the guest.
 *
 * Reserved memory is never acted on. It could be, as paging is invisible to a
 * guest, but what is reserved is often used by what does not go through the
 * guest's page tables, or must answer in time.
 */
#include "compat/qemu.h"
#include <libfdt.h>
#include "core/carve.h"
#include "hw/fdt-map.h"
#include "hw/guest-node.h"
#include "hw/machine-map.h"

/* More than any machine of QEMU makes. */
#define E820_MAX 1024

/* Types of entries, as the ACPI specification numbers them. */
#define E820_RESERVED 2
#define E820_UNUSABLE 5

/* hw/i386/e820_memory_layout.h, which is not installed anywhere */
bool e820_get_entry(int index, uint32_t type, uint64_t *address,
                    uint64_t *length) __attribute__((weak));

static void clear_held(void *held)
{
    g_free(((VmheatHeld *)held)->name);
}

GArray *vmheat_held_new(void)
{
    GArray *held = g_array_new(false, false, sizeof(VmheatHeld));

    g_array_set_clear_func(held, clear_held);
    return held;
}

void vmheat_held_add(GArray *held, VhRange range, VmheatReservedKind kind,
                     const char *name)
{
    VmheatHeld h = { range, kind, g_strdup(name) };

    g_array_append_val(held, h);
}

static void hold(VmheatMachineMap *m, uint64_t start, uint64_t end,
                 VmheatReservedKind kind, const char *name)
{
    vmheat_held_add(m->held, (VhRange){ start, end }, kind, name);
}

static void read_e820(VmheatMachineMap *m)
{
    for (int i = 0; e820_get_entry && i < E820_MAX; i++) {
        for (uint32_t type = E820_RESERVED; type <= E820_UNUSABLE; type++) {
            uint64_t start, size;

            if (e820_get_entry(i, type, &start, &size) && size &&
                size <= UINT64_MAX - start) {
                hold(m, start, start + size, VMHEAT_RESERVED_KIND_E820, NULL);
            }
        }
    }
}

static VmheatReservedKind kind_of(VmheatFdtHold hold)
{
    switch (hold) {
    case VMHEAT_FDT_MEMRESERVE:
        return VMHEAT_RESERVED_KIND_MEMRESERVE;
    case VMHEAT_FDT_REUSABLE:
        return VMHEAT_RESERVED_KIND_REUSABLE;
    case VMHEAT_FDT_NO_MAP:
        return VMHEAT_RESERVED_KIND_NO_MAP;
    default:
        return VMHEAT_RESERVED_KIND_RESERVED_MEMORY;
    }
}

static void read_fdt(VmheatMachineMap *m, const void *fdt)
{
    g_autofree char *why = NULL;

    m->nodes = vmheat_fdt_ranges(fdt, fdt_totalsize(fdt), &why);
    if (!m->nodes) {
        warn_report("vmheat: %s; schemes leave all memory alone", why);
        hold(m, 0, INT64_MAX, VMHEAT_RESERVED_KIND_UNKNOWN,
             why); /* JSON's most */
        return;
    }
    for (guint i = 0; i < m->nodes->len; i++) {
        const VmheatFdtRange *r = &g_array_index(m->nodes, VmheatFdtRange, i);

        m->numa |= r->memory && r->node >= 0 && !vmheat_guest_has_nodes();
        if (r->hold != VMHEAT_FDT_FREE) {
            hold(m, r->start, r->end, kind_of(r->hold), r->name);
        }
    }
}

VmheatMachineMap *vmheat_machine_map_new(void)
{
    const void *fdt = MACHINE(qdev_get_machine())->fdt;
    VmheatMachineMap *m = g_new0(VmheatMachineMap, 1);

    m->held = vmheat_held_new();
    if (fdt) {
        read_fdt(m, fdt);
    }
    read_e820(m);
    return m;
}

void vmheat_machine_map_free(VmheatMachineMap *m)
{
    if (!m) {
        return;
    }
    g_array_unref(m->held);
    g_clear_pointer(&m->nodes, g_array_unref);
    g_free(m);
}

/* Of two in one page the stronger counts, as the schema has them in order. */
static void mark_held(VhMapSection *s, void *opaque)
{
    const VmheatHeld *h = opaque;
    bool stronger =
        s->flags & VH_SECTION_RESERVED && s->label->reserved > (int)h->kind;

    s->flags |= VH_SECTION_RESERVED;
    if (!stronger) {
        s->label->reserved = h->kind;
    }
}

/* What the machine itself says, by memory backends, is surer. In one without
 * nodes all sections are on node 0. */
static void mark_node(VhMapSection *s, void *opaque)
{
    const VmheatFdtRange *r = opaque;

    if (!s->node || !vmheat_guest_has_nodes()) {
        s->node = r->node + 1;
    }
}

/* Nothing is known yet. */
static void hold_all(GArray *sections)
{
    VmheatHeld all = { .kind = VMHEAT_RESERVED_KIND_UNKNOWN };

    for (guint i = 0; i < sections->len; i++) {
        mark_held(&g_array_index(sections, VhMapSection, i), &all);
    }
}

void vmheat_machine_map_apply(const VmheatMachineMap *m, GArray *sections)
{
    if (!m) {
        hold_all(sections);
        return;
    }
    for (guint i = 0; m->nodes && i < m->nodes->len; i++) {
        VmheatFdtRange *r = &g_array_index(m->nodes, VmheatFdtRange, i);

        if (r->memory && r->node >= 0) {
            vh_carve(sections, (VhRange){ r->start, r->end }, mark_node, r);
        }
    }
    for (guint i = 0; i < m->held->len; i++) {
        VmheatHeld *h = &g_array_index(m->held, VmheatHeld, i);

        vh_carve(sections, h->range, mark_held, h);
    }
}
