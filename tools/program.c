/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * The program gets a process group of its own, so that what it started ends
 * with it, and dies with its parent. Its end and its output are looked at in
 * turns of a few milliseconds: output has to be read or the program would block
 * on a full pipe, but its end is no proof of the program's, nor the other way
 * round: a grandchild may hold the pipe. Nothing waits without a limit.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <glib-unix.h>

#include "program.h"

#define OUTPUT_MAX (16 * 1024)
#define TURN_MS 5
#define KILL_PATIENCE_US G_USEC_PER_SEC

typedef struct Running {
    GPid pid;
    int fd[2];
    GString *text[2];
} Running;

/* In the child, between fork and exec. */
static void in_child(gpointer parent)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != GPOINTER_TO_INT(parent)) {
        _exit(127); /* the parent died before prctl() */
    }
}

static bool start(const char *path, Running *r, char **problem)
{
    char *argv[] = { (char *)path, NULL };
    g_autoptr(GError) error = NULL;

    if (access(path, X_OK) != 0) {
        *problem =
            g_strdup_printf("cannot run %s: %s", path, g_strerror(errno));
        return false;
    }
    if (!g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
                                  in_child, GINT_TO_POINTER(getpid()), &r->pid,
                                  NULL, &r->fd[0], &r->fd[1], &error)) {
        *problem = g_strdup(error->message);
        return false;
    }
    for (int i = 0; i < 2; i++) {
        g_unix_set_fd_nonblocking(r->fd[i], true, NULL);
        r->text[i] = g_string_new(NULL);
    }
    return true;
}

static void close_output(Running *r, int i)
{
    if (r->fd[i] >= 0) {
        close(r->fd[i]);
        r->fd[i] = -1;
    }
}

/* What is there now; what exceeds the limit is thrown away. */
static void take_output(Running *r, int i)
{
    char buffer[4096];
    ssize_t n = r->fd[i] < 0 ? 0 : read(r->fd[i], buffer, sizeof(buffer));

    if (n > 0) {
        g_string_append_len(r->text[i], buffer,
                            MIN((gsize)n, OUTPUT_MAX - r->text[i]->len));
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        close_output(r, i);
    }
}

static void one_turn(Running *r)
{
    struct pollfd p[2] = { { r->fd[0], POLLIN, 0 }, { r->fd[1], POLLIN, 0 } };

    poll(p, 2, TURN_MS); /* leaves out those that are -1 */
    for (int i = 0; i < 2; i++) {
        if (p[i].revents) {
            take_output(r, i);
        }
    }
}

/* Leaves it unreaped, so that its number belongs to it. */
static bool has_ended(const Running *r)
{
    siginfo_t info = { .si_pid = 0 };

    return waitid(P_PID, r->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == r->pid;
}

static bool await_end(Running *r, gint64 deadline)
{
    while (!has_ended(r)) {
        if (g_get_monotonic_time() >= deadline) {
            return false;
        }
        one_turn(r);
    }
    return true;
}

static char *read_status(Running *r, int *status)
{
    int wait_status = 0;

    if (waitpid(r->pid, &wait_status, WNOHANG) != r->pid) {
        return g_strdup("cannot be killed");
    }
    if (WIFSIGNALED(wait_status)) {
        return g_strdup_printf("killed by signal %d (%s)",
                               WTERMSIG(wait_status),
                               g_strsignal(WTERMSIG(wait_status)));
    }
    *status = WEXITSTATUS(wait_status);
    return NULL;
}

/* Output that is in the pipes already, also after the end. */
static void take_rest(Running *r)
{
    for (int i = 0; i < 2; i++) {
        for (int n = 0; n < OUTPUT_MAX / 4096 * 2 && r->fd[i] >= 0; n++) {
            take_output(r, i);
        }
        close_output(r, i);
    }
}

void vh_program_run(const char *path, gint64 timeout_us,
                    VhProgramResult *result)
{
    Running r = { .fd = { -1, -1 } };
    bool in_time;

    *result = (VhProgramResult){ .status = -1 };
    if (!start(path, &r, &result->problem)) {
        return;
    }
    in_time = await_end(&r, g_get_monotonic_time() + timeout_us);
    kill(-r.pid, SIGKILL); /* or what it left behind */
    if (!in_time) {
        kill(r.pid, SIGKILL); /* it may have left its group */
        await_end(&r, g_get_monotonic_time() + KILL_PATIENCE_US);
    }
    result->timed_out = !in_time;
    result->problem = read_status(&r, &result->status);
    if (!in_time) {
        g_free(result->problem);
        result->problem = g_strdup_printf("no end within %g s",
                                          timeout_us / (double)G_USEC_PER_SEC);
    }
    take_rest(&r);
    result->out = g_utf8_make_valid(r.text[0]->str, -1);
    result->err = g_utf8_make_valid(r.text[1]->str, -1);
    g_string_free(r.text[0], true);
    g_string_free(r.text[1], true);
}

void vh_program_result_clear(VhProgramResult *result)
{
    g_clear_pointer(&result->problem, g_free);
    g_clear_pointer(&result->out, g_free);
    g_clear_pointer(&result->err, g_free);
}
