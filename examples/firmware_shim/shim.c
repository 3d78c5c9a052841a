/* Makes a firmware stack compiled for the host a device on the bus: a frame is a line of ID#DATA. */
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include "shim.h"

void can_send(uint32_t id, const uint8_t *data, int length) {
    printf("%08X#", (unsigned)id);
    for (int i = 0; i < length; i++) printf("%02X", data[i]);
    puts("");
    fflush(stdout);
}

int main(void) {
    char line[64] = "";
    uint8_t d[8];
    unsigned id;
    struct timespec now;
    setvbuf(stdin, NULL, _IONBF, 0); /* poll() does not see what stdio has read ahead */
    for (;;) {
        if (poll(&(struct pollfd){.fd = 0, .events = POLLIN}, 1, 10) > 0) {
            if (!fgets(line, sizeof line, stdin)) return 0;
            int read = sscanf(line, "%8x#%2hhx%2hhx%2hhx%2hhx%2hhx%2hhx%2hhx%2hhx", &id, d, d + 1, d + 2, d + 3,
                              d + 4, d + 5, d + 6, d + 7);
            if (read > 0 && line[8] == '#' && line[9] != 'R') device_receive(id, d, read - 1); /* 29 bits */
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
        device_tick((uint32_t)(now.tv_sec * 1000 + now.tv_nsec / 1000000));
    }
}
