#include "swap_port.h"

#include <string.h>

static bool has(const swap_incoming_t *incoming, uint16_t number)
{
    return ((unsigned)incoming->have[number / 8] >> number % 8 & 1u) != 0;
}

static swap_incoming_t *pool_of(const swap_tp_t *tp, bool broadcast, size_t *count)
{
    *count = broadcast ? tp->config.broadcast_count : tp->config.addressed_count;
    return broadcast ? tp->config.broadcast : tp->config.addressed;
}

static swap_incoming_t *running_from(const swap_tp_t *tp, bool broadcast, uint8_t source)
{
    size_t count;
    swap_incoming_t *pool = pool_of(tp, broadcast, &count);
    size_t number;
    for (number = 0; number < count; number++) {
        if (pool[number].state == SWAP_RUNNING && pool[number].source == source) {
            return &pool[number];
        }
    }
    return NULL;
}

static swap_incoming_t *free_for(const swap_tp_t *tp, bool broadcast, uint16_t size)
{
    size_t count;
    swap_incoming_t *pool = pool_of(tp, broadcast, &count);
    size_t number;
    for (number = 0; number < count; number++) {
        if (pool[number].state == SWAP_FREE && pool[number].room >= size) {
            return &pool[number];
        }
    }
    return NULL;
}

static void ended(swap_tp_t *tp, swap_incoming_t *incoming, swap_aborted_by_t by, int16_t code)
{
    incoming->state = SWAP_FREE;
    swap_port_ended(tp, incoming->pgn, incoming->source, incoming->destination, by, code);
}

static void send_cts(swap_tp_t *tp, const swap_incoming_t *incoming, uint8_t packets, uint8_t next)
{
    uint8_t rest[4] = {0, 0, 0xFF, 0xFF};
    rest[0] = packets;
    rest[1] = next;
    swap_port_control(tp, incoming->source, SWAP_CTS, incoming->pgn, rest);
}

/* Ask for the next run of missing packets, or hold the sender if the application wants that. */
static void grant(swap_tp_t *tp, swap_incoming_t *incoming)
{
    uint16_t first = incoming->first;
    uint16_t last;
    uint16_t end;
    incoming->expected = first;
    if (((unsigned)tp->held[incoming->source / 8] >> incoming->source % 8 & 1u) != 0) {
        incoming->held = true;
        incoming->end = (uint16_t)(first - 1);
        /* Well within Th: one may come late, and some give up after Th where J1939 has T4. */
        incoming->deadline = tp->now + tp->config.th / 2;
        send_cts(tp, incoming, 0, 0xFF);
        return;
    }
    last = (uint16_t)(first + incoming->limit - 1);
    last = last < incoming->packets ? last : incoming->packets;
    end = last;
    if (incoming->missing <= incoming->packets - first) {
        /* Some packet behind the first is here already. */
        end = first;
        while (end < last && !has(incoming, (uint16_t)(end + 1))) {
            end++;
        }
    }
    incoming->end = end;
    incoming->deadline = tp->now + tp->config.t2;
    send_cts(tp, incoming, (uint8_t)(end - first + 1), (uint8_t)first);
}

static void ask_again(swap_tp_t *tp, swap_incoming_t *incoming, swap_aborted_by_t by, uint8_t code)
{
    if (incoming->retries < tp->config.retries) {
        incoming->retries++;
        grant(tp, incoming);
        return;
    }
    swap_port_abort(tp, incoming->source, incoming->pgn, code);
    ended(tp, incoming, by, code);
}

/* Move to the first missing packet; progress starts the count of retries afresh. */
static void advance(swap_incoming_t *incoming)
{
    uint16_t before = incoming->first;
    while (incoming->first <= incoming->packets && has(incoming, incoming->first)) {
        incoming->first++;
    }
    if (incoming->first != before) {
        incoming->retries = 0;
    }
}

static void refuse(swap_tp_t *tp, uint32_t pgn, uint8_t source, uint8_t destination)
{
    if (destination != SWAP_GLOBAL_ADDRESS) {
        swap_port_abort(tp, source, pgn, SWAP_ABORT_RESOURCES);
    }
    swap_port_ended(tp, pgn, source, destination, SWAP_BY_US, SWAP_ABORT_RESOURCES);
}

/* False where the numbers of an RTS or BAM make no transfer. */
static bool makes_sense(swap_tp_t *tp, const swap_frame_t *frame, uint16_t size, bool broadcast)
{
    uint8_t source = (uint8_t)frame->id;
    bool fits = size >= SWAP_TP_MIN_SIZE && size <= SWAP_TP_MAX_SIZE;
    if (fits && frame->data[3] == (size + SWAP_PACKET_BYTES - 1) / SWAP_PACKET_BYTES) {
        return true;
    }
    swap_port_violation(tp, fits ? SWAP_VIOLATION_PACKET_COUNT : SWAP_VIOLATION_BAD_SIZE, frame);
    /* An abort would name the PGN that a running transfer may have: that one shall live. */
    if (!broadcast && running_from(tp, false, source) == NULL) {
        swap_port_abort(tp, source, swap_packeted_pgn(frame->data),
                        size > SWAP_TP_MAX_SIZE ? SWAP_ABORT_TOO_LARGE : SWAP_ABORT_OTHER);
    }
    return false;
}

void swap_receiver_announced(swap_tp_t *tp, const swap_frame_t *frame, uint8_t destination)
{
    const uint8_t *data = frame->data;
    bool broadcast = destination == SWAP_GLOBAL_ADDRESS;
    uint8_t source = (uint8_t)frame->id;
    uint32_t pgn = swap_packeted_pgn(data);
    uint16_t size = (uint16_t)(data[1] | data[2] << 8);
    uint8_t limit = data[4] < tp->config.window ? data[4] : tp->config.window;
    swap_incoming_t *incoming;
    if (!makes_sense(tp, frame, size, broadcast)) {
        return;
    }
    incoming = running_from(tp, broadcast, source);
    if (incoming != NULL) {
        ended(tp, incoming, SWAP_BY_PEER, SWAP_TP_NO_CODE);
    }
    incoming = free_for(tp, broadcast, size);
    if (incoming == NULL) {
        refuse(tp, pgn, source, destination);
        return;
    }
    limit = broadcast ? data[3] : limit;
    if (limit == 0) {
        swap_port_violation(tp, SWAP_VIOLATION_RTS_LIMIT, frame);
        limit = 1;
    }
    incoming->state = SWAP_RUNNING;
    incoming->pgn = pgn;
    incoming->source = source;
    incoming->destination = destination;
    incoming->size = size;
    incoming->packets = data[3];
    incoming->missing = data[3];
    incoming->limit = limit;
    incoming->first = 1;
    incoming->expected = 1;
    incoming->end = data[3];
    incoming->retries = 0;
    incoming->held = false;
    incoming->order = ++tp->serial;
    incoming->started = tp->now;
    memset(incoming->have, 0, sizeof incoming->have);
    if (broadcast) {
        incoming->deadline = tp->now + tp->config.t1;
    } else {
        grant(tp, incoming);
    }
}

/* Payload bytes that a packet carries. */
static size_t share(const swap_incoming_t *incoming, uint16_t number)
{
    return number == incoming->packets ? incoming->size - SWAP_PACKET_BYTES * (incoming->packets - 1u)
                                       : SWAP_PACKET_BYTES;
}

/* Judge a packet that is not the expected one; true if it is wanted all the same. */
static bool take_out_of_order(swap_tp_t *tp, swap_incoming_t *incoming, uint8_t number, const swap_frame_t *frame)
{
    swap_violation_t violation = SWAP_VIOLATION_WRONG_SEQUENCE;
    if (number == 0 || number > incoming->packets) {
        violation = SWAP_VIOLATION_PACKET_NUMBER;
    } else if (has(incoming, number)) {
        violation = SWAP_VIOLATION_DUPLICATE;
    } else if (number > incoming->end) {
        violation = SWAP_VIOLATION_OUTSIDE_WINDOW;
    } else if (number >= incoming->expected) {
        incoming->expected = (uint16_t)(number + 1);
    }
    swap_port_violation(tp, violation, frame);
    return violation == SWAP_VIOLATION_WRONG_SEQUENCE;
}

static void complete(swap_tp_t *tp, swap_incoming_t *incoming)
{
    swap_tp_event_t *event;
    if (incoming->destination != SWAP_GLOBAL_ADDRESS) {
        swap_port_announce(tp, incoming->source, SWAP_END_OF_MSG_ACK, incoming->pgn, incoming->size,
                           incoming->packets, 0xFF);
    }
    incoming->state = SWAP_DELIVERED;
    event = swap_port_event(tp, SWAP_TP_RECEIVED, incoming->pgn, incoming->source, incoming->destination);
    event->started = incoming->started;
    event->payload = incoming->buffer;
    event->size = incoming->size;
    event->kept = incoming;
}

void swap_receiver_data(swap_tp_t *tp, const swap_frame_t *frame, uint8_t destination)
{
    const uint8_t *data = frame->data;
    bool broadcast = destination == SWAP_GLOBAL_ADDRESS;
    swap_incoming_t *incoming = running_from(tp, broadcast, (uint8_t)frame->id);
    uint8_t number;
    size_t bytes;
    size_t index;
    if (incoming == NULL) {
        swap_port_violation(tp, SWAP_VIOLATION_DATA_ORPHAN, frame);
        return;
    }
    number = frame->size != 0 ? data[0] : 0;
    bytes = share(incoming, number);
    if (frame->size != 8) {
        swap_port_violation(tp, SWAP_VIOLATION_FRAME_LENGTH, frame);
        if (frame->size <= bytes) {
            return;
        }
    }
    if (number == incoming->expected && number <= incoming->end) {
        incoming->expected = (uint16_t)(number + 1);
    } else if (!take_out_of_order(tp, incoming, number, frame)) {
        return;
    }
    memcpy(incoming->buffer + (number - 1u) * SWAP_PACKET_BYTES, &data[1], bytes);
    incoming->have[number / 8] |= (uint8_t)(1u << number % 8);
    incoming->missing--;
    incoming->deadline = tp->now + tp->config.t1;
    for (index = 1 + bytes; index < frame->size; index++) {
        if (data[index] != 0xFF) {
            swap_port_violation(tp, SWAP_VIOLATION_PADDING, frame);
            break;
        }
    }
    if (incoming->missing == 0) {
        complete(tp, incoming);
    } else if (number == incoming->end && !broadcast) {
        advance(incoming);
        if (incoming->first > incoming->end) {
            grant(tp, incoming);
        } else {
            ask_again(tp, incoming, SWAP_BY_US, SWAP_ABORT_RETRANSMIT_LIMIT);
        }
    }
}

bool swap_receiver_aborted(swap_tp_t *tp, uint8_t source, uint32_t pgn, uint8_t code)
{
    swap_incoming_t *incoming = running_from(tp, false, source);
    if (incoming == NULL || incoming->pgn != pgn) {
        return false;
    }
    ended(tp, incoming, SWAP_BY_PEER, code);
    return true;
}

void swap_receiver_released(swap_tp_t *tp, uint8_t source)
{
    swap_incoming_t *incoming = running_from(tp, false, source);
    if (incoming != NULL && incoming->held) {
        incoming->held = false;
        grant(tp, incoming);
    }
}

swap_instant_t swap_receiver_next_timeout(const swap_tp_t *tp)
{
    swap_instant_t next = SWAP_NEVER;
    size_t kind;
    size_t count;
    size_t number;
    for (kind = 0; kind < 2; kind++) {
        const swap_incoming_t *pool = pool_of(tp, kind == 0, &count);
        for (number = 0; number < count; number++) {
            if (pool[number].state == SWAP_RUNNING && pool[number].deadline < next) {
                next = pool[number].deadline;
            }
        }
    }
    return next;
}

/* The transfer that is due and began first after those that were dealt with. */
static swap_incoming_t *due(const swap_tp_t *tp, bool broadcast, uint64_t after)
{
    size_t count;
    swap_incoming_t *pool = pool_of(tp, broadcast, &count);
    swap_incoming_t *found = NULL;
    size_t number;
    for (number = 0; number < count; number++) {
        swap_incoming_t *each = &pool[number];
        if (each->state == SWAP_RUNNING && tp->now >= each->deadline && each->order > after &&
            (found == NULL || each->order < found->order)) {
            found = each;
        }
    }
    return found;
}

void swap_receiver_handle_timeout(swap_tp_t *tp)
{
    swap_incoming_t *incoming;
    uint64_t after = 0;
    while ((incoming = due(tp, true, after)) != NULL) {
        after = incoming->order;
        ended(tp, incoming, SWAP_BY_TIMEOUT, SWAP_ABORT_TIMEOUT);
    }
    after = 0;
    while ((incoming = due(tp, false, after)) != NULL) {
        after = incoming->order;
        if (incoming->held) {
            grant(tp, incoming);
        } else {
            advance(incoming);
            ask_again(tp, incoming, SWAP_BY_TIMEOUT, SWAP_ABORT_TIMEOUT);
        }
    }
}
