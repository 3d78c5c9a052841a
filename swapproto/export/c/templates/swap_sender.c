#include "swap_port.h"

#include <string.h>

static bool global(const swap_outgoing_t *outgoing)
{
    return outgoing->destination == SWAP_GLOBAL_ADDRESS;
}

static bool sending(const swap_outgoing_t *outgoing)
{
    return outgoing->next <= outgoing->end;
}

static swap_outgoing_t *running_to(const swap_tp_t *tp, uint8_t destination)
{
    size_t number;
    for (number = 0; number < tp->config.outgoing_count; number++) {
        swap_outgoing_t *each = &tp->config.outgoing[number];
        if (each->state == SWAP_RUNNING && each->destination == destination) {
            return each;
        }
    }
    return NULL;
}

static void make_ready(swap_tp_t *tp, swap_outgoing_t *outgoing)
{
    outgoing->deadline = SWAP_NEVER;
    outgoing->ready = ++tp->serial;
}

static void start(swap_tp_t *tp, swap_outgoing_t *outgoing)
{
    outgoing->state = SWAP_RUNNING;
    outgoing->order = ++tp->serial;
    outgoing->first = 1;
    outgoing->next = 1;
    outgoing->started = tp->now;
    if (global(outgoing)) {
        outgoing->end = outgoing->packets;
        outgoing->deadline = tp->now + tp->config.bam_gap;
        swap_port_announce(tp, SWAP_GLOBAL_ADDRESS, SWAP_BAM, outgoing->pgn, outgoing->size, outgoing->packets,
                           0xFF);
    } else {
        outgoing->deadline = tp->now + tp->config.t3;
        swap_port_announce(tp, outgoing->destination, SWAP_RTS, outgoing->pgn, outgoing->size, outgoing->packets,
                           tp->config.window);
    }
}

/* Forget a transfer that ended and start the one queued behind it. */
static void forget(swap_tp_t *tp, swap_outgoing_t *outgoing)
{
    swap_outgoing_t *next = NULL;
    size_t number;
    outgoing->state = SWAP_FREE;
    for (number = 0; number < tp->config.outgoing_count; number++) {
        swap_outgoing_t *each = &tp->config.outgoing[number];
        if (each->state == SWAP_QUEUED && each->destination == outgoing->destination &&
            (next == NULL || each->order < next->order)) {
            next = each;
        }
    }
    if (next != NULL) {
        start(tp, next);
    }
}

static void succeeded(swap_tp_t *tp, swap_outgoing_t *outgoing)
{
    swap_tp_event_t *event =
        swap_port_event(tp, SWAP_TP_SENT, outgoing->pgn, tp->config.address, outgoing->destination);
    event->started = outgoing->started;
    event->payload = outgoing->payload;
    event->size = outgoing->size;
    forget(tp, outgoing);
}

static void ended(swap_tp_t *tp, swap_outgoing_t *outgoing, swap_aborted_by_t by, uint8_t code)
{
    swap_port_ended(tp, outgoing->pgn, tp->config.address, outgoing->destination, by, code);
    forget(tp, outgoing);
}

static void give_up(swap_tp_t *tp, swap_outgoing_t *outgoing, swap_aborted_by_t by, uint8_t code)
{
    swap_port_abort(tp, outgoing->destination, outgoing->pgn, code);
    ended(tp, outgoing, by, code);
}

void swap_sender_send(swap_tp_t *tp, swap_outgoing_t *outgoing)
{
    if (running_to(tp, outgoing->destination) == NULL) {
        start(tp, outgoing);
    } else {
        outgoing->state = SWAP_QUEUED;
        outgoing->order = ++tp->serial;
    }
}

/* The transfer whose turn it is. */
static swap_outgoing_t *ready(const swap_tp_t *tp)
{
    swap_outgoing_t *found = NULL;
    size_t number;
    for (number = 0; number < tp->config.outgoing_count; number++) {
        swap_outgoing_t *each = &tp->config.outgoing[number];
        if (each->state == SWAP_RUNNING && each->ready != 0 && (found == NULL || each->ready < found->ready)) {
            found = each;
        }
    }
    return found;
}

static void window_sent(swap_tp_t *tp, swap_outgoing_t *outgoing)
{
    outgoing->sent = outgoing->end > outgoing->sent ? outgoing->end : outgoing->sent;
    if (global(outgoing)) {
        succeeded(tp, outgoing);
    } else {
        outgoing->deadline = tp->now + tp->config.t3;
    }
}

bool swap_sender_poll(swap_tp_t *tp, swap_frame_t *frame)
{
    swap_outgoing_t *outgoing = ready(tp);
    uint32_t gap;
    size_t at;
    size_t bytes;
    uint16_t number;
    if (outgoing == NULL) {
        return false;
    }
    number = outgoing->next++;
    at = (number - 1u) * SWAP_PACKET_BYTES;
    bytes = outgoing->size - at < SWAP_PACKET_BYTES ? outgoing->size - at : SWAP_PACKET_BYTES;
    frame->id = (uint32_t)tp->config.priority << 26 | SWAP_TP_DT << 16 | (uint32_t)outgoing->destination << 8 |
                tp->config.address;
    frame->size = 8;
    memset(frame->data, 0xFF, sizeof frame->data);
    frame->data[0] = (uint8_t)number;
    memcpy(&frame->data[1], outgoing->payload + at, bytes);
    gap = global(outgoing) ? tp->config.bam_gap : tp->config.packet_gap;
    if (number == outgoing->end) {
        outgoing->ready = 0;
        window_sent(tp, outgoing);
    } else if (gap != 0) {
        outgoing->ready = 0;
        outgoing->deadline = tp->now + gap;
    } else {
        outgoing->ready = ++tp->serial;
    }
    return true;
}

/* Count a request for packets that went out before; progress starts the count afresh. */
static bool may_retransmit(const swap_tp_t *tp, swap_outgoing_t *outgoing, uint16_t first)
{
    if (first > outgoing->retried) {
        outgoing->retried = first;
        outgoing->retries = 0;
    }
    outgoing->retries++;
    return outgoing->retries <= tp->config.retries;
}

/* A CTS that comes before the packets of the last one were sent. */
static void interrupted(swap_tp_t *tp, swap_outgoing_t *outgoing, const swap_frame_t *frame, int last)
{
    swap_port_violation(tp, SWAP_VIOLATION_CTS_WHILE_SENDING, frame);
    if (frame->data[2] != outgoing->first || last != outgoing->end) {
        give_up(tp, outgoing, SWAP_BY_US, SWAP_ABORT_CTS_WHILE_SENDING);
    }
}

void swap_sender_cts(swap_tp_t *tp, const swap_frame_t *frame)
{
    uint8_t count = frame->data[1];
    uint8_t first = frame->data[2];
    int last = first + count - 1;
    swap_outgoing_t *outgoing = running_to(tp, (uint8_t)frame->id);
    if (outgoing == NULL || outgoing->pgn != swap_packeted_pgn(frame->data)) {
        swap_port_violation(tp, SWAP_VIOLATION_CTS_ORPHAN, frame);
        return;
    }
    last = last < outgoing->packets ? last : outgoing->packets;
    if (count != 0 && (first == 0 || first > outgoing->packets)) {
        swap_port_violation(tp, SWAP_VIOLATION_CTS_PACKET, frame);
    } else if (sending(outgoing)) {
        interrupted(tp, outgoing, frame, last);
    } else if (count == 0) {
        outgoing->deadline = tp->now + tp->config.t4;
    } else if (first > outgoing->sent + 1) {
        swap_port_violation(tp, SWAP_VIOLATION_CTS_PACKET, frame);
    } else {
        if (count > tp->config.window || count > outgoing->packets - first + 1) {
            swap_port_violation(tp, SWAP_VIOLATION_CTS_WINDOW, frame);
        }
        if (first <= outgoing->sent && !may_retransmit(tp, outgoing, first)) {
            give_up(tp, outgoing, SWAP_BY_US, SWAP_ABORT_RETRANSMIT_LIMIT);
            return;
        }
        outgoing->first = first;
        outgoing->next = first;
        outgoing->end = (uint16_t)last;
        make_ready(tp, outgoing);
    }
}

void swap_sender_acknowledged(swap_tp_t *tp, const swap_frame_t *frame)
{
    const uint8_t *data = frame->data;
    swap_outgoing_t *outgoing = running_to(tp, (uint8_t)frame->id);
    if (outgoing == NULL || outgoing->pgn != swap_packeted_pgn(data)) {
        swap_port_violation(tp, SWAP_VIOLATION_ACK_ORPHAN, frame);
        return;
    }
    if (outgoing->sent < outgoing->packets) {
        swap_port_violation(tp, SWAP_VIOLATION_ACK_EARLY, frame);
        return;
    }
    if ((data[1] | data[2] << 8) != outgoing->size || data[3] != outgoing->packets) {
        swap_port_violation(tp, SWAP_VIOLATION_ACK_CONTENT, frame);
    }
    succeeded(tp, outgoing);
}

bool swap_sender_aborted(swap_tp_t *tp, uint8_t source, uint32_t pgn, uint8_t code)
{
    swap_outgoing_t *outgoing = running_to(tp, source);
    if (outgoing == NULL || outgoing->pgn != pgn) {
        return false;
    }
    ended(tp, outgoing, SWAP_BY_PEER, code);
    return true;
}

swap_instant_t swap_sender_next_timeout(const swap_tp_t *tp)
{
    swap_instant_t next = SWAP_NEVER;
    size_t number;
    for (number = 0; number < tp->config.outgoing_count; number++) {
        const swap_outgoing_t *each = &tp->config.outgoing[number];
        if (each->state == SWAP_RUNNING && each->deadline < next) {
            next = each->deadline;
        }
    }
    return next;
}

/* The transfer that is due and began first after those that were dealt with. */
static swap_outgoing_t *due(const swap_tp_t *tp, uint64_t after)
{
    swap_outgoing_t *found = NULL;
    size_t number;
    for (number = 0; number < tp->config.outgoing_count; number++) {
        swap_outgoing_t *each = &tp->config.outgoing[number];
        if (each->state == SWAP_RUNNING && tp->now >= each->deadline && each->order > after &&
            (found == NULL || each->order < found->order)) {
            found = each;
        }
    }
    return found;
}

void swap_sender_handle_timeout(swap_tp_t *tp)
{
    swap_outgoing_t *outgoing;
    uint64_t after = 0;
    while ((outgoing = due(tp, after)) != NULL) {
        after = outgoing->order;
        if (sending(outgoing)) {
            make_ready(tp, outgoing);
        } else {
            give_up(tp, outgoing, SWAP_BY_TIMEOUT, SWAP_ABORT_TIMEOUT);
        }
    }
}
