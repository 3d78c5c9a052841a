#include "swap_transport.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
    swap_tp_t tp;
    swap_incoming_t *addressed, *broadcast; /* each in memory of its own, so that a step beyond is noticed */
    swap_outgoing_t *outgoing;
    swap_frame_t *frames;
    swap_tp_event_t *events;
    int slots;
    uint8_t *sent[4096];
    size_t sent_count;
} node_t;

node_t *node_new(int address, int window, int retries, uint32_t gap, uint32_t bam_gap, int priority, int slots,
                 int room, int frame_room, int event_room);
void node_free(node_t *node);
int node_init_status(int address, int window, int priority, int frame_room);
int node_send(node_t *node, uint32_t pgn, const uint8_t *payload, int size, int destination, uint64_t now);
int node_receive(node_t *node, uint32_t id, int size, const uint8_t *data, uint64_t now);
int node_poll_frame(node_t *node, uint32_t *id, uint8_t *data);
int node_poll_event(node_t *node, int64_t *out, uint8_t *payload);
int node_pending(node_t *node, int destination);
uint32_t node_lost(node_t *node);
void node_hold(node_t *node, int source, uint64_t now);
void node_release(node_t *node, int source, uint64_t now);
void node_timeout(node_t *node, uint64_t now);
uint64_t node_next(node_t *node);

node_t *node_new(int address, int window, int retries, uint32_t gap, uint32_t bam_gap, int priority, int slots,
                 int room, int frame_room, int event_room)
{
    node_t *n = calloc(1, sizeof *n);
    swap_tp_config_t config;
    int i;
    swap_tp_defaults(&config, (uint8_t)address);
    config.window = (uint8_t)window;
    config.retries = (uint8_t)retries;
    config.packet_gap = gap;
    config.bam_gap = bam_gap;
    config.priority = (uint8_t)priority;
    n->slots = slots;
    n->addressed = calloc((size_t)slots, sizeof *n->addressed);
    n->broadcast = calloc((size_t)slots, sizeof *n->broadcast);
    n->outgoing = calloc(64, sizeof *n->outgoing);
    n->frames = calloc((size_t)frame_room, sizeof *n->frames);
    n->events = calloc((size_t)event_room, sizeof *n->events);
    config.addressed = n->addressed;
    config.broadcast = n->broadcast;
    config.addressed_count = config.broadcast_count = (size_t)slots;
    for (i = 0; i < slots; i++) {
        n->addressed[i].buffer = malloc((size_t)room);
        n->broadcast[i].buffer = malloc((size_t)room);
        n->addressed[i].room = n->broadcast[i].room = (uint16_t)room;
    }
    config.outgoing = n->outgoing;
    config.outgoing_count = 64;
    config.frames = n->frames;
    config.frame_room = (size_t)frame_room;
    config.events = n->events;
    config.event_room = (size_t)event_room;
    if (swap_tp_init(&n->tp, &config) != SWAP_TP_OK) abort();
    return n;
}

void node_free(node_t *n)
{
    size_t i;
    int slot;
    for (slot = 0; slot < n->slots; slot++) {
        free(n->addressed[slot].buffer);
        free(n->broadcast[slot].buffer);
    }
    for (i = 0; i < n->sent_count; i++) free(n->sent[i]);
    free(n->addressed); free(n->broadcast); free(n->outgoing); free(n->frames); free(n->events);
    free(n);
}

int node_init_status(int address, int window, int priority, int frame_room)
{
    swap_tp_config_t config;
    static swap_tp_t tp;
    static swap_frame_t frame;
    static swap_tp_event_t event;
    swap_tp_defaults(&config, (uint8_t)address);
    config.window = (uint8_t)window;
    config.priority = (uint8_t)priority;
    config.frames = &frame;
    config.frame_room = (size_t)frame_room;
    config.events = &event;
    config.event_room = 1;
    return (int)swap_tp_init(&tp, &config);
}

int node_send(node_t *n, uint32_t pgn, const uint8_t *payload, int size, int destination, uint64_t now)
{
    uint8_t *copy = malloc((size_t)size);
    if (n->sent_count == 4096) abort();
    memcpy(copy, payload, (size_t)size);
    n->sent[n->sent_count++] = copy;
    return (int)swap_tp_send(&n->tp, pgn, copy, (size_t)size, (uint8_t)destination, now);
}

int node_receive(node_t *n, uint32_t id, int size, const uint8_t *data, uint64_t now)
{
    swap_frame_t frame;
    memset(&frame, 0, sizeof frame);
    frame.id = id;
    frame.size = (uint8_t)size;
    memcpy(frame.data, data, (size_t)size);
    return swap_tp_receive(&n->tp, &frame, now) ? 1 : 0;
}

int node_poll_frame(node_t *n, uint32_t *id, uint8_t *data)
{
    swap_frame_t frame;
    if (!swap_tp_poll_transmit(&n->tp, &frame)) return -1;
    *id = frame.id;
    memcpy(data, frame.data, frame.size);
    return frame.size;
}

int node_poll_event(node_t *n, int64_t *out, uint8_t *payload)
{
    swap_tp_event_t e;
    if (!swap_tp_poll_event(&n->tp, &e)) return 0;
    out[0] = e.kind; out[1] = e.pgn; out[2] = e.source; out[3] = e.destination;
    out[4] = (int64_t)e.started; out[5] = (int64_t)e.at; out[6] = e.size; out[7] = e.by; out[8] = e.code;
    out[9] = e.ours; out[10] = e.violation; out[11] = e.frame.id; out[12] = e.frame.size;
    memcpy(payload, e.frame.data, 8);
    if (e.payload != NULL) memcpy(payload, e.payload, e.size);
    return 1;
}

int node_pending(node_t *n, int destination) { return (int)swap_tp_pending(&n->tp, (uint8_t)destination); }
uint32_t node_lost(node_t *n) { return n->tp.lost_events; }
void node_hold(node_t *n, int source, uint64_t now) { swap_tp_hold(&n->tp, (uint8_t)source, now); }
void node_release(node_t *n, int source, uint64_t now) { swap_tp_release(&n->tp, (uint8_t)source, now); }
void node_timeout(node_t *n, uint64_t now) { swap_tp_handle_timeout(&n->tp, now); }
uint64_t node_next(node_t *n) { return swap_tp_next_timeout(&n->tp); }
