#ifndef SWAP_CODEC_H
#define SWAP_CODEC_H

#include "swapproto.h"

/* The tables that swap_messages.c holds, and the two functions that work through them. */

enum { SWAP_NUMBER, SWAP_CODE, SWAP_TEXT, SWAP_RAW, SWAP_BCD_TIME };
enum { SWAP_U8, SWAP_U32, SWAP_I32, SWAP_I64 };
enum { SWAP_BIG = 1, SWAP_SIGNED = 2, SWAP_OPTIONAL = 4 };
#define SWAP_NOWHERE 0xFFFFu

/* What the raw values of a number mean; raw values in two's complement where they are signed. */
typedef struct {
    int32_t numerator; /* member = raw * numerator + shift */
    int32_t shift;
    uint32_t low;
    uint32_t high;
    uint32_t absent;
    const uint32_t *codes; /* those with a meaning, where they are not all from low to high */
    uint8_t code_count;
} swap_rule_t;

typedef struct {
    uint16_t member; /* offset in the struct */
    uint16_t first;  /* byte */
    uint16_t bytes;
    uint8_t low_bit; /* of the integer that the bytes make */
    uint8_t bits;
    uint8_t kind;
    uint8_t storage;
    uint8_t flags;
    uint8_t pad; /* what text is filled up with */
    const swap_rule_t *rule;
} swap_field_t;

typedef struct {
    const struct swap_layout *item; /* NULL: opaque bytes */
    uint16_t member;
    uint16_t count; /* offset of the member that counts the items */
    uint16_t max_items;
    bool ones_absent; /* whether items of ones at the end are taken as absent */
} swap_tail_t;

typedef struct swap_layout {
    const swap_field_t *fields;
    const uint8_t *claimed;  /* ones where a field stands; NULL where reserved bits are not looked at */
    const uint16_t *lengths; /* that are read without remark, ascending */
    const swap_tail_t *tail;
    uint16_t size;    /* of the struct */
    uint16_t present; /* offset of that member, or SWAP_NOWHERE */
    uint16_t length;  /* of the fixed part, as it is sent */
    uint8_t field_count;
    uint8_t length_count;
    uint8_t filler; /* reserved bits as they are sent */
} swap_layout_t;

typedef struct {
    const char *name;
    const swap_layout_t *layout;
    uint32_t identifier;
    uint32_t pgn;
    uint16_t period_ms; /* 0: sent on an event */
    uint16_t length;    /* of the fixed part */
    uint16_t number;    /* swap_message_number_t */
    uint8_t priority;
    uint8_t source;
    uint8_t destination;
} swap_message_t;

/* Tolerant. The message is all zeros where the status is not SWAP_OK; deviations may be NULL. */
swap_result_t swap_layout_unpack(const swap_layout_t *layout, const uint8_t *payload, size_t size, void *message,
                                 swap_deviations_t *deviations);

/* Strict. */
swap_result_t swap_layout_pack(const swap_layout_t *layout, const void *message, uint8_t *payload, size_t room);

#endif
