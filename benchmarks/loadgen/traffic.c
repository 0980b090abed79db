/* What goes over a connected socket: frames out, frames in, and what follows from them. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loadgen.h"

void kill_conn(struct conn *c, const char *why)
{
    if (c->state == DEAD)
        return;
    if (gen.errors++ < 5)
        fprintf(stderr, "socket %d closed: %s (state %d, %s)\n", (int)(c - gen.all), why, c->state,
                strerror(errno));
    if (c->state == READY)
        gen.ready--;
    else
        gen.pending--;
    c->state = DEAD;
    gen.dead++;
    close(c->fd);
}

/* One masked frame in one send. The mask is constant: servers must unmask but cannot mind. */
static void send_frame(struct conn *c, int opcode, const char *text, int n)
{
    static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    static unsigned char frame[32768];
    int h = 2;
    frame[0] = 0x80 | opcode;
    if (n < 126) {
        frame[1] = 0x80 | n;
    } else {
        frame[1] = 0x80 | 126;
        frame[2] = n >> 8;
        frame[3] = n & 255;
        h = 4;
    }
    memcpy(frame + h, mask, 4);
    h += 4;
    for (int i = 0; i < n; i++)
        frame[h + i] = text[i] ^ mask[i & 3];
    errno = 0;
    if (send(c->fd, frame, h + n, MSG_NOSIGNAL | MSG_DONTWAIT) != h + n)
        kill_conn(c, "the server does not read");
}

/* The content starts with the time of sending, which comes back inside every newMessage. Each send
 * has a clientMessageId, as a careful client's has: what idempotence costs is in the figure. */
void send_message(struct conn *c)
{
    char text[20000];
    int filling = opt.content_bytes > 22 ? opt.content_bytes - 22 : 0;
    unsigned id = ++c->last_id;
    int64_t t = now_ns();
    c->sent_ns[id % MAX_IN_FLIGHT] = t;
    c->in_flight++;
    gen.rooms[c->room].last_sent_ns = t;
    int n = snprintf(text, sizeof text,
                     "42/chat,%u[\"sendMessage\",{\"chatId\":%s,\"content\":\"T=%019lld;%.*s\","
                     "\"clientMessageId\":\"%ld-%u\"}]", id,
                     gen.chat_ids[c->room], (long long)t, filling, gen.filler,
                     (long)(c - gen.all), id);
    send_frame(c, 1, text, n);
    gen.sends++;
}

/* userTyping carries no text of ours: its latency is taken from the room's last send, which is
 * exact only while one event is in flight in that room. */
void send_typing(struct conn *c)
{
    char text[256];
    c->typing = !c->typing;
    gen.rooms[c->room].last_sent_ns = now_ns();
    int n = snprintf(text, sizeof text, "42/chat,[\"typing\",{\"chatId\":%s,\"isTyping\":%s}]",
                     gen.chat_ids[c->room], c->typing ? "true" : "false");
    send_frame(c, 1, text, n);
    gen.sends++;
}

struct conn *next_sender(int room)
{
    struct room *r = &gen.rooms[room];
    r->next_sender = (r->next_sender + (opt.room_size % 7 ? 7 : 1)) % opt.room_size;
    return &gen.all[room * opt.room_size + r->next_sender];
}

/* fan, typ: a message leaves the flight when every recipient has it, not at the first one. */
void pump_room(int room)
{
    struct room *r = &gen.rooms[room];
    long recipients = opt.is_typing ? opt.room_size - 1 : opt.room_size;
    while (r->sent - r->delivered / recipients < opt.in_flight) {
        struct conn *c = next_sender(room);
        if (c->state != READY)
            return;
        r->sent++;
        if (opt.is_typing)
            send_typing(c);
        else
            send_message(c);
    }
}

void pump_socket(struct conn *c)
{
    while (c->state == READY && c->in_flight < opt.in_flight)
        send_message(c);
}

/* ---- receiving ---- */

static void note_latency(int64_t since_ns)
{
    int64_t us = (now_ns() - since_ns) / 1000;
    if (!gen.measuring || !since_ns)
        return;
    gen.latency[us < 0 ? 0 : us >= LATENCY_MAX_US ? LATENCY_MAX_US - 1 : us]++;
    gen.latency_count++;
}

static int starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void on_ack(struct conn *c, const char *text, int n)
{
    unsigned id = strtoul(text + 8, NULL, 10);
    int good = memmem(text, n, "\"success\":true", 14) || memmem(text, n, "\"success\": true", 15);
    if (!good) {
        if (gen.refused++ < 3)
            fprintf(stderr, "refused: %.300s\n", text);
        if (c->state == JOINING)
            kill_conn(c, "join refused");
    }
    if (c->state == JOINING) {
        c->state = READY;
        gen.ready++;
        gen.pending--;
        return;
    }
    if (c->state == DEAD)
        return;
    gen.acks++;
    c->in_flight--;
    if (opt.is_ack) {
        note_latency(c->sent_ns[id % MAX_IN_FLIGHT]);
        if (gen.pumping)
            pump_socket(c);
    }
}

static void on_push(struct conn *c, const char *text, int n)
{
    int is_message = starts(text + 8, "[\"newMessage\"");
    if (!is_message && !starts(text + 8, "[\"userTyping\"")) {
        gen.other++; /* userJoined, ...: told, so that a server that pushes more is seen */
        return;
    }
    if (is_message == opt.is_typing) { /* e.g. the server ends a typing indicator during `fan` */
        gen.other++;
        return;
    }
    gen.deliveries++;
    gen.rooms[c->room].delivered++;
    if (gen.measuring && !opt.is_ack) {
        const char *stamp = is_message ? memmem(text, n, "T=", 2) : NULL;
        note_latency(stamp ? strtoll(stamp + 2, NULL, 10) : gen.rooms[c->room].last_sent_ns);
    }
    if (opt.is_fan && gen.pumping)
        pump_room(c->room);
}

/* One Engine.IO packet; `text` ends with a 0. */
static void on_packet(struct conn *c, const char *text, int n)
{
    char out[8192];
    int k = -1;
    gen.frames++;
    if (starts(text, "42/chat,")) {
        on_push(c, text, n);
    } else if (starts(text, "43/chat,")) {
        on_ack(c, text, n);
    } else if (text[0] == '2') { /* Engine.IO ping */
        gen.pings++;
        send_frame(c, 1, "3", 1);
    } else if (text[0] == '0') { /* OPEN: ask for the namespace, with this user's token */
        k = snprintf(out, sizeof out, "40/chat,{\"token\":\"%s\"}",
                     gen.tokens[(c - gen.all) % gen.token_count]);
    } else if (starts(text, "40/chat,") && c->state == OPENING) {
        c->state = JOINING;
        char known[32] = "";
        if (opt.since)
            snprintf(known, sizeof known, ",\"since\":%ld", opt.since);
        k = snprintf(out, sizeof out, "42/chat,0[\"joinChat\",{\"chatId\":%s%s}]",
                     gen.chat_ids[c->room], known);
    } else if (text[0] != '6' && !starts(text, "40")) {
        fprintf(stderr, "unexpected packet: %.200s\n", text);
        errno = 0;
        kill_conn(c, "unexpected packet"); /* 44 = refused, 41 = cut off, 1 = closed */
    }
    if (k > 0)
        send_frame(c, 1, out, k);
}

/* Reads what there is and walks through all complete frames: many may have been joined in one
 * segment, and the last may be cut anywhere. */
void on_readable(struct conn *c)
{
    if (c->rest_bytes)
        memcpy(gen.buffer, c->rest, c->rest_bytes);
    errno = 0;
    ssize_t got = recv(c->fd, gen.buffer + c->rest_bytes, READ_BYTES - c->rest_bytes, MSG_DONTWAIT);
    if (got <= 0) {
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        kill_conn(c, got ? "recv" : "closed by the server");
        return;
    }
    gen.bytes_in += got;
    gen.last_frame_at = now_s();
    int n = c->rest_bytes + got, at = 0;
    c->rest_bytes = 0;
    gen.buffer[n] = 0;
    if (c->state == UPGRADING) {
        unsigned char *end = memmem(gen.buffer, n, "\r\n\r\n", 4);
        if (end && memcmp(gen.buffer, "HTTP/1.1 101", 12)) {
            fprintf(stderr, "%.200s\n", gen.buffer);
            kill_conn(c, "no upgrade");
            return;
        }
        if (end) {
            at = end + 4 - gen.buffer;
            c->state = OPENING;
        }
    }
    while (c->state != UPGRADING && n - at >= 2) {
        unsigned char *p = gen.buffer + at;
        int h = 2, opcode = p[0] & 15;
        long len = p[1] & 127;
        if (len == 126) {
            if (n - at < 4)
                break;
            len = p[2] << 8 | p[3];
            h = 4;
        } else if (len == 127) {
            if (n - at < 10)
                break;
            len = 0;
            for (int i = 2; i < 10; i++)
                len = len << 8 | p[i];
            h = 10;
        }
        if (n - at < h + len)
            break;
        at += h + len;
        if (opcode == 1) {
            unsigned char saved = p[h + len]; /* the next frame's first byte */
            p[h + len] = 0;
            on_packet(c, (char *)p + h, len);
            p[h + len] = saved;
        } else if (opcode == 8) {
            kill_conn(c, "close frame");
        } else if (opcode == 9) {
            send_frame(c, 10, (char *)p + h, len);
        }
        if (c->state == DEAD)
            return;
    }
    if (at < n) {
        c->rest = realloc(c->rest, n - at);
        memcpy(c->rest, gen.buffer + at, n - at);
        c->rest_bytes = n - at;
    }
}
