/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor-table.h"

#define TRAP (1u << VH_DOCTOR_TRAP)
#define UFFD_WP (1u << VH_DOCTOR_UFFD_WP)
#define DIRTY_LOG (1u << VH_DOCTOR_DIRTY_LOG)
#define DIRTY_RING (1u << VH_DOCTOR_DIRTY_RING)
#define IDLE_PAGE (1u << VH_DOCTOR_IDLE_PAGE)
#define DAMON (1u << VH_DOCTOR_DAMON)
#define ACTIONS (1u << VH_DOCTOR_ACTIONS)

#define KERNEL_FIX "another kernel; please report this, with uname -r"
#define HELPER "run 'vmheat grant' as root for each virtual machine"

static const VhDoctorRow rows[] = {
    { "zap-keeps-data", "unmapped shared pages keep data", TRAP, 0, NULL, NULL,
      KERNEL_FIX },
    { "zap-private-loses", "unmapped private pages lose data", 0, TRAP, NULL,
      NULL, KERNEL_FIX },
    { "zap-absent", "unmapping absent pages is free", TRAP, 0, NULL, NULL,
      KERNEL_FIX },
    { "kvm-zap", "a KVM guest maps unmapped pages again", 0, TRAP,
      "works with TCG only", NULL, KERNEL_FIX },
    { "fault-around", "userfaultfd stops fault-around", 0, TRAP,
      "one check at a time in each 64 KiB", NULL, KERNEL_FIX },
    { "pagemap-scan", "PAGEMAP_SCAN tells present pages", UFFD_WP, TRAP,
      "2 MiB pages are taken for 4 KiB pages", NULL, KERNEL_FIX },
    { "huge-flag", "2 MiB pages are told and unmapped", 0, TRAP, NULL, NULL,
      KERNEL_FIX },
    { "hugetlb-zap", "hugetlbfs pages can be unmapped", 0, TRAP, NULL, NULL,
      KERNEL_FIX },
    { "mlocked", "locked pages can be unmapped", 0, TRAP, NULL, NULL,
      "Linux 5.18 or later, or QEMU without -overcommit mem-lock=on" },
    { "swapped-absent", "swapped-out pages look absent", 0, TRAP | ACTIONS,
      NULL, NULL, KERNEL_FIX },
    { "uffd-user-mode", "userfaultfd without privilege", UFFD_WP, TRAP, NULL,
      NULL, KERNEL_FIX },
    { "uffd-owner", "one userfaultfd a range", UFFD_WP, TRAP, NULL, NULL,
      KERNEL_FIX },
    { "uffd-wp-async", "writes to protected pages are told", UFFD_WP, 0, NULL,
      NULL, KERNEL_FIX },
    { "uffd-wp-zap", "unmapped pages stay protected", UFFD_WP, 0, NULL, NULL,
      KERNEL_FIX },
    { "kvm-dirty-log", "KVM logs writes, cleared in parts", 0, DIRTY_LOG,
      "works with TCG only", NULL, KERNEL_FIX },
    { "kvm-dirty-ring", "KVM logs writes in rings", DIRTY_RING, 0, NULL, NULL,
      KERNEL_FIX },
    { "pagemap-pfn", "pagemap shows page frame numbers", IDLE_PAGE, 0, NULL,
      HELPER, KERNEL_FIX },
    { "idle-bitmap", "idle-page bitmap", IDLE_PAGE, 0, NULL, HELPER,
      KERNEL_FIX },
    { "damon-sysfs", "the kernel's DAMON is there, unused", DAMON, 0, NULL,
      "run 'vmheat grant --damon' as root for a virtual machine", KERNEL_FIX },
    { "collapse", "2 MiB pages can be made on demand", 0, ACTIONS, NULL, NULL,
      KERNEL_FIX },
    { "psi-memory", "the host tells memory pressure", 0, ACTIONS, NULL, NULL,
      KERNEL_FIX },
    { NULL },
};

static const VhDoctorPrimitive primitives[VH_DOCTOR_USERS] = {
    [VH_DOCTOR_TRAP] = { "trap", "reads and writes",
                         "guest memory that is shared (memfd, file or "
                         "hugetlbfs)" },
    [VH_DOCTOR_UFFD_WP] = { "uffd-wp", "writes, in private memory too", NULL },
    [VH_DOCTOR_DIRTY_LOG] = { "dirty-log", "writes, in any memory", NULL },
    [VH_DOCTOR_DIRTY_RING] = { "dirty-ring", "writes, in any memory",
                               "-accel kvm,dirty-ring-size=65536" },
    [VH_DOCTOR_IDLE_PAGE] = { "idle-page", "reads and writes, in any memory",
                              NULL },
    [VH_DOCTOR_DAMON] = { "damon", "reads and writes, in any memory", NULL },
    [VH_DOCTOR_ACTIONS] = { "actions", "", NULL },
};

const VhDoctorRow *vh_doctor_rows(void)
{
    return rows;
}

const VhDoctorPrimitive *vh_doctor_primitive(VhDoctorUser user)
{
    return &primitives[user];
}

char *vh_doctor_users_str(unsigned users)
{
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; i < VH_DOCTOR_USERS; i++) {
        if (users & 1u << i) {
            g_string_append_printf(out, "%s%s", out->len ? ", " : "",
                                   primitives[i].name);
        }
    }
    return g_string_free(out, false);
}
