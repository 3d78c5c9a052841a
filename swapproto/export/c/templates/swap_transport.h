#ifndef SWAP_TRANSPORT_H
#define SWAP_TRANSPORT_H

/* The J1939-21 transport endpoint of one source address: payloads of 9 to 1785 bytes over 8-byte frames.

   It does no input or output and reads no clock. Give it every extended data frame that the bus brings, and the
   time; then poll frames for the bus, events, and the instant at which it wants swap_tp_handle_timeout().
   All memory is the caller's. Instants must not go back. */

#include "swapproto.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef uint64_t swap_instant_t; /* microseconds */
#define SWAP_NEVER UINT64_MAX

#define SWAP_TP_MIN_SIZE 9u
#define SWAP_TP_MAX_SIZE SWAP_MAX_PAYLOAD
#define SWAP_GLOBAL_ADDRESS 0xFFu
#define SWAP_NULL_ADDRESS 0xFEu

/* Timers of J1939-21 [reported]: Tr the longest time to answer, Th between two CTS that hold the
   sender; receiver: T1 silence after a packet, T2 after a CTS; sender: T3 silence after the last packet asked for,
   T4 after a CTS that held it; and the time between packets of a broadcast. */
@TP_TIMERS@
/* Requests to retransmit the same packet before a transfer is given up [reported]. */
#define SWAP_TP_RETRIES @TP_RETRIES@u
#define SWAP_TP_PRIORITY @TP_PRIORITY@u

/* Second byte of an abort; devices send others too. */
enum {
@ABORT_REASONS@
};

/* A rule of the transport that a frame broke. */
typedef enum {
@VIOLATIONS@
} swap_violation_t;

typedef struct {
    uint32_t id; /* 29 bits */
    uint8_t size;
    uint8_t data[8];
} swap_frame_t;

typedef enum {
    SWAP_TP_RECEIVED,  /* a whole payload arrived */
    SWAP_TP_SENT,      /* a payload was acknowledged, or the last packet of a broadcast handed out */
    SWAP_TP_ABORTED,   /* a transfer ended without success */
    SWAP_TP_VIOLATION  /* a frame broke a rule; unless an abort follows, the transfer that it touched goes on */
} swap_tp_kind_t;

typedef enum { SWAP_BY_US, SWAP_BY_PEER, SWAP_BY_TIMEOUT } swap_aborted_by_t;
#define SWAP_TP_NO_CODE (-1)

typedef struct swap_incoming swap_incoming_t;

typedef struct {
    swap_tp_kind_t kind;
    uint32_t pgn; /* 0 for a violation */
    uint8_t source;
    uint8_t destination;
    swap_instant_t started;  /* of the transfer; for a violation the same as at */
    swap_instant_t at;
    const uint8_t *payload;  /* received: good until the next swap_tp_poll_event(); sent: as it was given */
    uint16_t size;
    swap_aborted_by_t by;
    int16_t code;            /* aborted: reason byte, or SWAP_TP_NO_CODE where a new RTS or BAM took its place */
    bool ours;               /* aborted: whether the payload was ours to send */
    swap_violation_t violation;
    swap_frame_t frame;      /* the one that broke a rule */
    swap_incoming_t *kept;   /* for the transport itself */
} swap_tp_event_t;

/* A transfer being received. The caller sets buffer and room; everything else is the transport's. */
struct swap_incoming {
    uint8_t *buffer;
    uint16_t room;
    uint16_t size;
    uint32_t pgn;
    uint8_t state;
    uint8_t source;
    uint8_t destination;
    uint8_t limit;
    uint16_t packets;
    uint16_t missing;
    uint16_t first;
    uint16_t expected;
    uint16_t end;
    uint16_t retries;
    bool held;
    uint64_t order;
    swap_instant_t started;
    swap_instant_t deadline;
    uint8_t have[32];
};

/* A transfer being sent, or waiting to be. */
typedef struct {
    const uint8_t *payload;
    uint32_t pgn;
    uint16_t size;
    uint8_t state;
    uint8_t destination;
    uint16_t packets;
    uint16_t first;
    uint16_t next;
    uint16_t end;
    uint16_t sent;
    uint16_t retried;
    uint16_t retries;
    uint64_t order;
    uint64_t ready;
    swap_instant_t started;
    swap_instant_t deadline;
} swap_outgoing_t;

typedef struct {
    uint8_t address;
    uint8_t priority;
    uint8_t window;          /* the most packets that one CTS asks for, and the limit that our RTS names */
    uint8_t retries;
    uint32_t packet_gap;     /* between data packets of an addressed transfer; 0: as fast as they are polled */
    uint32_t bam_gap;        /* between those of a broadcast */
    uint32_t t1, t2, t3, t4, th;
    swap_incoming_t *addressed; /* as many transfers to us as are received at a time; more are refused */
    size_t addressed_count;
    swap_incoming_t *broadcast; /* and to all */
    size_t broadcast_count;
    swap_outgoing_t *outgoing;  /* transfers that run or wait; those to one destination run one by one */
    size_t outgoing_count;
    swap_frame_t *frames;       /* control frames waiting for the bus; the oldest goes where there is no room */
    size_t frame_room;
    swap_tp_event_t *events;    /* the same for events */
    size_t event_room;
} swap_tp_config_t;

typedef struct {
    swap_tp_config_t config;
    swap_instant_t now;
    uint64_t serial;
    size_t frame_head, frame_count;
    size_t event_head, event_count;
    uint32_t lost_events;
    swap_incoming_t *taken;
    uint8_t held[32];
} swap_tp_t;

typedef enum {
    SWAP_TP_OK,
    SWAP_TP_BAD_CONFIG,  /* an address no node may use, a window of 0, no room for frames or events, ... */
    SWAP_TP_BAD_SIZE,    /* not 9 to 1785 bytes; up to 8 go in a frame of their own */
    SWAP_TP_BAD_PGN,     /* more than 18 bits, or a low byte in an addressed one (PDU1) */
    SWAP_TP_BAD_ADDRESS, /* cannot be sent to from here */
    SWAP_TP_BUSY         /* no outgoing transfer is free */
} swap_tp_status_t;

/* Defaults of J1939-21, without any memory. */
void swap_tp_defaults(swap_tp_config_t *config, uint8_t address);
swap_tp_status_t swap_tp_init(swap_tp_t *tp, const swap_tp_config_t *config);

/* Start or queue a transfer, to all for destination 0xFF. The payload stays the caller's and must stay as it is
   until the event that ends the transfer. */
swap_tp_status_t swap_tp_send(swap_tp_t *tp, uint32_t pgn, const uint8_t *payload, size_t size, uint8_t destination,
                              swap_instant_t now);
/* Transfers to a destination that run or wait. */
size_t swap_tp_pending(const swap_tp_t *tp, uint8_t destination);
/* From the next CTS on keep that sender waiting, until it is released. */
void swap_tp_hold(swap_tp_t *tp, uint8_t source, swap_instant_t now);
void swap_tp_release(swap_tp_t *tp, uint8_t source, swap_instant_t now);
/* True if the frame was transport traffic to us or to all, and is thereby dealt with. */
bool swap_tp_receive(swap_tp_t *tp, const swap_frame_t *frame, swap_instant_t now);
void swap_tp_handle_timeout(swap_tp_t *tp, swap_instant_t now);
/* When swap_tp_handle_timeout() is wanted next, or SWAP_NEVER; ask again after any other call. */
swap_instant_t swap_tp_next_timeout(const swap_tp_t *tp);
/* The next frame for the bus; false if there is none. */
bool swap_tp_poll_transmit(swap_tp_t *tp, swap_frame_t *frame);
/* The next event; false if there is none. A received payload is good until the next call of this, and the place
   that it is kept in is free for another transfer only then: poll until there is nothing more. */
bool swap_tp_poll_event(swap_tp_t *tp, swap_tp_event_t *event);

#ifdef __cplusplus
}
#endif

#endif
