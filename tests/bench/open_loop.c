/* Asks one server over HTTP/1.1, each request when it is due, from one thread. open_loop.py builds it and reads what it tells.
 *
 *     open_loop ADDRESS PORT RATE SECONDS CONNECTIONS TIMEOUT < request > records
 *
 * Requests are due at even distances, RATE a second for SECONDS, whether earlier ones were answered or not; at rate 0 each connection asks
 * as soon as it was answered. A request that is due while every connection is taken waits for one, and its time counts from when it was
 * due. One that has no answer TIMEOUT seconds after that is given up. Connections are opened before the first request is due, are kept, and
 * are opened anew where the server closed them; the one that was answered last is asked next, as clients' pools do it. A request whose
 * connection ended before a byte of its answer came is sent once more, as clients do it: a server may close what was idle at that moment.
 *
 * The request is sent as it stands on standard input. An answer has to have a Content-Length. Of each request goes to standard output what
 * `struct record` holds. Whatever else goes wrong ends the program with one line.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_BYTES = 16 << 20, HEAD_BYTES = 16 << 10, READ_BYTES = 64 << 10, EVENTS = 32 };
static const double SETTLE_SECONDS = 0.3;  /* in which the server takes in the connections, before the first request is due */
static const double SWEEP_SECONDS = 0.02;  /* between two looks at what is to be given up */

struct record {
    double due, sent, ended;  /* seconds since the first request was due; `sent` is NaN where no connection was free in time */
    int32_t status;           /* of the answer; 0: there was none */
    int16_t retry_after;      /* 1: it said when to come back */
    int16_t tries;            /* times that it was sent */
};

enum state { OPENING, IDLE, ASKING };

struct connection {
    int socket;
    enum state state;
    bool listed;              /* it is on the stack of idle connections; another state than IDLE is skipped there */
    size_t request;           /* the record that it asks for */
    size_t written;           /* bytes of the request that the kernel took */
    size_t head_size;
    long body_left;           /* bytes of the answer that are still to come; -1: its head is not complete */
    bool closes;              /* the server said that this answer is the last one */
    char head[HEAD_BYTES + 1];
};

static struct sockaddr_in server;
static char *request;
static size_t request_size;
static struct connection *connections;
static size_t connection_count;
static struct connection **idle;
static size_t idle_count;
static size_t *again;  /* requests that are to be sent once more, at most one of each connection */
static size_t again_count;
static struct record *records;
static size_t record_count, room, ended_count;  /* requests that were begun, that there is memory for, that are over */
static double start, timeout;
static int events_of;

static double now(void) {
    struct timespec moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    return (double)moment.tv_sec + 1e-9 * (double)moment.tv_nsec - start;
}

static void list_idle(struct connection *c) {
    c->state = IDLE;
    if (!c->listed) {
        c->listed = true;
        idle[idle_count++] = c;
    }
}

static struct connection *take_idle(void) {
    while (idle_count > 0) {
        struct connection *c = idle[--idle_count];
        c->listed = false;
        if (c->state == IDLE) return c;
    }
    return NULL;
}

/* Begin to open `c`; the end of it is an event. */
static void open_connection(struct connection *c) {
    c->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->socket < 0) err(1, "a socket");
    setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    c->state = OPENING;
    if (connect(c->socket, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS) err(1, "connecting to the server");
    struct epoll_event wanted = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
    if (epoll_ctl(events_of, EPOLL_CTL_ADD, c->socket, &wanted)) err(1, "epoll");
}

static void open_again(struct connection *c) {
    close(c->socket);
    open_connection(c);
}

static void end_request(size_t number, int status, bool retry_after) {
    records[number].ended = now();
    records[number].status = status;
    records[number].retry_after = retry_after;
    ended_count++;
}

/* The server ended `c`. */
static void lost(struct connection *c) {
    bool asking = c->state == ASKING, unread = c->head_size == 0;
    if (asking && unread && records[c->request].tries == 1)
        again[again_count++] = c->request;
    else if (asking)
        end_request(c->request, 0, false);
    open_again(c);
}

/* A new record, of a request that is due at that moment. */
static size_t begin_request(double due) {
    if (record_count == room) {
        room = room ? 2 * room : 1 << 16;
        records = realloc(records, room * sizeof *records);
        if (!records) err(1, "%zu records", room);
    }
    records[record_count] = (struct record){.due = due, .sent = 0.0 / 0.0};
    return record_count++;
}

static void send_rest(struct connection *c) {
    while (c->written < request_size) {
        ssize_t taken = send(c->socket, request + c->written, request_size - c->written, MSG_NOSIGNAL);
        if (taken < 0 && errno == EAGAIN) return;
        if (taken < 0) {
            lost(c);
            return;
        }
        c->written += (size_t)taken;
    }
}

static void ask(struct connection *c, size_t number) {
    c->state = ASKING;
    c->request = number;
    c->written = c->head_size = 0;
    c->body_left = -1;
    if (records[number].tries++ == 0) records[number].sent = now();
    send_rest(c);
}

/* The whole answer is there. */
static void answered(struct connection *c) {
    int status = atoi(c->head + strlen("HTTP/1.1 "));
    end_request(c->request, status, strcasestr(c->head, "\r\nretry-after:") != NULL);
    if (c->closes) {
        c->state = IDLE;
        open_again(c);
    } else {
        list_idle(c);
    }
}

static void receive(struct connection *c, const char *data, size_t size) {
    if (c->state != ASKING) errx(1, "the server sent what nobody had asked for");
    if (c->body_left >= 0) {
        c->body_left -= (long)size;
    } else {
        size_t part = size < HEAD_BYTES - c->head_size ? size : HEAD_BYTES - c->head_size;
        memcpy(c->head + c->head_size, data, part);
        c->head_size += part;
        c->head[c->head_size] = '\0';
        char *end = strstr(c->head, "\r\n\r\n");
        if (!end && c->head_size == HEAD_BYTES) errx(1, "the head of an answer is longer than %d bytes", HEAD_BYTES);
        if (!end) return;
        *end = '\0';
        char *length = strcasestr(c->head, "\r\ncontent-length:");
        if (!length) errx(1, "an answer has no Content-Length, and nothing else is read here: %.60s", c->head);
        c->closes = strcasestr(c->head, "\r\nconnection: close") != NULL;
        size_t body = c->head_size - (size_t)(end + 4 - c->head) + (size - part);
        c->body_left = atol(length + strlen("\r\ncontent-length:")) - (long)body;
    }
    if (c->body_left < 0) errx(1, "an answer is longer than it says: %.60s", c->head);
    if (c->body_left == 0) answered(c);
}

/* Read all there is. Less than there was room for is all of it, as epoll tells of what comes later; not so where the server has `ended` the
 * connection, which it tells once. */
static void read_all(struct connection *c, bool ended) {
    static char data[READ_BYTES];
    ssize_t size;
    do {
        int asked = c->socket;
        size = recv(asked, data, sizeof data, 0);
        if (size < 0 && errno == EAGAIN) return;
        if (size <= 0) {
            lost(c);
            return;
        }
        receive(c, data, (size_t)size);
        if (c->socket != asked || c->state == OPENING) return;
    } while (ended || size == sizeof data);
}

static void opened(struct connection *c) {
    int reason = 0;
    getsockopt(c->socket, SOL_SOCKET, SO_ERROR, &reason, &(socklen_t){sizeof reason});
    if (reason) errx(1, "connecting to the server: %s", strerror(reason));
    list_idle(c);
}

static void handle(struct epoll_event event) {
    struct connection *c = event.data.ptr;
    if (c->state == OPENING) {
        if (event.events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) opened(c);
        return;
    }
    if (c->state == ASKING && event.events & EPOLLOUT) send_rest(c);
    bool ended = event.events & (EPOLLRDHUP | EPOLLERR | EPOLLHUP);
    if (c->state != OPENING && (ended || event.events & EPOLLIN)) read_all(c, ended);
}

/* Handle what comes until the moment `until`, or what has come by then. */
static void wait_until(double until) {
    double left = until - now();
    struct timespec patience = {0};
    if (left > 0) patience = (struct timespec){(time_t)left, (long)(1e9 * (left - (double)(time_t)left))};
    struct epoll_event events[EVENTS];
    int count = epoll_pwait2(events_of, events, EVENTS, &patience, NULL);
    if (count < 0 && errno != EINTR) err(1, "epoll");
    for (int place = 0; place < count; place++) handle(events[place]);
}

/* Give up what was sent and has waited for too long. */
static void sweep(void) {
    static double next;
    double moment = now();
    if (moment < next) return;
    next = moment + SWEEP_SECONDS;
    for (struct connection *c = connections; c < connections + connection_count; c++)
        if (c->state == ASKING && moment > records[c->request].due + timeout) {
            end_request(c->request, 0, false);
            open_again(c);
        }
}

static void ask_again(void) {
    while (again_count > 0) {
        struct connection *c = take_idle();
        if (!c) return;
        ask(c, again[--again_count]);
    }
}

static void open_all(void) {
    for (size_t place = 0; place < connection_count; place++) {
        open_connection(&connections[place]);
        while (connections[place].state == OPENING) wait_until(now() + 1.0);
    }
    for (double until = now() + SETTLE_SECONDS; now() < until;) wait_until(until);
}

/* `rate` requests a second for `seconds`; at rate 0 as many as are answered. */
static void ask_all(double rate, double seconds) {
    size_t total = rate > 0 ? (size_t)(rate * seconds) : SIZE_MAX;
    double none = 1e9;
    start += now();
    while (true) {
        double moment = now();
        if (rate == 0 && moment > seconds) total = record_count;
        if (ended_count == total) return;
        ask_again();
        double due = none;
        while (record_count < total) {
            due = rate > 0 ? (double)record_count / rate : moment;
            if (due > moment) break;
            if (due + timeout < moment) {
                end_request(begin_request(due), 0, false);
                continue;
            }
            struct connection *c = take_idle();
            if (!c) {
                due = none;  /* whatever frees a connection is an event */
                break;
            }
            ask(c, begin_request(due));
            moment = now();
        }
        double tick = moment + SWEEP_SECONDS;
        wait_until(due < tick ? due : tick);
        sweep();
    }
}

static double number(const char *text, const char *name) {
    char *end;
    double found = strtod(text, &end);
    if (*end || end == text || found < 0) errx(2, "%s is %s; it is a number, and not below 0", name, text);
    return found;
}

int main(int count, char **words) {
    if (count != 7) errx(2, "usage: open_loop ADDRESS PORT RATE SECONDS CONNECTIONS TIMEOUT < request > records");
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)number(words[2], "PORT"))};
    if (inet_pton(AF_INET, words[1], &server.sin_addr) != 1) errx(2, "ADDRESS is %s; it is one of IPv4, as 127.0.0.1", words[1]);
    double rate = number(words[3], "RATE"), seconds = number(words[4], "SECONDS");
    connection_count = (size_t)number(words[5], "CONNECTIONS");
    timeout = number(words[6], "TIMEOUT");
    request = malloc(REQUEST_BYTES);
    connections = calloc(connection_count, sizeof *connections);
    idle = calloc(connection_count, sizeof *idle);
    again = calloc(connection_count, sizeof *again);
    if (!request || !connections || !idle || !again) err(1, "memory");
    request_size = fread(request, 1, REQUEST_BYTES, stdin);
    if (request_size == 0 || request_size == REQUEST_BYTES) errx(2, "the request on standard input is empty, or longer than 16 MiB");
    prctl(PR_SET_TIMERSLACK, 1UL);  /* else the kernel wakes up to 50 µs later than it was told */
    events_of = epoll_create1(0);
    if (events_of < 0) err(1, "epoll");
    open_all();
    ask_all(rate, seconds);
    if (fwrite(records, sizeof *records, record_count, stdout) != record_count || fflush(stdout)) err(1, "writing records");
    return 0;
}
