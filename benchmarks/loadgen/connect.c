/* Opening sockets, a bounded number of handshakes at a time, and waiting for what they bring. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "loadgen.h"

#define QUIET_S 0.3 /* settled = nothing came for so long */

static void start_conn(int i)
{
    struct conn *c = &gen.all[i];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(opt.port)};
    struct epoll_event e = {.events = EPOLLOUT, .data.u32 = i};
    int one = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->room = i / opt.room_size;
    c->state = CONNECTING;
    gen.pending++;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (c->fd < 0 || (connect(c->fd, (void *)&to, sizeof to) < 0 && errno != EINPROGRESS)) {
        kill_conn(c, "connect");
        return;
    }
    epoll_ctl(gen.epoll_fd, EPOLL_CTL_ADD, c->fd, &e);
}

/* Headers of a browser's size, since some servers keep the request for the life of the socket.
 * permessage-deflate is not offered: with it a server that accepts would only look worse. */
static void on_connected(int i)
{
    struct conn *c = &gen.all[i];
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = i};
    char text[1024];
    socklen_t size = sizeof errno;
    int failed = 0;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &failed, &size);
    errno = failed;
    int n = snprintf(text, sizeof text,
                     "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                     "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"
                     " (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r\n"
                     "Accept-Language: en-US,en;q=0.9\r\n"
                     "Accept-Encoding: gzip, deflate, br\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                     "Sec-WebSocket-Version: 13\r\n\r\n", opt.port);
    if (failed || send(c->fd, text, n, MSG_NOSIGNAL) != n) {
        kill_conn(c, "connect");
        return;
    }
    c->state = UPGRADING;
    epoll_ctl(gen.epoll_fd, EPOLL_CTL_MOD, c->fd, &e);
}

void poll_sockets(int timeout_ms)
{
    struct epoll_event events[512];
    int n = epoll_wait(gen.epoll_fd, events, 512, opt.busy_poll ? 0 : timeout_ms);
    for (int k = 0; k < n; k++) {
        int i = events[k].data.u32;
        if (gen.all[i].state == CONNECTING)
            on_connected(i);
        else if (gen.all[i].state != DEAD)
            on_readable(&gen.all[i]);
    }
}

void connect_up_to(int count, double deadline)
{
    static int started;
    while (gen.ready + gen.dead < count && now_s() < deadline) {
        while (started < count && gen.pending < opt.handshakes)
            start_conn(started++);
        poll_sockets(10);
    }
}

/* Joins are announced to the room, R * R / 2 pushes in all: they must be over before we measure. */
void settle(double limit_s)
{
    double end = now_s() + limit_s;
    gen.last_frame_at = now_s();
    while (now_s() - gen.last_frame_at < QUIET_S && now_s() < end)
        poll_sockets(20);
}
