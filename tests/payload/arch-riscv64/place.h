/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where RAM of the machine virt begins; the level of programs: U (0). */
#ifndef VHP_PLACE_H
#define VHP_PLACE_H

#define VHP_BASE 0x80000000
#define VHP_USER_RING 0

#endif
