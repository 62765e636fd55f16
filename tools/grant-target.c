/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * SO_PEERCRED tells who made the listening socket. That is QEMU, unless
 * somebody else (libvirt) made it and let QEMU inherit it. The kernel's socket
 * diagnosis (sock_diag(7), what ss(8) uses) tells the inode of the other end of
 * a connection; who has that inode among its descriptors holds the other end. A
 * kernel may lack that; then SO_PEERCRED or the user's word has to do.
 *
 * That the process is a QEMU with vmheat in it shows in its memory map: the
 * plugin is mapped. A QEMU that has vmheat built in is told by its name.
 *
 * With libvirt the other end is its daemon. That one knows the process but
 * tells it nobody, except in a file that only root may write.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>

#include "grant-target.h"

#define CAP_SYS_ADMIN_BIT 21
/* where libvirt's daemon of the system notes processes: its folder, root's */
#define PID_FILE "/run/libvirt/qemu/%s.pid"

static bool send_request(int diag, unsigned inode)
{
    struct {
        struct nlmsghdr header;
        struct unix_diag_req request;
    } m = {
        .header = { .nlmsg_len = sizeof(m),
                    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                    .nlmsg_flags = NLM_F_REQUEST },
        .request = { .sdiag_family = AF_UNIX,
                     .udiag_states = -1,
                     .udiag_ino = inode,
                     .udiag_show = UDIAG_SHOW_PEER,
                     .udiag_cookie = { -1, -1 } },
    };

    return send(diag, &m, sizeof(m), 0) == (ssize_t)sizeof(m);
}

static unsigned peer_in(const struct nlmsghdr *h)
{
    const struct unix_diag_msg *m = NLMSG_DATA(h);
    const struct rtattr *a = (const void *)(m + 1);
    int left = (int)h->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*m));
    uint32_t inode = 0;

    for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        if (a->rta_type == UNIX_DIAG_PEER && RTA_PAYLOAD(a) >= sizeof(inode)) {
            memcpy(&inode, RTA_DATA(a), sizeof(inode));
        }
    }
    return inode;
}

static unsigned ask_peer(int diag, unsigned inode)
{
    struct timeval second = { .tv_sec = 1 };
    union {
        struct nlmsghdr header;
        char room[4096];
    } m;
    ssize_t n;

    setsockopt(diag, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
    if (!send_request(diag, inode)) {
        return 0;
    }
    n = recv(diag, &m, sizeof(m), 0);
    return n > 0 && NLMSG_OK(&m.header, (size_t)n) &&
                   m.header.nlmsg_type == SOCK_DIAG_BY_FAMILY
               ? peer_in(&m.header)
               : 0;
}

/* Inode of the other end, or 0 when the kernel does not tell. */
static unsigned peer_inode(int fd)
{
    struct stat st;
    unsigned inode;
    int diag;

    if (fstat(fd, &st)) {
        return 0;
    }
    diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    inode = diag < 0 ? 0 : ask_peer(diag, st.st_ino);
    if (diag >= 0) {
        close(diag);
    }
    return inode;
}

static char *proc_path(pid_t pid, const char *name)
{
    return g_strdup_printf("/proc/%d/%s", pid, name);
}

static bool holds(pid_t pid, unsigned inode)
{
    g_autofree char *folder = proc_path(pid, "fd");
    g_autofree char *wanted = g_strdup_printf("socket:[%u]", inode);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    bool found = false;

    while (dir && !found && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *link = g_file_read_link(path, NULL);

        found = !g_strcmp0(link, wanted);
    }
    return found;
}

static pid_t find_holder(unsigned inode)
{
    g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        pid_t pid = g_ascii_isdigit(name[0]) ? atoi(name) : 0;

        if (pid && holds(pid, inode)) {
            return pid;
        }
    }
    return 0;
}

static pid_t listener(int fd)
{
    struct ucred cred = { .pid = 0 };
    socklen_t len = sizeof(cred);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) ? 0 : cred.pid;
}

static bool maps_plugin(const char *maps)
{
    return strstr(maps, "/vmheat.so\n") ||
           strstr(maps, "/vmheat.so (deleted)\n");
}

static bool is_qemu(pid_t pid, char **why)
{
    g_autofree char *maps_path = proc_path(pid, "maps");
    g_autofree char *exe_path = proc_path(pid, "exe");
    g_autofree char *exe = g_file_read_link(exe_path, NULL);
    g_autofree char *name = g_path_get_basename(exe ? exe : "?");
    g_autofree char *maps = NULL;
    g_autoptr(GError) error = NULL;

    if (!g_file_get_contents(maps_path, &maps, NULL, &error)) {
        *why = g_strdup_printf("cannot look at process %d: %s; run 'vmheat "
                               "grant' as root",
                               pid, error->message);
        return false;
    }
    if (maps_plugin(maps) || g_str_has_prefix(name, "qemu-system-") ||
        g_str_equal(name, "qemu-kvm")) {
        return true;
    }
    *why = g_strdup_printf("process %d (%s) is no QEMU with vmheat in it; name "
                           "QEMU's process with --pid",
                           pid, name);
    return false;
}

pid_t vh_grant_target(int fd, pid_t pid, char **why)
{
    unsigned peer = peer_inode(fd);
    pid_t found = pid ? pid : listener(fd);

    if (peer && !(found && holds(found, peer))) {
        pid_t holder = find_holder(peer);

        if (pid && holder) {
            *why = g_strdup_printf("process %d is not at the other end of the "
                                   "socket, process %d is",
                                   pid, holder);
            return 0;
        }
        found = holder ? holder : found;
    }
    if (!found) {
        *why = g_strdup("cannot find out which process is at the other end of "
                        "the socket; name it with --pid");
        return 0;
    }
    return is_qemu(found, why) ? found : 0;
}

static pid_t noted(const char *name, char **why)
{
    g_autofree char *path = g_strdup_printf(PID_FILE, name);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    pid_t pid = g_file_get_contents(path, &text, NULL, &error) ? atoi(text) : 0;

    if (pid <= 0) {
        *why = g_strdup_printf("cannot find out which process domain '%s' is "
                               "from '%s': %s; name it with --pid",
                               name, path,
                               error ? error->message : "there is no number");
    }
    return MAX(pid, 0);
}

/* Has its command line this word? */
static bool has_word(pid_t pid, const char *word)
{
    g_autofree char *path = proc_path(pid, "cmdline");
    g_autofree char *text = NULL;
    gsize len = 0, at = 0;

    if (!g_file_get_contents(path, &text, &len, NULL)) {
        return false;
    }
    while (at < len && !g_str_equal(text + at, word)) {
        at += strlen(text + at) + 1;
    }
    return at < len;
}

pid_t vh_grant_domain(const char *name, const char *uuid, pid_t pid, char **why)
{
    pid_t found = pid ? pid : noted(name, why);

    if (!found || !is_qemu(found, why)) {
        return 0;
    }
    if (!has_word(found, uuid)) {
        *why = g_strdup_printf("process %d is not domain '%s'; name that one's "
                               "QEMU with --pid",
                               found, name);
        return 0;
    }
    return found;
}

bool vh_grant_sees_pfns(void)
{
    g_autofree char *text = NULL;
    const char *line;

    if (!g_file_get_contents("/proc/self/status", &text, NULL, NULL)) {
        return false;
    }
    line = strstr(text, "\nCapEff:");
    return line &&
           strtoull(line + strlen("\nCapEff:"), NULL, 16) >> CAP_SYS_ADMIN_BIT &
               1;
}
