/* What the shim offers to the firmware, and what the firmware has to offer. */
#include <stdint.h>

void can_send(uint32_t id, const uint8_t *data, int length);
void device_receive(uint32_t id, const uint8_t *data, int length);
void device_tick(uint32_t milliseconds);
