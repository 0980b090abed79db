/*
 * loadgen: load for a Socket.IO v5 chat server, namespace /chat, WebSocket transport only.
 *
 * One thread, one epoll, no library: the generator must cost less than the server it measures, and
 * must not be what limits it. It opens N sockets in rooms of R, joins each socket to its room, runs
 * one of the modes below for a fixed time, and prints ONE line of JSON.
 *
 *   fan      closed loop: W messages in flight per room, the next one when all R members have it
 *   typ      the same with `typing`, which goes to R - 1 members and is not acknowledged
 *   ack      closed loop: W sendMessage in flight per socket, the next one at its ack
 *   open     open loop: `-q` messages a second in all, round robin over rooms, whatever comes back
 *   opentyp  the same with `typing`
 *   idle     only connect and join; with `-h` hold the sockets and answer heartbeats
 *
 * CPU is read from /proc at the two edges of the measured window, here and not in the runner, so
 * that counters and CPU are of the same instant. See usage_sample() for who is counted.
 *
 *   cc -O2 -Wall -o loadgen *.c
 *   ./loadgen -p PORT -P SERVER_PID -t TOKENS -k CHATS -m fan -n 200 -r 100 -w 1 -d 2
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "loadgen.h"

struct options opt = {
    .conns = 100, .room_size = 10, .in_flight = 1, .handshakes = 32, .content_bytes = 100,
    .window_s = 2, .warm_s = 1, .rate = 100, .connect_limit_s = 90, .mode = "fan",
};
struct generator gen;

static long percentile_us(double q)
{
    long wanted = gen.latency_count * q, seen = 0;
    for (int i = 0; i < LATENCY_MAX_US; i++)
        if ((seen += gen.latency[i]) > wanted)
            return i;
    return gen.latency_count ? LATENCY_MAX_US : 0;
}

static void hold_idle(void)
{
    struct usage a, b, store;
    long pings_before = gen.pings;
    double start = now_s();
    usage_sample(&a, &store);
    while (now_s() - start < opt.hold_s)
        poll_sockets(200);
    usage_sample(&b, &store);
    double took = now_s() - start, cpu = cpu_between(&a, &b);
    printf(",\"idle_wall_s\":%.1f,\"idle_cpu_s\":%.2f,\"idle_cpu_pct\":%.3f,\"pings\":%ld",
           took, cpu, 100 * cpu / took, gen.pings - pings_before);
}

static void send_open_loop(double start, long *sent)
{
    double due, t = now_s();
    while ((due = start + *sent / opt.rate) <= t) {
        struct conn *c = next_sender(*sent % gen.room_count);
        if (gen.measuring && t - due > gen.worst_late_s)
            gen.worst_late_s = t - due; /* the generator's own lateness: if large, distrust p99 */
        ++*sent;
        if (c->state != READY)
            continue;
        if (opt.is_typing)
            send_typing(c);
        else
            send_message(c);
    }
}

static void run_load(void)
{
    struct usage a = {0}, b, store_a = {0}, store_b;
    double start = now_s(), from = 0, own = 0;
    static struct generator then; /* at the start of the window */
    long open_sent = 0, other_before = gen.other;
    gen.pumping = 1;
    for (int r = 0; opt.is_fan && r < gen.room_count; r++)
        pump_room(r);
    for (int i = 0; opt.is_ack && i < opt.conns; i++)
        pump_socket(&gen.all[i]);
    for (;;) {
        double t = now_s();
        if (!gen.measuring && t - start >= opt.warm_s) {
            memset(gen.latency, 0, LATENCY_MAX_US * sizeof *gen.latency);
            gen.latency_count = 0;
            then = gen;
            own = own_cpu_s();
            usage_sample(&a, &store_a);
            from = now_s();
            gen.measuring = 1;
        }
        if (gen.measuring && now_s() - from >= opt.window_s)
            break;
        if (gen.refused > 50)
            break; /* a rate limit, most likely: not worth the time */
        if (opt.is_open)
            send_open_loop(start, &open_sent);
        poll_sockets(opt.is_open ? 0 : 50);
    }
    usage_sample(&b, &store_b);
    double took = now_s() - from, cpu = cpu_between(&a, &b);
    gen.measuring = gen.pumping = 0;
    if (cpu <= 0)
        cpu = 1e-9; /* no server pid given */
    own = own_cpu_s() - own;
    long sends = gen.sends - then.sends, acks = gen.acks - then.acks;
    long deliveries = gen.deliveries - then.deliveries, frames = gen.frames - then.frames;
    printf(",\"wall_s\":%.2f,\"server_user_s\":%.2f,\"server_sys_s\":%.2f,\"server_cpu_pct\":%.0f"
           ",\"store_cpu_s\":%.2f,\"generator_cpu_pct\":%.0f,\"sends\":%ld,\"acks\":%ld"
           ",\"deliveries\":%ld,\"other\":%ld,\"bytes_per_frame\":%.0f"
           ",\"deliveries_per_cpu_s\":%.0f,\"acks_per_cpu_s\":%.0f"
           ",\"sends_per_cpu_s\":%.0f,\"deliveries_per_s\":%.0f"
           ",\"acks_per_s\":%.0f,\"latency_of\":\"%s\",\"p50_us\":%ld,\"p99_us\":%ld"
           ",\"generator_late_ms\":%.1f",
           took, b.user_s - a.user_s, b.sys_s - a.sys_s, 100 * cpu / took,
           cpu_between(&store_a, &store_b), 100 * own / took, sends, acks, deliveries,
           gen.other - then.other,
           frames ? (double)(gen.bytes_in - then.bytes_in) / frames : 0.0, deliveries / cpu,
           acks / cpu, sends / cpu, deliveries / took, acks / took,
           opt.is_ack ? "ack" : "delivery", percentile_us(.5), percentile_us(.99),
           gen.worst_late_s * 1e3);

    /* All that was sent must come back to everybody, late or not: a fast server never loses. */
    long recipients = opt.is_typing ? opt.room_size - 1 : opt.room_size;
    long acks_due = opt.is_typing ? 0 : gen.sends;
    double end = now_s() + 3;
    while ((gen.deliveries < gen.sends * recipients || gen.acks < acks_due) && now_s() < end)
        poll_sockets(20);
    printf(",\"missing_deliveries\":%ld,\"missing_acks\":%ld,\"other_in_run\":%ld",
           gen.sends * recipients - gen.deliveries, acks_due - gen.acks, gen.other - other_before);
}

static char **read_lines(const char *path, int *count)
{
    char **lines = NULL, *line = NULL;
    size_t room_for = 0;
    ssize_t n;
    FILE *f = path ? fopen(path, "r") : NULL;
    *count = 0;
    while (f && (n = getline(&line, &room_for, f)) > 0) {
        line[strcspn(line, "\r\n")] = 0;
        if (!*line)
            continue;
        lines = realloc(lines, (*count + 1) * sizeof *lines);
        lines[(*count)++] = strdup(line);
    }
    if (!*count) {
        fprintf(stderr, "nothing in %s\n", path ? path : "a file that was not given: -t or -k");
        exit(2);
    }
    fclose(f);
    return lines;
}

static void read_options(int argc, char **argv)
{
    int o;
    while ((o = getopt(argc, argv, "p:P:S:x:t:k:m:n:r:w:d:W:q:c:h:l:s:b")) != -1)
        switch (o) {
        case 'p': opt.port = atoi(optarg); break;
        case 'P': opt.server_pid = atoi(optarg); break;   /* root of the server's process tree */
        case 'S': opt.store_pid = atoi(optarg); break;    /* root of the store's, if there is one */
        case 'x': opt.store_name = optarg; break;         /* word in an embedded store's command */
        case 't': opt.token_file = optarg; break;         /* JWTs; socket i: line i modulo lines */
        case 'k': opt.chat_file = optarg; break;          /* line k = chat id of room k */
        case 'm': opt.mode = optarg; break;
        case 'n': opt.conns = atoi(optarg); break;
        case 'r': opt.room_size = atoi(optarg); break;
        case 'w': opt.in_flight = atoi(optarg); break;
        case 'd': opt.window_s = atof(optarg); break;
        case 'W': opt.warm_s = atof(optarg); break;
        case 'q': opt.rate = atof(optarg); break;         /* open: messages a second, in all */
        case 'c': opt.handshakes = atoi(optarg); break;   /* connecting at the same time */
        case 'h': opt.hold_s = atof(optarg); break;       /* idle: seconds */
        case 'l': opt.content_bytes = atoi(optarg); break;
        case 's': opt.since = atol(optarg); break;        /* joins know the chat up to here */
        case 'b': opt.busy_poll = 1; break;               /* never sleep in epoll: see README */
        default: exit(2);
        }
    opt.is_fan = !strcmp(opt.mode, "fan") || !strcmp(opt.mode, "typ");
    opt.is_typing = !strcmp(opt.mode, "typ") || !strcmp(opt.mode, "opentyp");
    opt.is_ack = !strcmp(opt.mode, "ack");
    opt.is_open = !strcmp(opt.mode, "open") || !strcmp(opt.mode, "opentyp");
    opt.is_idle = !strcmp(opt.mode, "idle");
    if (!(opt.is_fan || opt.is_ack || opt.is_open || opt.is_idle)
        || opt.room_size < 1 + opt.is_typing || !opt.port
        || opt.in_flight < 1 || opt.in_flight > MAX_IN_FLIGHT || opt.content_bytes > 10000) {
        fprintf(stderr, "bad options: see the top of main.c\n");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    struct rlimit files;
    struct usage at_start, at_fifth = {0}, at_full, store;
    read_options(argc, argv);
    gen.tokens = read_lines(opt.token_file, &gen.token_count);
    gen.chat_ids = read_lines(opt.chat_file, &gen.chat_count);
    opt.conns = opt.conns / opt.room_size * opt.room_size;
    gen.room_count = opt.conns / opt.room_size;
    if (!gen.room_count || gen.chat_count < gen.room_count) {
        fprintf(stderr, "%d rooms but %d chat ids\n", gen.room_count, gen.chat_count);
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    gen.all = calloc(opt.conns, sizeof *gen.all);
    gen.rooms = calloc(gen.room_count, sizeof *gen.rooms);
    gen.latency = calloc(LATENCY_MAX_US, sizeof *gen.latency);
    gen.buffer = malloc(READ_BYTES + 1);
    gen.epoll_fd = epoll_create1(0);
    for (size_t i = 0; i < sizeof gen.filler - 1; i++)
        gen.filler[i] = i % 7 ? 'x' : ' ';

    /* Memory is taken as a slope between a fifth and all of the sockets: the first ones also pay
     * for warm code, pools and heap that later ones share. */
    double start = now_s();
    usage_sample(&at_start, &store);
    if (opt.is_idle) {
        connect_up_to(opt.conns / 5, start + opt.connect_limit_s);
        settle(10);
        usage_sample(&at_fifth, &store);
    }
    connect_up_to(opt.conns, start + opt.connect_limit_s);
    double connect_wall = now_s() - start;
    settle(30);
    usage_sample(&at_full, &store);
    printf("{\"mode\":\"%s\",\"conns\":%d,\"dead\":%d,\"room_size\":%d,\"in_flight\":%d"
           ",\"connect_cpu_ms\":%.3f,\"connect_wall_s\":%.2f,\"other_at_join\":%ld"
           ",\"rss_start_kb\":%ld,\"rss_fifth_kb\":%ld,\"rss_full_kb\":%ld",
           opt.mode, gen.ready, gen.dead, opt.room_size, opt.in_flight,
           1e3 * cpu_between(&at_start, &at_full) / opt.conns, connect_wall, gen.other,
           at_start.rss_kb, at_fifth.rss_kb, at_full.rss_kb);
    fflush(stdout); /* who waits for the sockets reads so far */
    if (opt.is_idle)
        printf(",\"kb_per_conn\":%.2f",
               (double)(at_full.rss_kb - at_fifth.rss_kb) / (opt.conns - opt.conns / 5));
    if (gen.ready < opt.conns)
        fprintf(stderr, "only %d of %d sockets got ready\n", gen.ready, opt.conns);
    else if (opt.hold_s > 0)
        hold_idle();
    if (!opt.is_idle && gen.ready == opt.conns)
        run_load();
    printf(",\"not_ready\":%d,\"refused\":%ld,\"errors\":%ld}\n",
           opt.conns - gen.ready, gen.refused, gen.errors);
    return 0;
}
