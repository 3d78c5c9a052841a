#include "swap_value.h"

#include <string.h>

/* Beyond any value that a field of 32 bits stands for: arithmetic up to here cannot overflow. */
#define FARTHEST ((int64_t)1 << 62)

static const uint8_t days_of[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

bool swap_all(const uint8_t *bytes, size_t size, uint8_t value)
{
    size_t index;
    for (index = 0; index < size; index++) {
        if (bytes[index] != value) {
            return false;
        }
    }
    return true;
}

static bool is_number(const swap_field_t *field)
{
    return field->kind == SWAP_NUMBER || field->kind == SWAP_CODE;
}

static uint32_t mask_of(const swap_field_t *field)
{
    return UINT32_MAX >> (32u - field->bits);
}

/* The bytes of a field from the most significant one on. */
static size_t place_of(const swap_field_t *field, size_t number)
{
    return field->first + ((field->flags & SWAP_BIG) != 0 ? number : field->bytes - 1u - number);
}

static int64_t raw_limit(const swap_field_t *field, uint32_t limit)
{
    return (field->flags & SWAP_SIGNED) != 0 && limit > INT32_MAX ? (int64_t)limit - ((int64_t)1 << 32)
                                                                  : (int64_t)limit;
}

static int64_t extract(const swap_field_t *field, const uint8_t *payload)
{
    uint64_t word = 0;
    uint32_t raw;
    size_t number;
    for (number = 0; number < field->bytes; number++) {
        word = word << 8 | payload[place_of(field, number)];
    }
    raw = (uint32_t)(word >> field->low_bit) & mask_of(field);
    if ((field->flags & SWAP_SIGNED) != 0 && (raw >> (field->bits - 1u)) != 0) {
        return (int64_t)raw - ((int64_t)1 << field->bits);
    }
    return (int64_t)raw;
}

static void insert(const swap_field_t *field, uint8_t *payload, uint32_t raw)
{
    uint64_t mask = (uint64_t)mask_of(field) << field->low_bit;
    uint64_t word = ((uint64_t)raw << field->low_bit) & mask;
    size_t number = field->bytes;
    while (number-- > 0) {
        uint8_t *byte = &payload[place_of(field, number)];
        *byte = (uint8_t)((*byte & ~mask) | (word & 0xFFu));
        mask >>= 8;
        word >>= 8;
    }
}

static int64_t load(const swap_field_t *field, const uint8_t *member)
{
    int64_t wide;
    int32_t number;
    uint32_t natural;
    switch (field->storage) {
    case SWAP_U8:
        return *member;
    case SWAP_U32:
        memcpy(&natural, member, sizeof natural);
        return (int64_t)natural;
    case SWAP_I32:
        memcpy(&number, member, sizeof number);
        return number;
    default:
        memcpy(&wide, member, sizeof wide);
        return wide;
    }
}

static void store(const swap_field_t *field, uint8_t *member, int64_t value)
{
    int32_t number = (int32_t)value;
    uint32_t natural = (uint32_t)value;
    switch (field->storage) {
    case SWAP_U8:
        *member = (uint8_t)value;
        break;
    case SWAP_U32:
        memcpy(member, &natural, sizeof natural);
        break;
    case SWAP_I32:
        memcpy(member, &number, sizeof number);
        break;
    default:
        memcpy(member, &value, sizeof value);
        break;
    }
}

static bool known(const swap_field_t *field, int64_t raw)
{
    const swap_rule_t *rule = field->rule;
    size_t number;
    if (raw < raw_limit(field, rule->low) || raw > raw_limit(field, rule->high)) {
        return false;
    }
    for (number = 0; number < rule->code_count; number++) {
        if ((int64_t)rule->codes[number] == raw) {
            return true;
        }
    }
    return rule->code_count == 0;
}

/* Nearest whole number, halves to the even one. */
static int64_t divided(int64_t number, int32_t by)
{
    int64_t whole = number / by;
    int64_t rest = number % by;
    if (rest < 0) {
        whole--;
        rest += by;
    }
    return whole + (rest * 2 > by || (rest * 2 == by && whole % 2 != 0) ? 1 : 0);
}

static bool is_date(const swap_time_t *time)
{
    bool leap = (time->year % 4 == 0 && time->year % 100 != 0) || time->year % 400 == 0;
    if (time->year < 1 || time->year > 9999 || time->month < 1 || time->month > 12 || time->day < 1) {
        return false;
    }
    return time->day <= days_of[time->month - 1] + (leap && time->month == 2 ? 1 : 0) && time->hour < 24 &&
           time->minute < 60 && time->second < 60;
}

static bool read_time(const uint8_t *bytes, swap_time_t *time)
{
    uint8_t numbers[7];
    size_t index;
    for (index = 0; index < sizeof numbers; index++) {
        if (bytes[index] >> 4 > 9 || (bytes[index] & 0x0F) > 9) {
            return false;
        }
        numbers[index] = (uint8_t)((bytes[index] >> 4) * 10 + (bytes[index] & 0x0F));
    }
    time->second = numbers[0];
    time->minute = numbers[1];
    time->hour = numbers[2];
    time->day = numbers[3];
    time->month = numbers[4];
    time->year = (uint16_t)(numbers[6] * 100 + numbers[5]);
    return is_date(time);
}

static bool write_time(const swap_time_t *time, uint8_t *bytes)
{
    unsigned numbers[7];
    size_t index;
    if (!is_date(time)) {
        return false;
    }
    numbers[0] = time->second;
    numbers[1] = time->minute;
    numbers[2] = time->hour;
    numbers[3] = time->day;
    numbers[4] = time->month;
    numbers[5] = time->year % 100u;
    numbers[6] = time->year / 100u;
    for (index = 0; index < sizeof numbers / sizeof numbers[0]; index++) {
        bytes[index] = (uint8_t)(numbers[index] / 10 << 4 | numbers[index] % 10);
    }
    return true;
}

static bool blank(const swap_field_t *field, uint8_t byte)
{
    return byte == field->pad || byte == 0xFF || byte == 0x00 || byte == ' ';
}

/* A length, then the characters, then a zero. */
static bool read_text(const swap_field_t *field, const uint8_t *bytes, uint8_t *member)
{
    size_t length = field->bytes;
    size_t index;
    bool ascii = true;
    while (length > 0 && blank(field, bytes[length - 1])) {
        length--;
    }
    for (index = 0; index < length; index++) {
        ascii = ascii && bytes[index] < 0x80;
    }
    member[0] = (uint8_t)length;
    memcpy(member + 1, bytes, length);
    return ascii;
}

bool swap_value_read(const swap_field_t *field, const uint8_t *payload, uint8_t *member, uint32_t *fault)
{
    const uint8_t *bytes = payload + field->first;
    bool optional = (field->flags & SWAP_OPTIONAL) != 0;
    swap_time_t time;
    int64_t raw;
    *fault = 0;
    if (is_number(field)) {
        raw = extract(field, payload);
        if (optional && (uint32_t)raw == field->rule->absent) {
            return false;
        }
        if (!known(field, raw)) {
            *fault = field->kind == SWAP_CODE ? SWAP_DEVIATION_UNKNOWN : SWAP_DEVIATION_RANGE;
        }
        store(field, member, raw * field->rule->numerator + field->rule->shift);
        return true;
    }
    if (optional && swap_all(bytes, field->bytes, 0xFF)) {
        return false;
    }
    switch (field->kind) {
    case SWAP_TEXT:
        *fault = read_text(field, bytes, member) ? 0 : SWAP_DEVIATION_TEXT;
        return true;
    case SWAP_BCD_TIME:
        if (read_time(bytes, &time)) {
            memcpy(member, &time, sizeof time);
            return true;
        }
        *fault = SWAP_DEVIATION_TIME;
        return false;
    default:
        memcpy(member, bytes, field->bytes);
        return true;
    }
}

static bool write_number(const swap_field_t *field, const uint8_t *member, uint8_t *payload)
{
    const swap_rule_t *rule = field->rule;
    int64_t raw = load(field, member);
    bool fits;
    if (raw < -FARTHEST || raw > FARTHEST) {
        return false;
    }
    raw -= rule->shift;
    if (rule->numerator != 1) {
        raw = divided(raw, rule->numerator);
    }
    fits = field->kind == SWAP_CODE ? raw >= 0 && raw <= mask_of(field)
                                    : raw >= raw_limit(field, rule->low) && raw <= raw_limit(field, rule->high);
    if (!fits || ((field->flags & SWAP_OPTIONAL) != 0 && raw == raw_limit(field, rule->absent))) {
        return false;
    }
    insert(field, payload, (uint32_t)raw);
    return true;
}

bool swap_value_write(const swap_field_t *field, const uint8_t *member, uint8_t *payload)
{
    uint8_t *bytes = payload + field->first;
    swap_time_t time;
    switch (field->kind) {
    case SWAP_TEXT:
        if (member[0] > field->bytes) {
            return false;
        }
        memset(bytes, field->pad, field->bytes);
        memcpy(bytes, member + 1, member[0]);
        return true;
    case SWAP_RAW:
        memcpy(bytes, member, field->bytes);
        return true;
    case SWAP_BCD_TIME:
        memcpy(&time, member, sizeof time);
        return write_time(&time, bytes);
    default:
        return write_number(field, member, payload);
    }
}

void swap_value_leave_out(const swap_field_t *field, uint8_t *payload)
{
    if (is_number(field)) {
        insert(field, payload, field->rule->absent);
    } else {
        memset(payload + field->first, 0xFF, field->bytes);
    }
}
