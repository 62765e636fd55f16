/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>

#include "accel/damon-wire.h"

/* User space ends below this on every architecture that QEMU runs KVM on. */
#define ADDRESS_END (1ULL << 56)

VhDamonHeader vh_damon_header(VhDamonType type)
{
    return (VhDamonHeader){ VH_DAMON_MAGIC, VH_DAMON_VERSION, type };
}

VhAttrs vh_damon_attrs(const VhAttrs *asked)
{
    VhAttrs a = *asked;

    a.sampling_us = CLAMP(a.sampling_us, VH_DAMON_SAMPLING_US_MIN,
                          VH_DAMON_SAMPLING_US_MAX);
    a.aggregation_us =
        CLAMP(a.aggregation_us, a.sampling_us, VH_DAMON_AGGREGATION_US_MAX);
    a.update_us = MAX(a.update_us, a.aggregation_us);
    a.max_regions =
        CLAMP(a.max_regions, VH_MIN_REGIONS_MIN, VH_DAMON_NR_REGIONS_MAX);
    a.min_regions = CLAMP(a.min_regions, VH_MIN_REGIONS_MIN, a.max_regions);
    return a;
}

size_t vh_damon_error(VhDamonMessage *m, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    size_t n = strlen(valid);

    if (n > VH_DAMON_TEXT_MAX) {
        /* from the byte after the last that fits, to where its character began */
        n = g_utf8_find_prev_char(valid, valid + VH_DAMON_TEXT_MAX + 1) - valid;
    }
    m->header = vh_damon_header(VH_DAMON_ERROR);
    memcpy(m->error.text, valid, n);
    return offsetof(VhDamonError, text) + n;
}

size_t vh_damon_length(const VhDamonMessage *m)
{
    switch (m->header.type) {
    case VH_DAMON_WATCH:
        return offsetof(VhDamonWatch, ranges) +
               m->watch.nr * sizeof(m->watch.ranges[0]);
    case VH_DAMON_REGIONS:
        return offsetof(VhDamonRegions, regions) +
               m->regions.nr * sizeof(m->regions.regions[0]);
    default:
        return sizeof(m->header);
    }
}

static bool valid_range(uint64_t start, uint64_t end, uint64_t after)
{
    return start < end && start >= after && end <= ADDRESS_END &&
           start % VH_PAGE_SIZE == 0 && end % VH_PAGE_SIZE == 0;
}

static const char *watch_problem(const VhDamonWatch *w, size_t length)
{
    uint64_t after = 0;

    if (length < offsetof(VhDamonWatch, ranges) || !w->nr ||
        w->nr > VH_DAMON_RANGES_MAX ||
        length != vh_damon_length((const VhDamonMessage *)w)) {
        return "a WATCH of a wrong length";
    }
    if (w->sampling_us < VH_DAMON_SAMPLING_US_MIN ||
        w->sampling_us > VH_DAMON_SAMPLING_US_MAX ||
        w->aggregation_us < w->sampling_us ||
        w->aggregation_us > VH_DAMON_AGGREGATION_US_MAX ||
        w->update_us < w->aggregation_us || w->update_us > VH_INTERVAL_US_MAX) {
        return "a WATCH with intervals that are not allowed";
    }
    if (w->min_regions < VH_MIN_REGIONS_MIN ||
        w->max_regions < w->min_regions ||
        w->max_regions > VH_DAMON_NR_REGIONS_MAX) {
        return "a WATCH with numbers of regions that are not allowed";
    }
    for (uint32_t i = 0; i < w->nr; i++) {
        if (!valid_range(w->ranges[i].start, w->ranges[i].end, after)) {
            return "a WATCH with ranges that are no sorted pages";
        }
        after = w->ranges[i].end;
    }
    return NULL;
}

static const char *regions_problem(const VhDamonRegions *r, size_t length)
{
    uint64_t after = 0;

    if (length < offsetof(VhDamonRegions, regions) ||
        r->nr > VH_DAMON_PART_MAX ||
        length != vh_damon_length((const VhDamonMessage *)r)) {
        return "REGIONS of a wrong length";
    }
    if (r->total > VH_DAMON_REGIONS_MAX || r->first > r->total ||
        r->nr > r->total - r->first || (r->total && !r->nr)) {
        return "REGIONS of which there are too many or too few";
    }
    if (!r->max_nr_accesses || !r->sampling_us ||
        r->aggregation_us < r->sampling_us) {
        return "REGIONS without valid intervals";
    }
    for (uint32_t i = 0; i < r->nr; i++) {
        const VhDamonRegion *one = &r->regions[i];

        if (!valid_range(one->start, one->end, after) ||
            one->nr_accesses > r->max_nr_accesses) {
            return "REGIONS that are no sorted pages";
        }
        after = one->end;
    }
    return NULL;
}

static const char *problem(const VhDamonMessage *m, size_t length)
{
    size_t text = length - sizeof(m->header);

    switch (m->header.type) {
    case VH_DAMON_WATCH:
        return watch_problem(&m->watch, length);
    case VH_DAMON_STOP:
        return text ? "a STOP of a wrong length" : NULL;
    case VH_DAMON_REGIONS:
        return regions_problem(&m->regions, length);
    case VH_DAMON_ERROR:
        return !text || text > VH_DAMON_TEXT_MAX ||
                       !g_utf8_validate(m->error.text, text, NULL)
                   ? "an ERROR without text"
                   : NULL;
    default:
        return "a message of an unknown type";
    }
}

bool vh_damon_check(const VhDamonMessage *m, size_t length, char **why)
{
    const char *what;

    if (length < sizeof(m->header) || length > sizeof(*m) ||
        m->header.magic != VH_DAMON_MAGIC) {
        *why = g_strdup("what came over the socket is not of vmheat");
        return false;
    }
    if (m->header.version != VH_DAMON_VERSION) {
        *why = g_strdup_printf("the other end speaks version %u of the "
                               "protocol, this end version %u: use a vmheat "
                               "command and a plugin of the same version",
                               m->header.version, VH_DAMON_VERSION);
        return false;
    }
    what = problem(m, length);
    if (what) {
        *why = g_strdup_printf("the other end sent %s", what);
    }
    return !what;
}

int vh_damon_send(int fd, const VhDamonMessage *m, size_t length)
{
    ssize_t n;

    do {
        n = send(fd, m, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? errno : 0;
}

VhDamonGot vh_damon_receive(int fd, VhDamonMessage *m, char **text, char **why)
{
    ssize_t n;

    do {
        n = recv(fd, m, sizeof(*m), MSG_DONTWAIT | MSG_TRUNC);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN) {
        return VH_DAMON_NOTHING;
    }
    if (n <= 0) {
        return VH_DAMON_CLOSED;
    }
    if (!vh_damon_check(m, n, why)) {
        return VH_DAMON_BAD;
    }
    if (text && m->header.type == VH_DAMON_ERROR) {
        *text = g_strndup(m->error.text, n - offsetof(VhDamonError, text));
    }
    return VH_DAMON_GOT;
}

static int socket_option(int fd, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, name, &value, &len) ? -1 : value;
}

bool vh_damon_is_socket(int fd)
{
    return socket_option(fd, SO_DOMAIN) == AF_UNIX &&
           socket_option(fd, SO_TYPE) == SOCK_SEQPACKET;
}
