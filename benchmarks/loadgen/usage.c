/* Time, and who used how much of the CPU and memory: read from /proc. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "loadgen.h"

int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

double now_s(void) { return now_ns() * 1e-9; }

struct process {
    int pid, parent;
    double user_s, sys_s;
    long rss_kb;
    int side; /* 0 nobody's, 1 server, 2 store */
};

static int command_has(int pid, const char *word)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
    FILE *f = fopen(path, "r");
    if (!f)
        return 0;
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    return memmem(text, n, word, strlen(word)) != NULL;
}

/*
 * Adds up the server's process tree and the store's. A store that the server started itself sits
 * inside the server's tree: it is known by its command line (-x) and goes, with all below it, to
 * the store's account. Children that ended and were waited for are in the parent's cutime, cstime.
 */
void usage_sample(struct usage *server, struct usage *store)
{
    static struct process table[8192];
    int n = 0, changed = 1;
    double tick = sysconf(_SC_CLK_TCK);
    long page_kb = sysconf(_SC_PAGESIZE) / 1024;
    memset(server, 0, sizeof *server);
    memset(store, 0, sizeof *store);
    if (!opt.server_pid)
        return;
    DIR *proc = opendir("/proc");
    for (struct dirent *e; proc && n < 8192 && (e = readdir(proc));) {
        char path[300], text[1024];
        if (!isdigit((unsigned char)e->d_name[0]))
            continue;
        snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
        FILE *f = fopen(path, "r");
        if (!f)
            continue;
        text[fread(text, 1, sizeof text - 1, f)] = 0;
        fclose(f);
        char *after_name = strrchr(text, ')'); /* the name itself may hold spaces and brackets */
        struct process *p = &table[n];
        long ut, st, cut, cst, rss;
        /* fields 4 (parent), 14 to 17 (user, system, and both of ended children), 24 (pages) */
        if (!after_name || sscanf(after_name + 2, "%*s %d %*s %*s %*s %*s %*s %*s %*s %*s %*s"
                                  " %ld %ld %ld %ld %*s %*s %*s %*s %*s %*s %ld",
                                  &p->parent, &ut, &st, &cut, &cst, &rss) != 6)
            continue;
        p->pid = atoi(e->d_name);
        p->user_s = (ut + cut) / tick;
        p->sys_s = (st + cst) / tick;
        p->rss_kb = rss * page_kb;
        p->side = p->pid == opt.store_pid ? 2 : p->pid == opt.server_pid ? 1 : 0;
        n++;
    }
    if (proc)
        closedir(proc);
    while (changed) { /* a child may be listed before its parent: repeat until nothing moves */
        changed = 0;
        for (int i = 0; i < n; i++)
            for (int j = 0; table[i].side == 0 && j < n; j++)
                if (table[j].side && table[i].parent == table[j].pid) {
                    table[i].side = table[j].side;
                    if (opt.store_name && command_has(table[i].pid, opt.store_name))
                        table[i].side = 2;
                    changed = 1;
                }
    }
    for (int i = 0; i < n; i++) {
        struct usage *u = table[i].side == 1 ? server : table[i].side == 2 ? store : NULL;
        if (!u)
            continue;
        u->user_s += table[i].user_s;
        u->sys_s += table[i].sys_s;
        u->rss_kb += table[i].rss_kb;
    }
}

double cpu_between(const struct usage *a, const struct usage *b)
{
    return b->user_s - a->user_s + b->sys_s - a->sys_s;
}

double own_cpu_s(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return r.ru_utime.tv_sec + r.ru_stime.tv_sec + 1e-6 * (r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}
