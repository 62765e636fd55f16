/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PAGEMAP_SCAN and plain pagemap tell the same about every page and range. */
#include "check.h"

#define PAGES 1024 /* and some room for ranges that begin near the end */
#define ROOM 8

static void agree(const VhPagemap *scan, const VhPagemap *plain, uint8_t *p,
                  size_t len)
{
    bool a = vh_pagemap_any_present(scan, p, len);
    bool b = vh_pagemap_any_present(plain, p, len);

    CHECK(a == b, "%zu bytes at %p: scan %d, plain %d", len, (void *)p, a, b);
}

int main(void)
{
    uint8_t *p = check_shared((PAGES + ROOM) * PAGE, PAGE);
    VhPagemap scan = check_pagemap(), plain = scan;
    unsigned seed = 1;
    size_t present = 0;

    if (!scan.scan) {
        SKIP_FIX("Linux 6.7 or later", "this kernel has no PAGEMAP_SCAN");
    }
    plain.scan = false;
    for (size_t i = 0; i < PAGES; i++) {
        if (rand_r(&seed) % 3 == 0) {
            p[i * PAGE] = 1;
        }
    }
    for (size_t i = 0; i < PAGES; i++) {
        unsigned a = vh_pagemap_query(&scan, p + i * PAGE);
        unsigned b = vh_pagemap_query(&plain, p + i * PAGE);

        CHECK((a & VH_PAGE_PRESENT) == b, "page %zu: scan %u, plain %u", i, a,
              b);
        agree(&scan, &plain, p + i * PAGE, (1 + i % 7) * PAGE);
        present += b;
    }
    CHECK(present > PAGES / 4 && present < PAGES / 2, "%zu present", present);
    agree(&scan, &plain, p, PAGES * PAGE);
    CHECK(madvise(p, PAGES * PAGE, MADV_DONTNEED) == 0, "MADV_DONTNEED");
    CHECK(!vh_pagemap_any_present(&scan, p, PAGES * PAGE), "scan");
    CHECK(!vh_pagemap_any_present(&plain, p, PAGES * PAGE), "plain");
    p[(PAGES - 1) * PAGE] = 1; /* beyond the first chunk of plain reads */
    CHECK(vh_pagemap_any_present(&scan, p, PAGES * PAGE), "scan");
    CHECK(vh_pagemap_any_present(&plain, p, PAGES * PAGE), "plain");
    check_seen("PAGEMAP_SCAN and pagemap agree on %d pages, %zu present", PAGES,
               present);
    return 0;
}
