/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types, properties and where the machine keeps its devices. */
#ifndef VMHEAT_COMPAT_QOM_H
#define VMHEAT_COMPAT_QOM_H

#include "compat/includes.h"

#ifdef VH_CONST_CLASS_DATA
typedef const void VhClassData;
typedef const InterfaceInfo VhInterfaceInfo;
#else
typedef void VhClassData;
typedef InterfaceInfo VhInterfaceInfo;
#endif

/* A table of properties ends with VH_PROPERTIES_END. */
#ifdef VH_PROPERTIES_HAVE_END
typedef Property VhProperty;
#define VH_PROPERTIES_END DEFINE_PROP_END_OF_LIST(),
#else
typedef const Property VhProperty;
#define VH_PROPERTIES_END
#endif

/* @name: "peripheral" or "peripheral-anon" */
static inline Object *vh_machine_container(const char *name)
{
#ifdef VH_MACHINE_CONTAINER
    return machine_get_container(name);
#else
    g_autofree char *path = g_strconcat("/", name, NULL);

    return container_get(qdev_get_machine(), path);
#endif
}

#endif
