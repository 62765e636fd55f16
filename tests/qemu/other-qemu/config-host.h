/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a plugin believe it was built for another QEMU, to see it refuse. */
#include_next <config-host.h>
#undef QEMU_VERSION
#undef QEMU_VERSION_MICRO
#define VH_TEXT(x) VH_TEXT_OF(x)
#define VH_TEXT_OF(x) #x
#define QEMU_VERSION \
    VH_TEXT(QEMU_VERSION_MAJOR) "." VH_TEXT(QEMU_VERSION_MINOR) ".99"
#define QEMU_VERSION_MICRO 99
