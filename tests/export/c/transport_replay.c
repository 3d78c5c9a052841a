/* Repeats calls that were written down, one a line, and prints the answers: the transport as a program of its
   own, so that sanitizers can watch it. */
#include "transport_shim.c"
#include <stdio.h>

#define NODES 4096
static node_t *nodes[NODES];

static void print_bytes(const uint8_t *bytes, int size)
{
    for (int i = 0; i < size; i++) printf("%02x", bytes[i]);
    printf(".\n");
}

static int scan_bytes(uint8_t *bytes)
{
    int size = 0;
    unsigned byte;
    while (scanf("%2x", &byte) == 1) bytes[size++] = (uint8_t)byte;
    if (getchar() != '.') exit(4);
    return size;
}

static void make(unsigned k)
{
    int address, window, retries, priority, slots, room, frames, events;
    unsigned gap, bam_gap;
    if (scanf("%d %d %d %u %u %d %d %d %d %d", &address, &window, &retries, &gap, &bam_gap, &priority, &slots,
              &room, &frames, &events) != 10) exit(4);
    nodes[k] = node_new(address, window, retries, gap, bam_gap, priority, slots, room, frames, events);
}

static void repeat(const char *call, node_t *node)
{
    uint8_t bytes[2048];
    unsigned id = 0;
    int to = 0, size;
    unsigned long long now = 0;
    int64_t out[13];
    if (strcmp(call, "send") == 0) {
        if (scanf("%u %d %llu ", &id, &to, &now) != 3) exit(4);
        size = scan_bytes(bytes);
        printf("%d\n", node_send(node, id, bytes, size, to, now));
    } else if (strcmp(call, "receive") == 0) {
        if (scanf("%u %llu ", &id, &now) != 2) exit(4);
        size = scan_bytes(bytes);
        printf("%d\n", node_receive(node, id, size, bytes, now));
    } else if (strcmp(call, "frame") == 0) {
        size = node_poll_frame(node, &id, bytes);
        if (size < 0) printf("none\n");
        else { printf("%u ", id); print_bytes(bytes, size); }
    } else if (strcmp(call, "event") == 0) {
        if (!node_poll_event(node, out, bytes)) printf("none\n");
        else {
            for (int i = 0; i < 13; i++) printf("%lld ", (long long)out[i]);
            print_bytes(bytes, (int)(out[0] < 2 ? out[6] : out[0] == 3 ? out[12] : 0));
        }
    } else if (strcmp(call, "pending") == 0) {
        if (scanf("%d", &to) != 1) exit(4);
        printf("%d\n", node_pending(node, to));
    } else if (strcmp(call, "hold") == 0 || strcmp(call, "release") == 0) {
        if (scanf("%d %llu", &to, &now) != 2) exit(4);
        (*call == 'h' ? node_hold : node_release)(node, to, now);
    } else if (strcmp(call, "timeout") == 0) {
        if (scanf("%llu", &now) != 1) exit(4);
        node_timeout(node, now);
    } else if (strcmp(call, "next") == 0) {
        printf("%llu\n", (unsigned long long)node_next(node));
    } else {
        exit(4);
    }
}

int main(void)
{
    char call[16];
    unsigned k;
    while (scanf("%15s %u", call, &k) == 2) {
        if (k >= NODES) return 4;
        if (strcmp(call, "new") == 0) make(k);
        else if (strcmp(call, "free") == 0) { node_free(nodes[k]); nodes[k] = NULL; }
        else repeat(call, nodes[k]);
    }
    return 0;
}
