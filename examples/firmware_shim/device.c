/* The firmware under test: a pack that answers the charger's CHM with BHM, 750.0 V, every 250 ms.
 *
 *     cc -o device device.c shim.c && swapproto monitor exec:./device
 */
#include <stdio.h>
#include "shim.h"

#define CHM 0x1826F456u
#define BHM 0x182756F4u

static int greeted;
static uint32_t due;

void device_receive(uint32_t id, const uint8_t *data, int length) {
    if (id == CHM && length >= 3 && !greeted) {
        greeted = 1;
        fprintf(stderr, "charger of version %d.%d\n", data[1] | data[2] << 8, data[0]);
    }
}

void device_tick(uint32_t milliseconds) {
    static const uint8_t highest_voltage[2] = {7500 & 0xFF, 7500 >> 8};
    if (greeted && (!due || (int32_t)(milliseconds - due) >= 0)) {
        due = milliseconds + 250;
        can_send(BHM, highest_voltage, sizeof highest_voltage);
    }
}
