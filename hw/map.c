/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * QEMU tells a MemoryListener, under the BQL, which MemoryRegionSections
 * appear in and vanish from the guest-physical address space. Of those we keep
 * guest RAM: RAM whose MemoryRegion belongs to a memory backend object. That is
 * main memory, DIMMs, virtio-mem and NVDIMMs, and leaves out ROMs, video
 * memory, option ROMs, ivshmem and assigned devices' BARs.
 *
 * At the end of a transaction that changed something, a new immutable VhMap is
 * built. It holds a reference on each MemoryRegion, so the memory stays mapped
 * as long as the worker uses the map: hot-unplug finishes when the worker has
 * let go, which is at once or after the tick that is running. MemoryRegion
 * references may only be dropped under the BQL, so the last unref of a map,
 * which happens on the worker thread, hands them to a bottom half.
 *
 * Devices that pin guest memory (VFIO) tell nobody, but their own memory comes
 * and goes with them, so any transaction is a time to look for them.
 *
 * What the machine itself says of its memory (hw/machine-map.c) is read once:
 * when we are plugged into a machine, or by a bottom half, when all who may
 * still add to it have been told that the machine is made. Until then all
 * memory is reserved. Memory that the guest can only read is its firmware's, or
 * a device's ROM; it is in no map, and told as reserved.
 *
 * A target (hw/target.c) makes a second map of some sections of the first,
 * which it keeps.
 *
 * Firmware remaps the shadow RAM below 1 MiB many times while it boots. Such
 * transactions end in a map equal to the one before and are not published.
 */
#include "compat/qemu.h"
#include "hw/guest-node.h"
#include "hw/map.h"

/* MemoryRegions that one VhMap keeps alive. */
typedef struct MapRefs {
    size_t nr;
    MemoryRegion **mr;
} MapRefs;

static void unref_regions_bh(void *opaque)
{
    MapRefs *refs = opaque;

    for (size_t i = 0; i < refs->nr; i++) {
        memory_region_unref(refs->mr[i]);
    }
    g_free(refs->mr);
    g_free(refs);
}

static void map_release(VhMap *map)
{
    aio_bh_schedule_oneshot(qemu_get_aio_context(), unref_regions_bh,
                            map->opaque);
}

static bool is_guest_ram(const MemoryRegionSection *s)
{
    MemoryRegion *mr = s->mr;

    return memory_region_is_ram(mr) && !memory_region_is_ram_device(mr) &&
           !s->readonly && !memory_region_is_rom(mr) &&
           vmheat_guest_has_backend(mr);
}

/* ROM, flash, and main memory that is write-protected (shadow RAM); not a file
 * that a memory device shows read-only. */
static bool is_firmware(const MemoryRegionSection *s)
{
    MemoryRegion *mr = s->mr;

    if (vmheat_guest_is_device(mr)) {
        return false;
    }
    return (memory_region_is_ram(mr) && !memory_region_is_ram_device(mr) &&
            (s->readonly || memory_region_is_rom(mr))) ||
           memory_region_is_romd(mr);
}

static uint32_t section_flags(MemoryRegion *mr)
{
    size_t page = qemu_ram_pagesize(mr->ram_block);

    return (memory_region_has_ram_discard_manager(mr) ? VH_SECTION_UNPLUGS
                                                      : 0) |
           (ram_block_discard_is_disabled() ? VH_SECTION_PINNED : 0) |
           (page > qemu_real_host_page_size() ? VH_SECTION_HUGETLB : 0);
}

/* Trims to whole pages; false when nothing is left. */
static bool section_to_map(const MemoryRegionSection *s, VhMapSection *out)
{
    uint64_t gpa = s->offset_within_address_space;
    uint64_t start = ROUND_UP(gpa, VH_PAGE_SIZE);
    uint64_t end = ROUND_DOWN(gpa + int128_get64(s->size), VH_PAGE_SIZE);
    RAMBlock *rb = s->mr->ram_block;
    int node;

    if (start >= end) {
        return false;
    }
    *out = (VhMapSection){
        .gpa = start,
        .size = end - start,
        .hva = (uint8_t *)memory_region_get_ram_ptr(s->mr) +
               s->offset_within_region + (start - gpa),
        .page_size = qemu_ram_pagesize(rb),
        .shared = qemu_ram_is_shared(rb),
        .file_backed = memory_region_get_fd(s->mr) >= 0,
        .block_size = memory_region_size(s->mr),
        /* the RAMBlock's id is this, but set only after a DIMM is mapped */
        .name = g_strdup(memory_region_name(s->mr)),
        .region = s->mr,
        .region_offset = s->offset_within_region + (start - gpa),
        .flags = section_flags(s->mr),
        .label = vmheat_guest_label(s->mr, &node),
    };
    out->node = node + 1;
    return true;
}

static int by_gpa(const void *a, const void *b)
{
    const MemoryRegionSection *x = a, *y = b;

    return (x->offset_within_address_space > y->offset_within_address_space) -
           (x->offset_within_address_space < y->offset_within_address_space);
}

/* Adjacent in the guest and in this process: firmware splits RAM needlessly.
 * One RAMBlock has one label; what the machine says cuts it later. */
static bool joins(const VhMapSection *a, const VhMapSection *b)
{
    return a->gpa + a->size == b->gpa && a->hva + a->size == b->hva &&
           a->node == b->node && g_str_equal(a->name, b->name);
}

static void append_section(GArray *out, VhMapSection *s)
{
    VhMapSection *last =
        out->len ? &g_array_index(out, VhMapSection, out->len - 1) : NULL;

    if (last && joins(last, s)) {
        last->size += s->size;
        vh_section_clear(s);
    } else {
        g_array_append_val(out, *s);
    }
}

static MapRefs *ref_regions(GArray *sections)
{
    MapRefs *refs = g_new0(MapRefs, 1);

    refs->nr = sections->len;
    refs->mr = g_new(MemoryRegion *, sections->len);
    for (guint i = 0; i < sections->len; i++) {
        refs->mr[i] = g_array_index(sections, MemoryRegionSection, i).mr;
        memory_region_ref(refs->mr[i]);
    }
    return refs;
}

static VhMap *build_map(const VmheatMapTracker *t)
{
    GArray *sections = t->sections;
    GArray *out = g_array_new(false, false, sizeof(VhMapSection));
    size_t nr;
    VhMap *map;

    g_array_sort(sections, by_gpa);
    for (guint i = 0; i < sections->len; i++) {
        VhMapSection s;

        if (section_to_map(&g_array_index(sections, MemoryRegionSection, i),
                           &s)) {
            append_section(out, &s);
        }
    }
    vmheat_machine_map_apply(t->machine, out);
    nr = out->len;
    map = vh_map_new((VhMapSection *)(void *)g_array_free(out, false), nr);
    map->opaque = ref_regions(sections);
    map->release = map_release;
    return map;
}

static bool same_label(const VhLabel *a, const VhLabel *b)
{
    return a->reserved == b->reserved && !g_strcmp0(a->backend, b->backend) &&
           !g_strcmp0(a->device, b->device);
}

static bool same_section(const VhMapSection *a, const VhMapSection *b)
{
    return a->gpa == b->gpa && a->size == b->size && a->hva == b->hva &&
           a->page_size == b->page_size && a->flags == b->flags &&
           a->node == b->node && g_str_equal(a->name, b->name) &&
           same_label(a->label, b->label);
}

static bool same_map(const VhMap *a, const VhMap *b)
{
    bool same = a->nr == b->nr;

    for (size_t i = 0; same && i < a->nr; i++) {
        same = same_section(&a->sections[i], &b->sections[i]);
    }
    return same;
}

static void publish(VmheatMapTracker *t)
{
    VhMap *map = build_map(t);

    t->dirty = false;
    t->pinned = ram_block_discard_is_disabled();
    if (t->map && same_map(t->map, map)) {
        vh_map_unref(map);
        return;
    }
    vh_map_unref(t->map);
    vh_map_unref(t->watched);
    t->map = map;
    t->watched = vmheat_target_map(&t->target, map);
    if (t->changed) {
        t->changed(t->opaque, t->watched);
    }
}

static void region_add(MemoryListener *l, MemoryRegionSection *section)
{
    VmheatMapTracker *t = container_of(l, VmheatMapTracker, listener);

    if (is_guest_ram(section)) {
        g_array_append_val(t->sections, *section);
        t->dirty = true;
    } else if (is_firmware(section)) {
        g_array_append_val(t->firmware, *section);
    }
}

static bool forget(GArray *sections, const MemoryRegionSection *gone)
{
    for (guint i = 0; i < sections->len; i++) {
        MemoryRegionSection *s =
            &g_array_index(sections, MemoryRegionSection, i);

        if (s->mr == gone->mr && s->offset_within_address_space ==
                                     gone->offset_within_address_space) {
            g_array_remove_index(sections, i);
            return true;
        }
    }
    return false;
}

static void region_del(MemoryListener *l, MemoryRegionSection *section)
{
    VmheatMapTracker *t = container_of(l, VmheatMapTracker, listener);

    if (!forget(t->firmware, section)) {
        t->dirty |= forget(t->sections, section);
    }
}

static void commit(MemoryListener *l)
{
    VmheatMapTracker *t = container_of(l, VmheatMapTracker, listener);

    if (t->dirty || t->pinned != ram_block_discard_is_disabled()) {
        int64_t start = get_clock();

        publish(t);
        t->max_ns = MAX(t->max_ns, get_clock() - start);
    }
}

static void read_machine(void *opaque)
{
    VmheatMapTracker *t = opaque;
    Error *err = NULL;

    t->machine = vmheat_machine_map_new();
    t->target.any_node = false;
    publish(t);
    if (!vmheat_target_check(&t->target, t->map, &err)) {
        warn_reportf_err(err, "vmheat: nothing is watched: ");
    }
}

static void machine_made(Notifier *n, void *data)
{
    qemu_bh_schedule(container_of(n, VmheatMapTracker, made)->read_machine);
}

/* At once when it is made already, else later. Until a device tree is read its
 * nodes are not known. */
static void start_machine(VmheatMapTracker *t)
{
    if (phase_check(PHASE_MACHINE_READY)) {
        t->machine = vmheat_machine_map_new();
        return;
    }
    t->target.any_node = MACHINE(qdev_get_machine())->fdt != NULL;
    t->read_machine = qemu_bh_new(read_machine, t);
    t->made.notify = machine_made;
    qemu_add_machine_init_done_notifier(&t->made);
}

void vmheat_map_start(VmheatMapTracker *t,
                      void (*changed)(void *opaque, VhMap *watched),
                      void *opaque)
{
    t->sections = g_array_new(false, false, sizeof(MemoryRegionSection));
    t->firmware = g_array_new(false, false, sizeof(MemoryRegionSection));
    t->listener = (MemoryListener){
        .name = "vmheat",
        .region_add = region_add,
        .region_del = region_del,
        .commit = commit,
    };
    start_machine(t);
    memory_listener_register(&t->listener, &address_space_memory);
    if (!t->map) {
        publish(t);
    }
    t->changed = changed;
    t->opaque = opaque;
}

void vmheat_map_stop(VmheatMapTracker *t)
{
    t->changed = NULL; /* unregistering reports every section as gone */
    if (t->read_machine) {
        qemu_remove_machine_init_done_notifier(&t->made);
    }
    g_clear_pointer(&t->read_machine, qemu_bh_delete);
    memory_listener_unregister(&t->listener);
    g_clear_pointer(&t->watched, vh_map_unref);
    g_clear_pointer(&t->map, vh_map_unref);
    g_clear_pointer(&t->sections, g_array_unref);
    g_clear_pointer(&t->firmware, g_array_unref);
    g_clear_pointer(&t->machine, vmheat_machine_map_free);
}

static int by_start(const void *a, const void *b)
{
    const VmheatHeld *x = a, *y = b;

    return (x->range.start > y->range.start) -
           (x->range.start < y->range.start);
}

static void add_firmware(GArray *out, const MemoryRegionSection *s)
{
    uint64_t start = s->offset_within_address_space;

    vmheat_held_add(out, (VhRange){ start, start + int128_get64(s->size) },
                    VMHEAT_RESERVED_KIND_FIRMWARE, memory_region_name(s->mr));
}

GArray *vmheat_map_reserved(const VmheatMapTracker *t)
{
    GArray *out = vmheat_held_new();

    for (guint i = 0; t->machine && i < t->machine->held->len; i++) {
        const VmheatHeld *h = &g_array_index(t->machine->held, VmheatHeld, i);

        vmheat_held_add(out, h->range, h->kind, h->name);
    }
    for (guint i = 0; i < t->firmware->len; i++) {
        add_firmware(out, &g_array_index(t->firmware, MemoryRegionSection, i));
    }
    g_array_sort(out, by_start);
    return out;
}
