#include "swap_value.h"

#include <string.h>

#define FRAME 8u

static swap_result_t result_of(swap_status_t status, size_t field, size_t size)
{
    swap_result_t result;
    result.status = status;
    result.field = (uint8_t)field;
    result.part = SWAP_NO_FIELD;
    result.item = 0;
    result.size = (uint16_t)size;
    return result;
}

static void deviate(swap_deviations_t *found, uint32_t kind, size_t field, size_t offset)
{
    if (found->count == 0 || offset < found->first) {
        found->first = (uint16_t)offset;
    }
    found->kinds |= kind;
    found->count++;
    if (field != SWAP_NO_FIELD) {
        found->fields |= SWAP_FIELD(field);
    }
}

static swap_fields_t present_in(const swap_layout_t *layout, const uint8_t *message)
{
    swap_fields_t present = 0;
    if (layout->present != SWAP_NOWHERE) {
        memcpy(&present, message + layout->present, sizeof present);
    }
    return present;
}

/* Read the fields that the payload holds whole. Items report under the number of the tail. */
static void read_fields(const swap_layout_t *layout, const uint8_t *payload, size_t size, uint8_t *message,
                        swap_deviations_t *found, size_t base, size_t tail)
{
    swap_fields_t present = 0;
    uint32_t fault;
    size_t number;
    for (number = 0; number < layout->field_count; number++) {
        const swap_field_t *field = &layout->fields[number];
        if ((size_t)field->first + field->bytes > size) {
            continue;
        }
        if (swap_value_read(field, payload, message + field->member, &fault) &&
            (field->flags & SWAP_OPTIONAL) != 0) {
            present |= SWAP_FIELD(number);
        }
        if (fault != 0) {
            deviate(found, fault, tail == SWAP_NO_FIELD ? number : tail, base + field->first);
        }
    }
    if (layout->present != SWAP_NOWHERE) {
        memcpy(message + layout->present, &present, sizeof present);
    }
}

static void check_reserved(const swap_layout_t *layout, const uint8_t *payload, size_t size,
                           swap_deviations_t *found, size_t base)
{
    size_t defined = layout->lengths[layout->length_count - 1u];
    size_t index;
    if (layout->claimed == NULL) {
        return;
    }
    for (index = 0; index < size && index < defined; index++) {
        if ((payload[index] | layout->claimed[index]) != 0xFF) {
            deviate(found, SWAP_DEVIATION_RESERVED, SWAP_NO_FIELD, base + index);
        }
    }
}

static void check_length(const swap_layout_t *layout, size_t size, swap_deviations_t *found)
{
    size_t defined = 0;
    size_t number;
    for (number = 0; number < layout->length_count; number++) {
        if (layout->lengths[number] == size) {
            return;
        }
        if (layout->lengths[number] < size) {
            defined = layout->lengths[number];
        }
    }
    if (size < layout->length) {
        deviate(found, SWAP_DEVIATION_SHORT, SWAP_NO_FIELD, size);
    } else if (layout->tail == NULL) {
        deviate(found, size == FRAME ? SWAP_DEVIATION_PADDED : SWAP_DEVIATION_TOO_LONG, SWAP_NO_FIELD, defined);
    }
}

/* The size of the payload without broken and absent items at its end. */
static size_t trim_items(const swap_layout_t *layout, const uint8_t *payload, size_t size, swap_deviations_t *found)
{
    const swap_tail_t *tail = layout->tail;
    size_t each = tail->item->length;
    size_t field = layout->field_count;
    size_t extra = (size - layout->length) % each;
    size_t kept = size - extra;
    size_t most = layout->length + tail->max_items * each;
    if (extra != 0) {
        bool padding = size == FRAME && swap_all(payload + kept, extra, 0xFF);
        deviate(found, padding ? SWAP_DEVIATION_PADDED : SWAP_DEVIATION_ITEMS, field, kept);
    }
    if (tail->ones_absent && kept > layout->length && swap_all(payload + kept - each, each, 0xFF)) {
        while (kept > layout->length && swap_all(payload + kept - each, each, 0xFF)) {
            kept -= each;
        }
        deviate(found, SWAP_DEVIATION_PADDED, field, kept);
    }
    if (kept > most) {
        deviate(found, SWAP_DEVIATION_ITEMS, field, most);
    }
    return kept;
}

/* Items beyond the last that is defined are judged and left aside: from the end on, each in the first one's place. */
static void read_items(const swap_layout_t *layout, const uint8_t *payload, size_t size, uint8_t *message,
                       swap_deviations_t *found)
{
    const swap_tail_t *tail = layout->tail;
    const swap_layout_t *item = tail->item;
    size_t number = (trim_items(layout, payload, size, found) - layout->length) / item->length;
    uint16_t count = (uint16_t)(number < tail->max_items ? number : tail->max_items);
    while (number-- > 0) {
        size_t at = layout->length + number * item->length;
        uint8_t *into = message + tail->member + (number < tail->max_items ? number : 0) * item->size;
        memset(into, 0, item->size);
        check_reserved(item, payload + at, item->length, found, at);
        read_fields(item, payload + at, item->length, into, found, at, layout->field_count);
    }
    memcpy(message + tail->count, &count, sizeof count);
}

static void read_tail(const swap_layout_t *layout, const uint8_t *payload, size_t size, uint8_t *message,
                      swap_deviations_t *found)
{
    swap_bytes_t rest = {NULL, 0};
    if (layout->tail->item != NULL) {
        if (size > layout->length) {
            read_items(layout, payload, size, message, found);
        }
        return;
    }
    if (size > layout->length) {
        rest.data = payload + layout->length;
        rest.size = (uint16_t)(size - layout->length);
    }
    memcpy(message + layout->tail->member, &rest, sizeof rest);
}

swap_result_t swap_layout_unpack(const swap_layout_t *layout, const uint8_t *payload, size_t size, void *message,
                                 swap_deviations_t *deviations)
{
    swap_deviations_t found = {0, 0, 0, 0};
    size_t number;
    memset(message, 0, layout->size);
    if (deviations != NULL) {
        *deviations = found;
    }
    if (size > SWAP_MAX_PAYLOAD) {
        return result_of(SWAP_TOO_LONG, SWAP_NO_FIELD, 0);
    }
    for (number = 0; number < layout->field_count; number++) {
        const swap_field_t *field = &layout->fields[number];
        if ((field->flags & SWAP_OPTIONAL) == 0 && (size_t)field->first + field->bytes > size) {
            return result_of(SWAP_CUT, number, 0);
        }
    }
    check_length(layout, size, &found);
    check_reserved(layout, payload, size, &found, 0);
    read_fields(layout, payload, size, message, &found, 0, SWAP_NO_FIELD);
    if (layout->tail != NULL) {
        read_tail(layout, payload, size, message, &found);
    }
    if (deviations != NULL) {
        *deviations = found;
    }
    return result_of(SWAP_OK, SWAP_NO_FIELD, size);
}

/* The number of the first field that does not fit, or SWAP_NO_FIELD. */
static size_t write_fields(const swap_layout_t *layout, const uint8_t *message, uint8_t *payload)
{
    swap_fields_t present = present_in(layout, message);
    size_t number;
    memset(payload, layout->filler, layout->length);
    for (number = 0; number < layout->field_count; number++) {
        const swap_field_t *field = &layout->fields[number];
        if ((field->flags & SWAP_OPTIONAL) == 0 || (present & SWAP_FIELD(number)) != 0) {
            if (!swap_value_write(field, message + field->member, payload)) {
                return number;
            }
        } else {
            swap_value_leave_out(field, payload);
        }
    }
    return SWAP_NO_FIELD;
}

static swap_result_t write_items(const swap_layout_t *layout, const uint8_t *message, uint8_t *payload, size_t room)
{
    const swap_tail_t *tail = layout->tail;
    swap_result_t result;
    uint16_t count;
    uint16_t number;
    memcpy(&count, message + tail->count, sizeof count);
    if (count > tail->max_items) {
        return result_of(SWAP_TOO_MANY, layout->field_count, 0);
    }
    result = result_of(SWAP_OK, SWAP_NO_FIELD, layout->length + (size_t)count * tail->item->length);
    if (result.size > room) {
        return result_of(SWAP_NO_ROOM, SWAP_NO_FIELD, 0);
    }
    for (number = 0; number < count; number++) {
        const uint8_t *item = message + tail->member + (size_t)number * tail->item->size;
        uint8_t *at = payload + layout->length + (size_t)number * tail->item->length;
        size_t part = write_fields(tail->item, item, at);
        if (part != SWAP_NO_FIELD) {
            result = result_of(SWAP_MISFIT, layout->field_count, 0);
            result.part = (uint8_t)part;
            result.item = number;
            return result;
        }
    }
    return result;
}

static swap_result_t write_rest(const swap_layout_t *layout, const uint8_t *message, uint8_t *payload, size_t room)
{
    swap_bytes_t rest;
    memcpy(&rest, message + layout->tail->member, sizeof rest);
    if (rest.size > SWAP_MAX_PAYLOAD - layout->length) {
        return result_of(SWAP_TOO_MANY, layout->field_count, 0);
    }
    if ((size_t)layout->length + rest.size > room) {
        return result_of(SWAP_NO_ROOM, SWAP_NO_FIELD, 0);
    }
    if (rest.size != 0) {
        memcpy(payload + layout->length, rest.data, rest.size);
    }
    return result_of(SWAP_OK, SWAP_NO_FIELD, (size_t)layout->length + rest.size);
}

swap_result_t swap_layout_pack(const swap_layout_t *layout, const void *message, uint8_t *payload, size_t room)
{
    size_t misfit;
    if (layout->length > room) {
        return result_of(SWAP_NO_ROOM, SWAP_NO_FIELD, 0);
    }
    misfit = layout->length == 0 ? SWAP_NO_FIELD : write_fields(layout, message, payload);
    if (misfit != SWAP_NO_FIELD) {
        return result_of(SWAP_MISFIT, misfit, 0);
    }
    if (layout->tail == NULL) {
        return result_of(SWAP_OK, SWAP_NO_FIELD, layout->length);
    }
    return layout->tail->item != NULL ? write_items(layout, message, payload, room)
                                      : write_rest(layout, message, payload, room);
}
