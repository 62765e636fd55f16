/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Generated types and functions for optional strings and structures: NULL is
 * "not there". Up to QEMU 7.2 there is a has_NAME too, which is true when NAME
 * is not NULL. Numbers, enumerations and lists have one in every version.
 */
#ifndef VMHEAT_COMPAT_QAPI_H
#define VMHEAT_COMPAT_QAPI_H

#ifdef VH_QAPI_HAS_POINTERS
/* Told when @object's @member was set: NULL is "not there". */
#define vh_opt_set(object, member) \
    ((object)->has_##member = (object)->member != NULL)
/* The optional pointer @p as an argument of a generated function. */
#define vh_opt_arg(p) (p) != NULL, (p)
/* An optional pointer as a parameter of a command's function. */
#define VH_OPT_PARAM(type, name) bool has_##name, type name
#else
#define vh_opt_set(object, member) ((void)(object)->member)
#define vh_opt_arg(p) (p)
#define VH_OPT_PARAM(type, name) type name
#endif

#endif
