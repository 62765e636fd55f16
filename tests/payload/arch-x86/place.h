/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where RAM begins, and the privilege level of programs: ring 3. */
#ifndef VHP_PLACE_H
#define VHP_PLACE_H

#define VHP_BASE 0x0
#define VHP_USER_RING 3

#endif
