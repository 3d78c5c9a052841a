/* A pack asks for charge: BCL is packed as the bus carries it, and read again as a charger would.

   swapproto export c --profile gbt27930-2015 --out generated
   cc -std=c99 -Igenerated charge_demand.c generated/swap_messages.c generated/swap_codec.c generated/swap_value.c */

#include "swap_float.h"

#include <stdio.h>

static void show(const uint8_t *payload, size_t size)
{
    swap_bcl_t demand;
    swap_deviations_t odd;
    swap_result_t result = swap_bcl_unpack(payload, size, &demand, &odd);
    if (result.status != SWAP_OK) {
        printf("cannot be read: field %u is cut\n", (unsigned)result.field);
        return;
    }
    printf("%.1f V, %.1f A, mode %u", (double)swap_bcl_get_voltage(&demand),
           (double)swap_bcl_get_current(&demand), (unsigned)demand.mode);
    if ((odd.kinds & SWAP_DEVIATION_PADDED) != 0) {
        printf(", padded");
    }
    if ((odd.fields & SWAP_FIELD(SWAP_BCL_FIELD_MODE)) != 0) {
        printf(", a mode that has no meaning");
    }
    printf("\n");
}

int main(void)
{
    static const uint8_t strange[] = {0x52, 0x17, 0x82, 0x0F, 0x07, 0xFF, 0xFF, 0xFF};
    uint8_t payload[8];
    swap_bcl_t demand = {.voltage = 5970, .current = -30, .mode = SWAP_CHARGE_MODE_CONSTANT_CURRENT};
    swap_result_t result = swap_bcl_pack(&demand, payload, sizeof payload);
    size_t index;

    printf("%08X#", SWAP_BCL_ID);
    for (index = 0; index < result.size; index++) {
        printf("%02X", payload[index]);
    }
    printf(" every %u ms\n", SWAP_BCL_PERIOD_MS);

    show(payload, result.size);
    show(strange, sizeof strange);
    show(payload, 3);

    swap_bcl_set_current(&demand, 7000.0f);
    result = swap_bcl_pack(&demand, payload, sizeof payload);
    printf("%s\n", result.status == SWAP_MISFIT && result.field == SWAP_BCL_FIELD_CURRENT
                       ? "7000 A do not fit"
                       : "7000 A were packed");
    return 0;
}
