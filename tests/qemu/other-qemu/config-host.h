/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a plugin believe it was built for another QEMU, to see it refuse. */
#include_next <config-host.h>
#undef QEMU_VERSION
#undef QEMU_VERSION_MICRO
#define QEMU_VERSION "7.2.99"
#define QEMU_VERSION_MICRO 99
