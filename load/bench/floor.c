/* The floor: a WebSocket relay that does nothing but relay. Every binary message goes to everybody else under the
 * same address; all that a loop turn has for one reader leaves in one send. No document, no check, no storage.
 *
 *     floor PORT        listens on 127.0.0.1 and says so
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 1024
#define MOST_HEAD 16384
#define MOST_MESSAGE (64u << 20)
#define MOST_WAITING (256u << 20)

typedef struct {
    unsigned char *at;
    size_t begin, end, room;
} Buffer;

typedef struct Line Line;

typedef struct Room {
    struct Room *next;
    Line **lines;
    size_t count, size;
    char name[];
} Room;

struct Line {
    int fd, dirty, writing, gone;
    Room *room;
    Buffer in, out;
};

static Room *rooms[65536];
static Line **dirty;
static size_t dirty_count, dirty_size;
static int epoll;

static void *grown(void *memory, size_t size) {
    void *bigger = realloc(memory, size);
    if (!bigger) abort();
    return bigger;
}

static unsigned char *reserve(Buffer *buffer, size_t more) {
    if (buffer->begin && buffer->end + more > buffer->room) {
        memmove(buffer->at, buffer->at + buffer->begin, buffer->end - buffer->begin);
        buffer->end -= buffer->begin;
        buffer->begin = 0;
    }
    if (buffer->end + more > buffer->room) {
        buffer->room = (buffer->end + more) * 2;
        buffer->at = grown(buffer->at, buffer->room);
    }
    return buffer->at + buffer->end;
}

static void append(Buffer *buffer, const void *data, size_t size) {
    memcpy(reserve(buffer, size), data, size);
    buffer->end += size;
}

static void mark(Line *line) {
    if (line->dirty) return;
    line->dirty = 1;
    if (dirty_count == dirty_size) dirty = grown(dirty, (dirty_size = dirty_size * 2 + 64) * sizeof *dirty);
    dirty[dirty_count++] = line;
}

/* The handshake: SHA-1 and base64 of the key. */

static uint32_t rotated(uint32_t value, int by) { return value << by | value >> (32 - by); }

static void sha1(const unsigned char *data, size_t size, unsigned char digest[20]) {
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    unsigned char padded[192] = {0};
    size_t total = (size + 9 + 63) / 64 * 64;
    memcpy(padded, data, size);
    padded[size] = 0x80;
    for (int i = 0; i < 8; i++) padded[total - 1 - i] = (unsigned char)((uint64_t)size * 8 >> (8 * i));
    for (size_t block = 0; block < total; block += 64) {
        uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
        for (int i = 0; i < 16; i++) {
            const unsigned char *p = padded + block + 4 * i;
            w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
        }
        for (int i = 16; i < 80; i++) w[i] = rotated(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        for (int i = 0; i < 80; i++) {
            uint32_t f, k;
            if (i < 20) f = (b & c) | (~b & d), k = 0x5A827999;
            else if (i < 40) f = b ^ c ^ d, k = 0x6ED9EBA1;
            else if (i < 60) f = (b & c) | (b & d) | (c & d), k = 0x8F1BBCDC;
            else f = b ^ c ^ d, k = 0xCA62C1D6;
            uint32_t next = rotated(a, 5) + f + e + k + w[i];
            e = d, d = c, c = rotated(b, 30), b = a, a = next;
        }
        h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
    }
    for (int i = 0; i < 20; i++) digest[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
}

static void base64(const unsigned char in[20], char out[29]) {
    const char *letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int i = 0; i < 7; i++) {
        uint32_t v = (uint32_t)in[3 * i] << 16 | (uint32_t)in[3 * i + 1] << 8 | (i < 6 ? in[3 * i + 2] : 0);
        for (int j = 0; j < 4; j++) out[4 * i + j] = letters[v >> (18 - 6 * j) & 63];
    }
    out[27] = '=';
    out[28] = 0;
}

static Room *room_of(const char *name, size_t size) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; i++) hash = (hash ^ (unsigned char)name[i]) * 16777619u;
    Room **at = &rooms[hash % 65536];
    for (; *at; at = &(*at)->next)
        if (strlen((*at)->name) == size && !memcmp((*at)->name, name, size)) return *at;
    Room *room = *at = grown(NULL, sizeof *room + size + 1);
    memset(room, 0, sizeof *room);
    memcpy(room->name, name, size);
    room->name[size] = 0;
    return room;
}

/* 1 when open, 0 when more has to come, -1 when it is no handshake. */
static int handshake(Line *line) {
    reserve(&line->in, 1)[0] = 0;
    char *head = (char *)line->in.at + line->in.begin, *end = strstr(head, "\r\n\r\n");
    if (!end) return line->in.end - line->in.begin > MOST_HEAD ? -1 : 0;
    char *path = strchr(head, ' '), *key = strcasestr(head, "\r\nsec-websocket-key:");
    if (!path || !key || key > end) return -1;
    size_t length = strcspn(++path, " ?");
    key += strlen("\r\nsec-websocket-key:");
    key += strspn(key, " ");
    unsigned char joined[128], digest[20];
    size_t size = strcspn(key, "\r ");
    if (size > 64) return -1;
    memcpy(joined, key, size);
    memcpy(joined + size, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
    sha1(joined, size + 36, digest);
    char accept[29], answer[200];
    base64(digest, accept);
    int said = snprintf(answer, sizeof answer,
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Accept: %s\r\n\r\n", accept);
    append(&line->out, answer, (size_t)said);
    mark(line);
    Room *room = line->room = room_of(path, length);
    if (room->count == room->size)
        room->lines = grown(room->lines, (room->size = room->size * 2 + 8) * sizeof *room->lines);
    room->lines[room->count++] = line;
    line->in.begin += (size_t)(end + 4 - head);
    return 1;
}

static void relay(Line *from, const unsigned char *payload, size_t size) {
    unsigned char head[10] = {0x82};
    size_t length = 2;
    if (size < 126) head[1] = (unsigned char)size;
    else if (size < 65536) head[1] = 126, head[2] = (unsigned char)(size >> 8), head[3] = (unsigned char)size, length = 4;
    else {
        head[1] = 127, length = 10;
        for (int i = 0; i < 8; i++) head[2 + i] = (unsigned char)((uint64_t)size >> (56 - 8 * i));
    }
    for (size_t i = 0; i < from->room->count; i++) {
        Line *line = from->room->lines[i];
        if (line == from) continue;
        append(&line->out, head, length);
        append(&line->out, payload, size);
        if (line->out.end - line->out.begin > MOST_WAITING) line->gone = 1;
        mark(line);
    }
}

static void frames(Line *line) {
    for (;;) {
        unsigned char *at = line->in.at + line->in.begin;
        size_t have = line->in.end - line->in.begin, head = 2, size;
        if (have < 2) break;
        size = at[1] & 127;
        if (size == 126) {
            if (have < 4) break;
            size = (size_t)at[2] << 8 | at[3], head = 4;
        } else if (size == 127) {
            if (have < 10) break;
            size = 0, head = 10;
            for (int i = 0; i < 8; i++) size = size << 8 | at[2 + i];
        }
        if (!(at[1] & 128) || size > MOST_MESSAGE) { line->gone = 1; return; }
        head += 4;
        if (have < head + size) break;
        unsigned char *mask = at + head - 4, *payload = at + head;
        for (size_t i = 0; i < size; i++) payload[i] ^= mask[i & 3];
        int opcode = at[0] & 15;
        line->in.begin += head + size;
        if (opcode == 2) relay(line, payload, size);
        else if (opcode == 9 && size < 126) {
            unsigned char pong[2] = {0x8A, (unsigned char)size};
            append(&line->out, pong, 2);
            append(&line->out, payload, size);
            mark(line);
        } else if (opcode == 8) { line->gone = 1; return; }
    }
    if (line->in.begin == line->in.end) line->in.begin = line->in.end = 0;
}

static void watch(Line *line, int writing) {
    if (line->writing == writing) return;
    line->writing = writing;
    struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0u), .data.ptr = line};
    epoll_ctl(epoll, EPOLL_CTL_MOD, line->fd, &event);
}

static void flush(Line *line) {
    while (line->out.begin < line->out.end) {
        ssize_t sent = send(line->fd, line->out.at + line->out.begin, line->out.end - line->out.begin, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EAGAIN) watch(line, 1);
            else line->gone = 1;
            return;
        }
        line->out.begin += (size_t)sent;
    }
    line->out.begin = line->out.end = 0;
    watch(line, 0);
}

static void leave(Line *line) {
    Room *room = line->room;
    for (size_t i = 0; room && i < room->count; i++)
        if (room->lines[i] == line) room->lines[i] = room->lines[--room->count];
    close(line->fd);
    free(line->in.at);
    free(line->out.at);
    free(line);
}

static void receive(Line *line) {
    unsigned char *into = reserve(&line->in, 65536);
    ssize_t got = recv(line->fd, into, 65536, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN) line->gone = 1;
        return;
    }
    line->in.end += (size_t)got;
    if (!line->room) {
        int open = handshake(line);
        if (open < 0) line->gone = 1;
        if (open <= 0) return;
    }
    frames(line);
}

int main(int count, char **words) {
    int yes = 1, port = count == 2 ? atoi(words[1]) : 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) {
        perror("floor");
        return 1;
    }
    printf("listening on ws://127.0.0.1:%d\n", port);
    fflush(stdout);
    epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN}, events[EVENTS];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            Line *line = events[i].data.ptr;
            if (line) {
                if (events[i].events & EPOLLOUT) mark(line);
                if (events[i].events & ~(uint32_t)EPOLLOUT) receive(line);
                if (line->gone) mark(line);
                continue;
            }
            int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
            if (fd < 0) continue;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
            line = grown(NULL, sizeof *line);
            memset(line, 0, sizeof *line);
            line->fd = fd;
            struct epoll_event added = {.events = EPOLLIN, .data.ptr = line};
            epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &added);
        }
        for (size_t i = 0; i < dirty_count; i++) {
            Line *line = dirty[i];
            line->dirty = 0;
            if (!line->gone) flush(line);
            if (line->gone) leave(line);
        }
        dirty_count = 0;
    }
}
