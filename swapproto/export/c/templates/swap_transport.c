#include "swap_port.h"

#include <string.h>

uint32_t swap_packeted_pgn(const uint8_t *data)
{
    return data[5] | (uint32_t)data[6] << 8 | (uint32_t)data[7] << 16;
}

static uint32_t control_id(const swap_tp_t *tp, uint8_t destination)
{
    return (uint32_t)tp->config.priority << 26 | SWAP_TP_CM << 16 | (uint32_t)destination << 8 | tp->config.address;
}

void swap_port_control(swap_tp_t *tp, uint8_t destination, uint8_t control, uint32_t pgn, const uint8_t *rest)
{
    swap_frame_t *frame;
    if (tp->frame_count == tp->config.frame_room) {
        tp->frame_head = (tp->frame_head + 1) % tp->config.frame_room;
        tp->frame_count--;
    }
    frame = &tp->config.frames[(tp->frame_head + tp->frame_count++) % tp->config.frame_room];
    frame->id = control_id(tp, destination);
    frame->size = 8;
    frame->data[0] = control;
    memcpy(&frame->data[1], rest, 4);
    frame->data[5] = (uint8_t)pgn;
    frame->data[6] = (uint8_t)(pgn >> 8);
    frame->data[7] = (uint8_t)(pgn >> 16);
}

void swap_port_announce(swap_tp_t *tp, uint8_t destination, uint8_t control, uint32_t pgn, uint16_t size,
                        uint16_t packets, uint8_t limit)
{
    uint8_t rest[4];
    rest[0] = (uint8_t)size;
    rest[1] = (uint8_t)(size >> 8);
    rest[2] = (uint8_t)packets;
    rest[3] = limit;
    swap_port_control(tp, destination, control, pgn, rest);
}

void swap_port_abort(swap_tp_t *tp, uint8_t peer, uint32_t pgn, uint8_t code)
{
    uint8_t rest[4] = {0xFF, 0xFF, 0xFF, 0xFF};
    rest[0] = code;
    swap_port_control(tp, peer, SWAP_ABORT, pgn, rest);
}

static void let_go(swap_incoming_t *kept)
{
    if (kept != NULL) {
        kept->state = SWAP_FREE;
    }
}

swap_tp_event_t *swap_port_event(swap_tp_t *tp, swap_tp_kind_t kind, uint32_t pgn, uint8_t source,
                                 uint8_t destination)
{
    swap_tp_event_t *event;
    if (tp->event_count == tp->config.event_room) {
        let_go(tp->config.events[tp->event_head].kept);
        tp->event_head = (tp->event_head + 1) % tp->config.event_room;
        tp->event_count--;
        tp->lost_events++;
    }
    event = &tp->config.events[(tp->event_head + tp->event_count++) % tp->config.event_room];
    memset(event, 0, sizeof *event);
    event->kind = kind;
    event->pgn = pgn;
    event->source = source;
    event->destination = destination;
    event->started = tp->now;
    event->at = tp->now;
    event->code = SWAP_TP_NO_CODE;
    event->payload = NULL;
    event->kept = NULL;
    return event;
}

void swap_port_violation(swap_tp_t *tp, swap_violation_t violation, const swap_frame_t *frame)
{
    swap_tp_event_t *event =
        swap_port_event(tp, SWAP_TP_VIOLATION, 0, (uint8_t)frame->id, (uint8_t)(frame->id >> 8));
    event->violation = violation;
    event->frame = *frame;
}

void swap_port_ended(swap_tp_t *tp, uint32_t pgn, uint8_t source, uint8_t destination, swap_aborted_by_t by,
                     int16_t code)
{
    swap_tp_event_t *event = swap_port_event(tp, SWAP_TP_ABORTED, pgn, source, destination);
    event->by = by;
    event->code = code;
    event->ours = source == tp->config.address;
}

void swap_tp_defaults(swap_tp_config_t *config, uint8_t address)
{
    memset(config, 0, sizeof *config);
    config->address = address;
    config->priority = SWAP_TP_PRIORITY;
    config->window = 255;
    config->retries = SWAP_TP_RETRIES;
    config->packet_gap = 0;
    config->bam_gap = SWAP_TP_BAM_GAP_MIN_US;
    config->t1 = SWAP_TP_T1_US;
    config->t2 = SWAP_TP_T2_US;
    config->t3 = SWAP_TP_T3_US;
    config->t4 = SWAP_TP_T4_US;
    config->th = SWAP_TP_TH_US;
    config->addressed = NULL;
    config->broadcast = NULL;
    config->outgoing = NULL;
    config->frames = NULL;
    config->events = NULL;
}

swap_tp_status_t swap_tp_init(swap_tp_t *tp, const swap_tp_config_t *config)
{
    size_t number;
    if (config->address >= SWAP_NULL_ADDRESS || config->priority > 7 || config->window == 0 ||
        config->bam_gap == 0 || config->frame_room == 0 || config->event_room == 0) {
        return SWAP_TP_BAD_CONFIG;
    }
    memset(tp, 0, sizeof *tp);
    tp->config = *config;
    tp->taken = NULL;
    for (number = 0; number < config->addressed_count; number++) {
        config->addressed[number].state = SWAP_FREE;
    }
    for (number = 0; number < config->broadcast_count; number++) {
        config->broadcast[number].state = SWAP_FREE;
    }
    for (number = 0; number < config->outgoing_count; number++) {
        config->outgoing[number].state = SWAP_FREE;
    }
    return SWAP_TP_OK;
}

swap_tp_status_t swap_tp_send(swap_tp_t *tp, uint32_t pgn, const uint8_t *payload, size_t size, uint8_t destination,
                              swap_instant_t now)
{
    size_t number;
    if (size < SWAP_TP_MIN_SIZE || size > SWAP_TP_MAX_SIZE) {
        return SWAP_TP_BAD_SIZE;
    }
    if (pgn > 0x3FFFF || ((pgn >> 8 & 0xFF) < 0xF0 && (pgn & 0xFF) != 0)) {
        return SWAP_TP_BAD_PGN;
    }
    if (destination == tp->config.address || destination == SWAP_NULL_ADDRESS) {
        return SWAP_TP_BAD_ADDRESS;
    }
    tp->now = now;
    for (number = 0; number < tp->config.outgoing_count; number++) {
        swap_outgoing_t *outgoing = &tp->config.outgoing[number];
        if (outgoing->state == SWAP_FREE) {
            memset(outgoing, 0, sizeof *outgoing);
            outgoing->pgn = pgn;
            outgoing->payload = payload;
            outgoing->size = (uint16_t)size;
            outgoing->destination = destination;
            outgoing->packets = (uint16_t)((size + SWAP_PACKET_BYTES - 1) / SWAP_PACKET_BYTES);
            outgoing->deadline = SWAP_NEVER;
            swap_sender_send(tp, outgoing);
            return SWAP_TP_OK;
        }
    }
    return SWAP_TP_BUSY;
}

size_t swap_tp_pending(const swap_tp_t *tp, uint8_t destination)
{
    size_t pending = 0;
    size_t number;
    for (number = 0; number < tp->config.outgoing_count; number++) {
        const swap_outgoing_t *outgoing = &tp->config.outgoing[number];
        pending += outgoing->state != SWAP_FREE && outgoing->destination == destination ? 1u : 0u;
    }
    return pending;
}

void swap_tp_hold(swap_tp_t *tp, uint8_t source, swap_instant_t now)
{
    tp->now = now;
    tp->held[source / 8] |= (uint8_t)(1u << source % 8);
}

void swap_tp_release(swap_tp_t *tp, uint8_t source, swap_instant_t now)
{
    tp->now = now;
    tp->held[source / 8] &= (uint8_t)~(1u << source % 8);
    swap_receiver_released(tp, source);
}

/* The frame does not say which of both directions it means. */
static void take_abort(swap_tp_t *tp, const swap_frame_t *frame)
{
    uint8_t source = (uint8_t)frame->id;
    uint32_t pgn = swap_packeted_pgn(frame->data);
    bool received = swap_receiver_aborted(tp, source, pgn, frame->data[1]);
    bool sent = swap_sender_aborted(tp, source, pgn, frame->data[1]);
    if (!received && !sent) {
        swap_port_violation(tp, SWAP_VIOLATION_ABORT_ORPHAN, frame);
    }
}

static void take_control(swap_tp_t *tp, const swap_frame_t *frame, uint8_t destination)
{
    uint8_t source = (uint8_t)frame->id;
    uint8_t control = frame->data[0];
    bool global = destination == SWAP_GLOBAL_ADDRESS;
    if (frame->size != 8) {
        swap_port_violation(tp, SWAP_VIOLATION_FRAME_LENGTH, frame);
        return;
    }
    if (source == SWAP_NULL_ADDRESS || source == SWAP_GLOBAL_ADDRESS) {
        swap_port_violation(tp, SWAP_VIOLATION_BAD_SOURCE, frame);
        return;
    }
    if (control != SWAP_RTS && control != SWAP_CTS && control != SWAP_END_OF_MSG_ACK && control != SWAP_BAM &&
        control != SWAP_ABORT) {
        swap_port_violation(tp, SWAP_VIOLATION_UNKNOWN_CONTROL, frame);
    } else if ((control == SWAP_BAM) != global) {
        swap_port_violation(tp, SWAP_VIOLATION_MISDIRECTED, frame);
    } else if (control == SWAP_CTS) {
        swap_sender_cts(tp, frame);
    } else if (control == SWAP_END_OF_MSG_ACK) {
        swap_sender_acknowledged(tp, frame);
    } else if (control == SWAP_ABORT) {
        take_abort(tp, frame);
    } else {
        swap_receiver_announced(tp, frame, destination);
    }
}

bool swap_tp_receive(swap_tp_t *tp, const swap_frame_t *frame, swap_instant_t now)
{
    uint32_t kind = frame->id >> 16 & 0x3FF;
    uint8_t destination = (uint8_t)(frame->id >> 8);
    if (kind != SWAP_TP_DT && kind != SWAP_TP_CM) {
        return false;
    }
    if ((destination != tp->config.address && destination != SWAP_GLOBAL_ADDRESS) ||
        (uint8_t)frame->id == tp->config.address) {
        return false;
    }
    tp->now = now;
    if (kind == SWAP_TP_DT) {
        swap_receiver_data(tp, frame, destination);
    } else {
        take_control(tp, frame, destination);
    }
    return true;
}

void swap_tp_handle_timeout(swap_tp_t *tp, swap_instant_t now)
{
    tp->now = now;
    swap_receiver_handle_timeout(tp);
    swap_sender_handle_timeout(tp);
}

swap_instant_t swap_tp_next_timeout(const swap_tp_t *tp)
{
    swap_instant_t incoming = swap_receiver_next_timeout(tp);
    swap_instant_t outgoing = swap_sender_next_timeout(tp);
    return incoming < outgoing ? incoming : outgoing;
}

bool swap_tp_poll_transmit(swap_tp_t *tp, swap_frame_t *frame)
{
    if (tp->frame_count != 0) {
        *frame = tp->config.frames[tp->frame_head];
        tp->frame_head = (tp->frame_head + 1) % tp->config.frame_room;
        tp->frame_count--;
        return true;
    }
    return swap_sender_poll(tp, frame);
}

bool swap_tp_poll_event(swap_tp_t *tp, swap_tp_event_t *event)
{
    let_go(tp->taken);
    tp->taken = NULL;
    if (tp->event_count == 0) {
        return false;
    }
    *event = tp->config.events[tp->event_head];
    tp->event_head = (tp->event_head + 1) % tp->config.event_room;
    tp->event_count--;
    tp->taken = event->kept;
    return true;
}
