/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * QMP commands: QAPI's generated vmheat_qmp_init_marshal() initialises the
 * list it is given, so it fills a private list, whose entries then move to
 * QEMU's qmp_commands.
 *
 * Introspection: query-qmp-schema answers from a table compiled into QEMU. The
 * command's function is wrapped: QEMU's answer first, then our entities. The
 * wrapped function hangs off the machine as a QOM object. QEMU masks type names
 * with numbers from 0; ours keep their names (qapi-gen.py -u), so that the two
 * do not collide.
 */
#include "compat/qemu.h"
#include "monitor/tables.h"
#include "monitors.h"
#include "vmheat-qapi-init-commands.h"
#include "vmheat-qapi-introspect.h"

#define TYPE_VMHEAT_SCHEMA "vmheat-schema"
#define VMHEAT_SCHEMA_PATH "/machine/vmheat-schema"
OBJECT_DECLARE_SIMPLE_TYPE(VmheatSchema, VMHEAT_SCHEMA)

struct VmheatSchema {
    Object parent_obj;
    QmpCommandFunc *qemu_schema;
};

static const TypeInfo schema_info = {
    .name = TYPE_VMHEAT_SCHEMA,
    .parent = TYPE_OBJECT,
    .instance_size = sizeof(VmheatSchema),
};

/* Names of the entities in a list; they belong to the list. */
static GHashTable *schema_names(const QList *schema)
{
    GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);
    const QListEntry *e;

    QLIST_FOREACH_ENTRY(schema, e)
    {
        const QDict *d = qobject_to(QDict, qlist_entry_obj(e));

        g_hash_table_add(names, (char *)qdict_get_str(d, "name"));
    }
    return names;
}

/* Builtin types, and arrays of them, are in QEMU's own answer too. */
static void append_ours(QList *schema)
{
    g_autoptr(GHashTable) names = schema_names(schema);
    QObject *ours = qobject_from_qlit(&vmheat_qmp_schema_qlit);
    const QListEntry *e;

    QLIST_FOREACH_ENTRY(qobject_to(QList, ours), e)
    {
        QDict *d = qobject_to(QDict, qlist_entry_obj(e));

        if (!g_hash_table_contains(names, qdict_get_str(d, "name"))) {
            qlist_append(schema, qobject_ref(d));
        }
    }
    qobject_unref(ours);
}

static void query_schema(QDict *args, QObject **ret, Error **errp)
{
    VmheatSchema *s =
        VMHEAT_SCHEMA(object_resolve_path(VMHEAT_SCHEMA_PATH, NULL));

    s->qemu_schema(args, ret, errp);
    if (*ret) {
        append_ours(qobject_to(QList, *ret));
    }
}

bool vmheat_monitor_installed(void)
{
    return qmp_find_command(&qmp_commands, "query-vmheat") != NULL;
}

static void wrap_schema(void)
{
    Object *o = object_new(TYPE_VMHEAT_SCHEMA);

    VMHEAT_SCHEMA(o)->qemu_schema =
        vmheat_qmp_wrap("query-qmp-schema", query_schema);
    object_property_add_child(qdev_get_machine(), "vmheat-schema", o);
    object_unref(o);
}

void vmheat_monitor_register_types(void)
{
    type_register_static(&schema_info);
}

void vmheat_qmp_install(void)
{
    QmpCommandList ours;
    QmpCommand *cmd, *next;

    vmheat_qmp_init_marshal(&ours);
    QTAILQ_FOREACH_SAFE(cmd, &ours, node, next)
    {
        QTAILQ_REMOVE(&ours, cmd, node);
        QTAILQ_INSERT_TAIL(&qmp_commands, cmd, node);
    }
    wrap_schema();
}
