#ifndef SWAPPROTO_H
#define SWAPPROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SWAP_MAX_PAYLOAD 1785u

/* One bit for each field of a message, by its number. */
typedef uint64_t swap_fields_t;
#define SWAP_FIELD(number) ((swap_fields_t)1 << (number))
#define SWAP_NO_FIELD 0xFFu

typedef enum {
    SWAP_OK,
    SWAP_CUT,      /* unpack: the payload ends before a field that has to be there */
    SWAP_TOO_LONG, /* unpack: more bytes than any transport carries */
    SWAP_MISFIT,   /* pack: a value that its field cannot carry */
    SWAP_TOO_MANY, /* pack: more items, or opaque bytes, than the message holds */
    SWAP_NO_ROOM   /* pack: the buffer is too small; what it holds is of no use */
} swap_status_t;

typedef struct {
    swap_status_t status;
    uint8_t field; /* number of the field at fault, or SWAP_NO_FIELD */
    uint8_t part;  /* number of the field in the item at fault, or SWAP_NO_FIELD */
    uint16_t item; /* which item of the field, from 0 */
    uint16_t size; /* bytes written, or read */
} swap_result_t;

/* How a payload can depart from its layout and still be read. */
enum {
@DEVIATIONS@
};

typedef struct {
    uint32_t kinds;       /* SWAP_DEVIATION_... */
    swap_fields_t fields; /* the fields that are odd; reserved bits and the length are no field's */
    uint16_t count;       /* departures, each byte, field or item by itself */
    uint16_t first;       /* offset of the first byte at which something is odd */
} swap_deviations_t;

/* Local time, as the bus has it. */
typedef struct {
    uint16_t year;
    uint8_t month;
    uint8_t day;
    uint8_t hour;
    uint8_t minute;
    uint8_t second;
} swap_time_t;

typedef struct {
    const uint8_t *data;
    uint16_t size;
} swap_bytes_t;

#endif
