/*
 * floor: what the kernel alone takes to send to many sockets on loopback, which no server goes below.
 *
 * The parent sends BYTES to each of N sockets and waits until the child, on another core, has read
 * them all; so a room with one message in flight looks to the kernel. Only the sends are timed, in
 * CPU time of the parent.
 *
 *   cc -O2 -Wall -o floor floor.c && ./floor N BYTES ROUNDS
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

static void require(int held, const char *what)
{
    if (!held) {
        perror(what);
        exit(1);
    }
}

static void pin(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void open_pairs(int *clients, int *servers, int n)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    require(!bind(listener, (void *)&address, length) && !listen(listener, 64), "listen");
    getsockname(listener, (void *)&address, &length);
    for (int i = 0; i < n; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM, 0);
        require(!connect(clients[i], (void *)&address, length), "connect");
        require((servers[i] = accept(listener, 0, 0)) >= 0, "accept");
        setsockopt(servers[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
}

/* Reads whatever comes; one byte back once everybody has a round. */
static void read_for_ever(const int *clients, int n, long bytes)
{
    static char buffer[65536];
    struct epoll_event events[256];
    int epoll = epoll_create1(0);
    long got = 0;
    for (int i = 0; i < n; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = clients[i]};
        fcntl(clients[i], F_SETFL, O_NONBLOCK);
        epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i], &event);
    }
    for (;;) {
        int ready = epoll_wait(epoll, events, 256, 0);
        for (int i = 0; i < ready; i++) {
            ssize_t read = recv(events[i].data.fd, buffer, sizeof buffer, 0);
            got += read > 0 ? read : 0;
        }
        if (got >= n * bytes) {
            got -= n * bytes;
            send(clients[0], "x", 1, 0);
        }
    }
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 100, bytes = argc > 2 ? atoi(argv[2]) : 525;
    int rounds = argc > 3 ? atoi(argv[3]) : 2000;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    int *clients = calloc(n, sizeof *clients), *servers = calloc(n, sizeof *servers);
    char *message = calloc(1, bytes), byte;
    open_pairs(clients, servers, n);
    int child = fork();
    if (!child) {
        pin(get_nprocs() - 1);
        read_for_ever(clients, n, bytes);
    }
    pin(0);
    double sending_us = 0;
    for (int k = 0; k < rounds; k++) {
        double began = cpu_us();
        for (int i = 0; i < n; i++)
            send(servers[i], message, bytes, MSG_DONTWAIT);
        sending_us += cpu_us() - began;
        while (recv(servers[0], &byte, 1, MSG_DONTWAIT) != 1)
            ;
    }
    printf("%4d sockets, %d bytes: %.2f us of CPU a send\n", n, bytes, sending_us / rounds / n);
    kill(child, SIGKILL);
    return 0;
}
