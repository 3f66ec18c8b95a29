/* DPDK's environment: one in a process, never in a copy of a process; its log, and the threads that use it. */
#define _GNU_SOURCE
#include "versions.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>

#include "shim.h"

static int state = VP_NONE;
static volatile int forked;
static char *arguments;

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static char log_text[1 << 14];
static int log_size;

static pthread_key_t thread_key;
static __thread int thread_known;

int vp_api(void) { return VP_API; }

const char *vp_version(void) { return rte_version(); }

int vp_forked(void) { return forked; }

int vp_eal_state(void) { return forked ? VP_FORKED : state; }

const char *vp_eal_arguments(void) { return arguments ? arguments : ""; }

int vp_iova_is_va(void) { return rte_eal_iova_mode() == RTE_IOVA_VA; }

/* Keeps the newest part of what is logged. */
static ssize_t log_write(void *cookie, const char *text, size_t size)
{
    const int room = sizeof(log_text);
    int take = size > (size_t)room ? room : (int)size;

    (void)cookie;
    pthread_mutex_lock(&log_lock);
    if (log_size + take > room) {
        int drop = log_size + take - room;
        memmove(log_text, log_text + drop, log_size - drop);
        log_size -= drop;
    }
    memcpy(log_text + log_size, text + (size - take), take);
    log_size += take;
    pthread_mutex_unlock(&log_lock);
    return size;
}

int vp_log_take(char *to, int size)
{
    pthread_mutex_lock(&log_lock);
    int take = log_size < size ? log_size : size;
    memcpy(to, log_text, take);
    memmove(log_text, log_text + take, log_size - take);
    log_size -= take;
    pthread_mutex_unlock(&log_lock);
    return take;
}

static void in_child(void) { forked = 1; }

static void thread_ends(void *unused)
{
    (void)unused;
    if (!forked)
        rte_thread_unregister();
}

/* A thread that DPDK does not know has no cache of buffers of its own. Without a free place it goes on without. */
void vp_this_thread(void)
{
    if (thread_known)
        return;
    thread_known = 1;
    if (rte_lcore_id() == LCORE_ID_ANY && rte_thread_register() == 0)
        pthread_setspecific(thread_key, &thread_known);
}

static int remember(int argc, char **argv)
{
    size_t size = 1;
    for (int i = 1; i < argc; i++)
        size += strlen(argv[i]) + 1;
    arguments = calloc(1, size);
    if (!arguments)
        return -ENOMEM;
    for (int i = 1; i < argc; i++) {
        if (i > 1)
            strcat(arguments, "\n");
        strcat(arguments, argv[i]);
    }
    return 0;
}

int vp_eal_init(int argc, char **argv)
{
    cookie_io_functions_t functions = {.write = log_write};

    if (vp_eal_state() != VP_NONE)
        return -EALREADY;
    if (remember(argc, argv) < 0)
        return -ENOMEM;
    FILE *stream = fopencookie(NULL, "w", functions);
    if (stream) {
        setvbuf(stream, NULL, _IOLBF, 0);
        rte_openlog_stream(stream);
    }
    pthread_atfork(NULL, NULL, in_child);
    pthread_key_create(&thread_key, thread_ends);
    if (rte_eal_init(argc, argv) < 0) {
        state = VP_FAILED;
        return rte_errno ? -rte_errno : -EINVAL;
    }
    state = VP_RUNS;
    return 0;
}
