#ifndef SWAP_VALUE_H
#define SWAP_VALUE_H

/* One field between a payload and a struct; of no interest to users of the library. */

#include "swap_codec.h"

bool swap_all(const uint8_t *bytes, size_t size, uint8_t value);
/* Read a value that the payload holds; false if it says that there is none. *fault is 0, or what is odd. */
bool swap_value_read(const swap_field_t *field, const uint8_t *payload, uint8_t *member, uint32_t *fault);
/* False if the value does not fit. */
bool swap_value_write(const swap_field_t *field, const uint8_t *member, uint8_t *payload);
/* Write what says that there is no value. */
void swap_value_leave_out(const swap_field_t *field, uint8_t *payload);

#endif
