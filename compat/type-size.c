/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * QEMU 10 does not tell the size of a type's instances any more. It is in the
 * record that a class points to, whose layout is QEMU's own affair. So a type
 * with sizes that nothing else has is registered, and its record shows where
 * they are kept; where they are not found, nothing is told.
 */
#include "compat/qemu.h"
#include "compat/type-size.h"

#ifdef VH_TYPE_INSTANCE_SIZE
size_t vh_type_size(const char *type)
{
    return object_type_get_instance_size(type);
}
#else
#define TYPE_MARK "vmheat-mark"

typedef struct Mark {
    Object parent_obj;
    char data[1032];
} Mark;

typedef struct MarkClass {
    ObjectClass parent_class;
    char data[2056];
} MarkClass;

/* How the record begins. */
typedef struct TypeHead {
    const char *name;
    size_t class_size;
    size_t instance_size;
} TypeHead;

static const TypeInfo mark_info = {
    .name = TYPE_MARK,
    .parent = TYPE_OBJECT,
    .instance_size = sizeof(Mark),
    .class_size = sizeof(MarkClass),
};

static const TypeHead *head_of(const char *type)
{
    ObjectClass *oc = object_class_by_name(type);

    return oc ? (const TypeHead *)oc->type : NULL;
}

static bool layout_is_known(void)
{
    const TypeHead *mark = head_of(TYPE_MARK);

    if (!mark) {
        type_register_static(&mark_info);
        mark = head_of(TYPE_MARK);
    }
    return mark && mark->class_size == sizeof(MarkClass) &&
           mark->instance_size == sizeof(Mark);
}

size_t vh_type_size(const char *type)
{
    const TypeHead *head = layout_is_known() ? head_of(type) : NULL;

    return head ? head->instance_size : 0;
}
#endif
