/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ground truth of an emulated guest: a QEMU plugin, for tests only, that counts
 * every access of guest RAM.
 *
 *     -plugin oracle.so,counts=FILE,size=BYTES
 *
 * Theory of operation
 * -------------------
 * TCG calls a plugin for each load and store of the guest's instructions, after
 * it was done, and for each execution of a translation block. Both end in one
 * counter of the page, in FILE (oracle-file.h), which others map and read.
 *
 * Loads and stores and executions are counted apart because a monitor can see
 * only the first under TCG: what runs is translated once, and running the
 * translation reads no guest memory.
 *
 * What it does not count: page table walks of the emulated MMU, devices' DMA,
 * and accesses by those of TCG's helpers that bypass its plugin hooks.
 *
 * QEMU tells where an access went as an offset in its RAM address space. The
 * machine's RAM comes first there, so up to where the hole below 4 GiB begins
 * that is the guest-physical address. VHO_MAX_SIZE keeps below it for every
 * machine type: q35 may put the hole at 2 GiB.
 */
#include "compat/qemu.h"
#include "qemu/cutils.h"
#include "qemu/qemu-plugin.h"

#include "oracle-file.h"

/* struct Oracle - the mapped file */
typedef struct Oracle {
    VhoHeader *header;
    uint64_t *data;
    uint64_t *code;
} Oracle;

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

/* QEMU hands no pointer of ours to the callback for translations */
static Oracle *the_oracle;

static void count(uint64_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static void count_access(unsigned int vcpu, qemu_plugin_meminfo_t info,
                         uint64_t vaddr, void *opaque)
{
    Oracle *o = opaque;
    struct qemu_plugin_hwaddr *where = qemu_plugin_get_hwaddr(info, vaddr);
    uint64_t page;

    if (!where || qemu_plugin_hwaddr_is_io(where)) {
        count(&o->header->io);
        return;
    }
    page = qemu_plugin_hwaddr_phys_addr(where) / VHO_PAGE_SIZE;
    count(page < o->header->pages ? &o->data[page] : &o->header->other);
}

static void count_execution(unsigned int vcpu, void *counter)
{
    count(counter);
}

/* The counter of the page that an instruction is in; NULL: not in RAM. */
static uint64_t *code_counter(Oracle *o, const struct qemu_plugin_insn *insn)
{
    void *host = qemu_plugin_insn_haddr(insn);
    ram_addr_t addr = host ? qemu_ram_addr_from_host(host) : RAM_ADDR_INVALID;
    uint64_t page = addr / VHO_PAGE_SIZE;

    return page < o->header->pages ? &o->code[page] : NULL;
}

static void instrument(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    Oracle *o = the_oracle;
    size_t nr = qemu_plugin_tb_n_insns(tb);
    uint64_t *last = NULL;

    for (size_t i = 0; i < nr; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint64_t *counter = code_counter(o, insn);

        if (counter && counter != last) {
            qemu_plugin_register_vcpu_tb_exec_cb(
                tb, count_execution, QEMU_PLUGIN_CB_NO_REGS, counter);
            last = counter;
        }
        qemu_plugin_register_vcpu_mem_cb(
            insn, count_access, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, o);
    }
}

/* The file, new and all zeroes; NULL: it can't be made, which was said. */
static void *map_file(const char *path, size_t size)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    void *p = MAP_FAILED;

    if (fd >= 0 && ftruncate(fd, size) == 0) {
        p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    if (p == MAP_FAILED) {
        error_report("oracle: can't make counts=%s with %zu bytes: %s", path,
                     size, strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    return p == MAP_FAILED ? NULL : p;
}

static bool start(const char *path, uint64_t pages)
{
    char *file = map_file(path, VHO_HEADER_SIZE + 2 * pages * sizeof(uint64_t));

    if (!file) {
        return false;
    }
    the_oracle = g_new0(Oracle, 1);
    the_oracle->header = (VhoHeader *)file;
    the_oracle->data = (uint64_t *)(file + VHO_HEADER_SIZE);
    the_oracle->code = the_oracle->data + pages;
    the_oracle->header->version = VHO_VERSION;
    the_oracle->header->pages = pages;
    __atomic_store_n(&the_oracle->header->magic, VHO_MAGIC, __ATOMIC_RELEASE);
    return true;
}

static bool read_size(const char *text, uint64_t *size)
{
    if (qemu_strtou64(text, NULL, 0, size) || !*size || *size % VHO_PAGE_SIZE ||
        *size > VHO_MAX_SIZE) {
        error_report("oracle: size=%s must be bytes, a multiple of %d, at "
                     "most %u",
                     text, VHO_PAGE_SIZE, VHO_MAX_SIZE);
        return false;
    }
    return true;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id,
                                           const qemu_info_t *info, int argc,
                                           char **argv)
{
    const char *path = NULL;
    uint64_t size = 0;

    for (int i = 0; i < argc; i++) {
        if (g_str_has_prefix(argv[i], "counts=")) {
            path = strchr(argv[i], '=') + 1;
        } else if (!g_str_has_prefix(argv[i], "size=")) {
            error_report("oracle: unknown argument '%s': there are counts=FILE "
                         "and size=BYTES",
                         argv[i]);
            return -1;
        } else if (!read_size(strchr(argv[i], '=') + 1, &size)) {
            return -1;
        }
    }
    if (!path || !size) {
        error_report("oracle: counts=FILE and size=BYTES are needed");
        return -1;
    }
    if (!start(path, size / VHO_PAGE_SIZE)) {
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, instrument);
    return 0;
}
