/* What the parts of the load generator share: its options, its sockets and rooms, its counters. */
#ifndef LOADGEN_H
#define LOADGEN_H

#include <stdint.h>

#define MAX_IN_FLIGHT 16       /* send times kept per socket, a power of two */
#define READ_BYTES (1 << 20)   /* one read may bring thousands of joined frames */
#define LATENCY_MAX_US 4000000 /* the histogram has one bucket per microsecond */

enum state { CONNECTING, UPGRADING, OPENING, JOINING, READY, DEAD };

struct conn {
    int fd;
    int room;
    enum state state;
    unsigned last_id;    /* Socket.IO ack id; 0 is the join */
    int in_flight;       /* unanswered sendMessage */
    int typing;          /* last isTyping told: toggled, since servers absorb mere renewals */
    unsigned char *rest; /* start of a frame whose end has not come yet */
    int rest_bytes;
    int64_t sent_ns[MAX_IN_FLIGHT]; /* by ack id, for the round trip */
};

struct room {
    long sent, delivered;
    int next_sender;
    int64_t last_sent_ns;
};

struct usage {
    double user_s, sys_s;
    long rss_kb;
};

/* Options: what each is for stands beside its letter in main.c. */
struct options {
    int port, server_pid, store_pid, conns, room_size, in_flight, handshakes, content_bytes;
    int busy_poll;
    long since;
    double window_s, warm_s, rate, hold_s, connect_limit_s;
    const char *mode, *token_file, *chat_file, *store_name;
    int is_fan, is_typing, is_ack, is_open, is_idle; /* what the mode means */
};

struct generator {
    char **tokens, **chat_ids;
    int token_count, chat_count;
    struct conn *all;
    struct room *rooms;
    int room_count, epoll_fd;
    int ready, dead, pending;           /* sockets */
    int pumping, measuring;
    long sends, acks, refused;          /* sendMessage and typing; acks of any event but the join */
    long deliveries, other;             /* pushes that count, pushes that do not */
    long pings, frames, bytes_in, errors;
    double last_frame_at, worst_late_s;
    uint32_t *latency;
    long latency_count;
    unsigned char *buffer;
    char filler[16384];
};

extern struct options opt;
extern struct generator gen;

/* usage.c */
int64_t now_ns(void);
double now_s(void);
void usage_sample(struct usage *server, struct usage *store);
double cpu_between(const struct usage *a, const struct usage *b);
double own_cpu_s(void);

/* traffic.c */
void kill_conn(struct conn *c, const char *why);
void send_message(struct conn *c);
void send_typing(struct conn *c);
struct conn *next_sender(int room);
void pump_room(int room);
void pump_socket(struct conn *c);
void on_readable(struct conn *c);

/* connect.c */
void poll_sockets(int timeout_ms);
void connect_up_to(int count, double deadline);
void settle(double limit_s);

#endif
