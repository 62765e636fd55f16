/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What GCC may call although there is no libc; x86's inlines it. */
#include <stddef.h>

void *memset(void *to, int c, size_t n);
void *memcpy(void *to, const void *from, size_t n);

void *memset(void *to, int c, size_t n)
{
    unsigned char *p = to;

    while (n--) {
        *p++ = c;
    }
    return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
    const unsigned char *q = from;
    unsigned char *p = to;

    while (n--) {
        *p++ = *q++;
    }
    return to;
}
