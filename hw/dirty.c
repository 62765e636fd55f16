/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * QEMU keeps, for each of its clients, a bitmap of the pages that were written.
 * KVM's own bitmap is fetched into all of them at once ("sync"), so what one
 * client reads another does not miss; and a client clears only bits that were
 * fetched. We are the client "VGA", whose bits nobody else uses for guest RAM.
 * Migration has its own, and so it may run at the same time.
 *
 *   read    sync, then look at our bits
 *   clear   sync unless that was just done, note our bits, then have QEMU
 *           clear them: KVM write-protects the page again. One call a page,
 *           which is how QEMU's interface is made; a large range in one call
 *           would protect everything written in it.
 *   each    sync, then take and clear all of our bits, and end logging (dirty
 *           rings)
 *
 * QEMU clears our bits of the whole aligned block of 64 pages, but has KVM
 * protect only the page asked for. With KVM the other bits come back with the
 * next sync, as KVM still has them. TCG has no second bitmap: there the block
 * is cleared as a whole. KVM's bits are of the host's pages: where these are of
 * 16 or 64 KiB, one is cleared as a whole, too, or KVM would protect none.
 *
 * vhost leaves memory that is logged for any other client than migration out
 * of what it hands to the kernel (vhost_section()): the guest's network would
 * stop. So there is no logging while a vhost device exists, be it one whose
 * back end is not connected now, and when one is plugged in, logging ends
 * before its driver can start.
 *
 * Everything here runs in the main thread under the BQL, in steps of some ten
 * microseconds; the worker waits (hw/bql-call.c).
 *
 * With dirty rings a sync waits for the vCPUs and lets go of the BQL meanwhile;
 * others may then end logging or give the worker's call up. So it is the last
 * act of a step, and the next step looks anew. What the vCPUs still noted when
 * logging ended is fetched out of the rings right afterwards (drain_rings()):
 * QEMU would crash on an entry whose memory slot has been replaced meanwhile,
 * as it is when firmware runs. It turns up when logging begins again, and is
 * dropped then.
 *
 * QEMU's own calc-dirty-rate in mode dirty-bitmap counts what every sync
 * brings. KVM brings the same bits each time, so there are no answers while it
 * measures.
 */
#include "compat/qemu.h"
#include "hw/dirty.h"

/* A step ends when it took this long, if it can. */
#define STEP_NS 50000
/* QEMU clears our bits in blocks of as many pages as a long has bits. */
#define BLOCK (64 * VH_PAGE_SIZE)
/* Bits are copied and cleared for so much memory at a time: some 20 us. */
#define CHUNK (1ULL << 30)
/* A sync is good for what follows it in the same sampling interval. */
#define FRESH_NS 1000000

static const char vhost_refusal[] =
    "a vhost device is in use, and QEMU takes memory whose writes are logged "
    "away from vhost; use vhost=off, or primitive trap or uffd-wp";

/* One call of the worker: what to do, and how far it is. */
typedef struct LogJob {
    VmheatDirty *d;
    VhMap *map;
    VhDirtyPage *pages;
    size_t nr;
    size_t at;
    bool looked;
    bool synced;    /* the sync of this call was done */
    guint region;   /* the next chunk: of this one of the regions logged */
    hwaddr offset;  /* and there */
    GArray *chunks; /* each: of Chunk */
    const char *refusal;
} LogJob;

/* What was written in a part of a region. */
typedef struct Chunk {
    MemoryRegion *region; /* the map of the call keeps it */
    hwaddr offset;
    hwaddr size;
    DirtyBitmapSnapshot *bits;
} Chunk;

/*
 * Devices and back ends that would be kept out of logged memory, once they are
 * connected. Their types are named vhost-user-blk-pci, cryptodev-vhost-user...
 * vhost netdevs listen all the time, connected or not.
 */
static int is_vhost(Object *child, void *opaque)
{
    return strstr(object_get_typename(child), "vhost") != NULL;
}

/* Is guest memory told to vhost now? Quick. */
static bool vhost_listens(void)
{
    MemoryListener *l;

    QTAILQ_FOREACH(l, &address_space_memory.listeners, link_as)
    {
        if (l->name && g_str_has_prefix(l->name, "vhost")) {
            return true;
        }
    }
    return false;
}

static bool any_vhost(void)
{
    return vhost_listens() ||
           object_child_foreach_recursive(object_get_root(), is_vhost, NULL);
}

static void log_region(VmheatDirty *d, MemoryRegion *mr)
{
    memory_region_ref(mr);
    g_ptr_array_add(d->logged, mr);
    memory_region_set_log(mr, true, DIRTY_MEMORY_VGA);
}

static void unlog_region(void *opaque)
{
    MemoryRegion *mr = opaque;

    memory_region_set_log(mr, false, DIRTY_MEMORY_VGA);
    memory_region_unref(mr);
}

static bool in_map(const VhMap *map, const MemoryRegion *mr)
{
    for (size_t i = 0; i < map->nr; i++) {
        if (map->sections[i].region == mr) {
            return true;
        }
    }
    return false;
}

/* A step of the main thread: how long it held the BQL, and what it used. */
typedef struct Account {
    int64_t start;
    uint64_t cpu;
} Account;

static uint64_t cpu_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static Account open_account(void)
{
    return (Account){ get_clock(), cpu_ns() };
}

static void charge(VmheatDirty *d, const Account *a)
{
    qatomic_set(&d->spent_ns, d->spent_ns + (cpu_ns() - a->cpu));
}

static void close_account(VmheatDirty *d, const Account *a)
{
    d->max_ns = MAX(d->max_ns, get_clock() - a->start);
    charge(d, a);
}

/* Lets go of the BQL while it waits for the vCPUs. */
static void sync_rings(VmheatDirty *d)
{
    Account a = open_account();

    vh_dirty_sync();
    charge(d, &a);
}

static void clear_bits(MemoryRegion *mr, hwaddr offset, hwaddr size)
{
    g_free(vh_dirty_take(mr, offset, size, DIRTY_MEMORY_VGA));
}

static bool has_rings(void)
{
    return kvm_enabled() && kvm_dirty_ring_enabled();
}

static void drain_rings(void *unused)
{
    vh_dirty_sync();
}

void vmheat_dirty_quiet(VmheatDirty *d)
{
    if (!d->logged->len) {
        return;
    }
    memory_region_transaction_begin();
    g_ptr_array_set_size(d->logged, 0);
    memory_region_transaction_commit();
    if (has_rings()) {
        aio_bh_schedule_oneshot(iohandler_get_aio_context(), drain_rings, NULL);
    }
}

/* The next part of what is logged, or false: that was all. */
static bool next_chunk(LogJob *j, Chunk *c)
{
    GPtrArray *logged = j->d->logged;
    hwaddr left;

    if (j->region >= logged->len) {
        return false;
    }
    c->region = g_ptr_array_index(logged, j->region);
    left = memory_region_size(c->region) - j->offset;
    c->offset = j->offset;
    c->size = MIN(left, CHUNK);
    j->offset += c->size;
    if (c->size == left) {
        j->region++;
        j->offset = 0;
    }
    return true;
}

/* Logging of all regions of the map and of no other. */
static void log_map(VmheatDirty *d, const VhMap *map)
{
    memory_region_transaction_begin();
    for (guint i = d->logged->len; i-- > 0;) {
        if (!in_map(map, g_ptr_array_index(d->logged, i))) {
            g_ptr_array_remove_index_fast(d->logged, i);
        }
    }
    for (size_t i = 0; i < map->nr; i++) {
        MemoryRegion *mr = map->sections[i].region;

        if (!g_ptr_array_find(d->logged, mr, NULL)) {
            log_region(d, mr);
        }
    }
    memory_region_transaction_commit();
}

/* Rings: what was written before does not count. Done? */
static bool drop_bits(LogJob *j, int64_t start)
{
    Chunk c;

    while (get_clock() - start < STEP_NS) {
        if (!next_chunk(j, &c)) {
            return true;
        }
        clear_bits(c.region, c.offset, c.size);
    }
    return false;
}

/* Done? With rings there is a sync to come. */
static bool begin_logging(LogJob *j)
{
    VmheatDirty *d = j->d;

    if (any_vhost()) {
        j->refusal = vhost_refusal;
        return true;
    }
    qatomic_set(&d->lost, NULL);
    d->synced_ns = 0;
    log_map(d, j->map);
    return !has_rings();
}

static bool start_step(void *arg)
{
    LogJob *j = arg;
    VmheatDirty *d = j->d;
    Account a = open_account();
    bool sync = !j->synced, done;

    done = sync ? begin_logging(j) : drop_bits(j, a.start);
    close_account(d, &a);
    if (sync && !done) {
        j->synced = true;
        sync_rings(d); /* from here on @j may be gone */
    }
    return done;
}

static bool dirty_start(void *opaque, VhMap *map, char **why)
{
    LogJob j = { .d = opaque, .map = map };

    if (!vmheat_bql_call(j.d->caller, start_step, &j)) {
        return false;
    }
    if (j.refusal) {
        *why = g_strdup(j.refusal);
        return false;
    }
    vh_map_ref(map);
    vh_map_unref(j.d->map);
    j.d->map = map;
    return true;
}

static bool stop_step(void *arg)
{
    VmheatDirty *d = arg;
    Account a = open_account();

    vmheat_dirty_quiet(d);
    close_account(d, &a);
    return true;
}

/* When the main thread waits for us it calls vmheat_dirty_quiet() itself. */
static void dirty_stop(void *opaque)
{
    VmheatDirty *d = opaque;

    vmheat_bql_call(d->caller, stop_step, d);
    g_clear_pointer(&d->map, vh_map_unref);
}

static void sync_bits(VmheatDirty *d)
{
    vh_dirty_sync();
    d->synced_ns = get_clock();
}

/* calc-dirty-rate would count all that our syncs bring. */
static bool rate_is_measured(void)
{
    return global_dirty_tracking & GLOBAL_DIRTY_DIRTY_RATE;
}

static MemoryRegion *region_of(const LogJob *j, uint64_t gpa, hwaddr *offset)
{
    const VhMapSection *s = vh_map_find(j->map, gpa);

    *offset = s->region_offset + (gpa - s->gpa);
    return s->region;
}

/* Fills in the pages' bits. */
static void look(LogJob *j)
{
    RCU_READ_LOCK_GUARD();
    for (size_t i = 0; i < j->nr; i++) {
        hwaddr offset;
        MemoryRegion *mr = region_of(j, j->pages[i].gpa, &offset);

        j->pages[i].dirty = vh_dirty_test(mr, offset);
    }
}

static void end_for_vhost(VmheatDirty *d)
{
    vmheat_dirty_quiet(d);
    qatomic_set(&d->lost, vhost_refusal);
}

/* Is there no logging any more? */
static bool gone(const LogJob *j)
{
    if (j->d->logged->len && vhost_listens()) {
        end_for_vhost(j->d);
    }
    return !j->d->logged->len;
}

static bool read_step(void *arg)
{
    LogJob *j = arg;
    Account a = open_account();

    if (!gone(j) && !rate_is_measured()) {
        sync_bits(j->d);
        look(j);
        j->looked = true;
    }
    close_account(j->d, &a);
    return true;
}

static LogJob new_job(VmheatDirty *d, VhDirtyPage *pages, size_t n)
{
    return (LogJob){ .d = d, .map = d->map, .pages = pages, .nr = n };
}

static bool dirty_read(void *opaque, VhDirtyPage *pages, size_t n)
{
    LogJob j = new_job(opaque, pages, n);

    return j.map && vmheat_bql_call(j.d->caller, read_step, &j) && j.looked;
}

/* What can be cleared on its own. */
static hwaddr clear_unit(void)
{
    return kvm_enabled() ? MAX(qemu_real_host_page_size(), VH_PAGE_SIZE)
                         : BLOCK;
}

/* Once for all pages of a block, or the bits of a write would be lost (TCG). */
static void clear_block(LogJob *j, MemoryRegion *mr, hwaddr offset, hwaddr unit)
{
    hwaddr block = QEMU_ALIGN_DOWN(offset, unit);

    clear_bits(mr, block, MIN(unit, memory_region_size(mr) - block));
    for (size_t i = j->at; i < j->nr; i++) {
        if (region_of(j, j->pages[i].gpa, &offset) == mr &&
            QEMU_ALIGN_DOWN(offset, unit) == block) {
            j->pages[i].cleared = true;
        }
    }
}

static void clear_page(LogJob *j, VhDirtyPage *page)
{
    hwaddr offset, unit = clear_unit();
    MemoryRegion *mr = region_of(j, page->gpa, &offset);

    if (unit == VH_PAGE_SIZE) {
        clear_bits(mr, offset, unit);
    } else if (!page->cleared) {
        clear_block(j, mr, offset, unit);
    }
}

static bool clear_step(void *arg)
{
    LogJob *j = arg;
    Account a = open_account();

    if (gone(j) || rate_is_measured()) {
        j->looked = false;
        return true;
    }
    if (!j->looked) {
        if (a.start - j->d->synced_ns > FRESH_NS) {
            sync_bits(j->d);
        }
        look(j);
        j->looked = true;
        j->d->synced_ns = 0;
    }
    for (; j->at < j->nr && get_clock() - a.start < STEP_NS; j->at++) {
        if (j->pages[j->at].dirty) {
            clear_page(j, &j->pages[j->at]);
        }
    }
    close_account(j->d, &a);
    return j->at == j->nr;
}

static bool dirty_clear(void *opaque, VhDirtyPage *pages, size_t n)
{
    LogJob j = new_job(opaque, pages, n);

    return j.map && vmheat_bql_call(j.d->caller, clear_step, &j) && j.looked;
}

static bool take_chunks(LogJob *j, int64_t start)
{
    Chunk c;

    while (get_clock() - start < STEP_NS) {
        if (!next_chunk(j, &c)) {
            return true;
        }
        c.bits = vh_dirty_take(c.region, c.offset, c.size, DIRTY_MEMORY_VGA);
        g_array_append_val(j->chunks, c);
    }
    return false;
}

static bool each_step(void *arg)
{
    LogJob *j = arg;
    VmheatDirty *d = j->d;
    Account a = open_account();
    bool ended = gone(j), sync = !j->synced && !ended;

    if (!sync && !ended && take_chunks(j, a.start)) {
        vmheat_dirty_quiet(d);
        j->looked = true;
        ended = true;
    }
    close_account(d, &a);
    if (sync) {
        j->synced = true;
        sync_rings(d); /* from here on @j may be gone */
    }
    return ended;
}

static void free_chunk(void *c)
{
    g_free(((Chunk *)c)->bits);
}

/* Calls @fn for the pages of @c, which begins at @gpa, in [from, to) of it. */
static void tell_pages(const Chunk *c, uint64_t gpa, hwaddr from, hwaddr to,
                       void (*fn)(void *arg, uint64_t gpa), void *arg)
{
    for (hwaddr at = from; at < to; at += VH_PAGE_SIZE) {
        if (memory_region_snapshot_get_dirty(c->region, c->bits, c->offset + at,
                                             VH_PAGE_SIZE)) {
            fn(arg, gpa + at);
        }
    }
}

static void tell_chunk(const Chunk *c, uint64_t gpa, hwaddr from, hwaddr to,
                       void (*fn)(void *arg, uint64_t gpa), void *arg)
{
    while (from < to) {
        hwaddr next = MIN(QEMU_ALIGN_DOWN(from, BLOCK) + BLOCK, to);

        if (memory_region_snapshot_get_dirty(c->region, c->bits,
                                             c->offset + from, next - from)) {
            tell_pages(c, gpa, from, next, fn, arg);
        }
        from = next;
    }
}

/* What of @c is in @s. */
static void tell_section(const Chunk *c, const VhMapSection *s,
                         void (*fn)(void *arg, uint64_t gpa), void *arg)
{
    hwaddr from = MAX(c->offset, s->region_offset);
    hwaddr to = MIN(c->offset + c->size, s->region_offset + s->size);

    if (s->region == c->region && from < to) {
        tell_chunk(c, s->gpa + c->offset - s->region_offset, from - c->offset,
                   to - c->offset, fn, arg);
    }
}

static bool dirty_each(void *opaque, void (*fn)(void *arg, uint64_t gpa),
                       void *arg)
{
    g_autoptr(GArray) chunks = g_array_new(false, false, sizeof(Chunk));
    LogJob j = new_job(opaque, NULL, 0);

    g_array_set_clear_func(chunks, free_chunk);
    j.chunks = chunks;
    if (!j.map || !vmheat_bql_call(j.d->caller, each_step, &j) || !j.looked) {
        return false;
    }
    for (guint i = 0; i < chunks->len; i++) {
        for (size_t k = 0; k < j.map->nr; k++) {
            tell_section(&g_array_index(chunks, Chunk, i), &j.map->sections[k],
                         fn, arg);
        }
    }
    return true;
}

static uint64_t dirty_spent_ns(void *opaque)
{
    VmheatDirty *d = opaque;

    return qatomic_read(&d->spent_ns);
}

static const char *dirty_lost(void *opaque)
{
    VmheatDirty *d = opaque;

    return qatomic_read(&d->lost);
}

static const char *dirty_refusal(void *opaque)
{
    return any_vhost()     ? vhost_refusal
           : !vh_can_log() ? "this kernel's KVM has no manual dirty log "
                             "protection (Linux 5.1), and without it every "
                             "look at the log protects all of guest memory"
                           : NULL;
}

/* A device was plugged in; its driver in the guest has not seen it yet. */
static void device_realized(DeviceListener *l, DeviceState *dev)
{
    VmheatDirty *d = container_of(l, VmheatDirty, realize);

    if (d->logged->len && any_vhost()) {
        end_for_vhost(d);
    }
}

static const VhDirtyOps dirty_ops = {
    .start = dirty_start,
    .stop = dirty_stop,
    .read = dirty_read,
    .clear = dirty_clear,
    .each = dirty_each,
    .spent_ns = dirty_spent_ns,
    .lost = dirty_lost,
};

void vmheat_dirty_start(VmheatDirty *d, VmheatBqlCaller *caller, VhHost *host)
{
    d->caller = caller;
    d->logged = g_ptr_array_new_with_free_func(unlog_region);
    d->realize.realize = device_realized;
    device_listener_register(&d->realize);
    host->dirty_kind = has_rings() ? VH_DIRTY_RING : VH_DIRTY_LOG;
    host->dirty_refusal = dirty_refusal;
    host->dirty = &dirty_ops;
    host->dirty_opaque = d;
}

void vmheat_dirty_stop(VmheatDirty *d)
{
    device_listener_unregister(&d->realize);
    g_clear_pointer(&d->logged, g_ptr_array_unref);
    g_clear_pointer(&d->map, vh_map_unref);
}
