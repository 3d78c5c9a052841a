/* A pack's firmware from the greeting to its readiness, on the generated C library; the charge is left for
   another afternoon. afternoon.sh builds it and has the suite judge it; ../firmware_shim is its CAN and clock.
   The values of this pack are assumed. */
#include "shim.h"
#include "swap_messages.h"
#include "swap_timers.h"
#include "swap_transport.h"

#ifndef BHM_PERIOD
#define BHM_PERIOD SWAP_BHM_PERIOD_MS
#endif
#define PACK 0xF4
#define CHARGER 0x56

typedef enum { LISTENING, GREETING, IDENTIFYING, CONFIGURING, READY, FAILED, SILENT } state_t;

/* What each state sends, how often, and how long it waits for the charger; in bytes and milliseconds. */
static const struct { uint32_t id, size, period, patience; } RULES[] = {
    [LISTENING] = {0, 0, 0, SWAP_TIMER_CRM_FROM_START_MS},
    [GREETING] = {SWAP_BHM_ID, SWAP_BHM_LENGTH, BHM_PERIOD, SWAP_TIMER_FIRST_CRM_MS},
    [IDENTIFYING] = {SWAP_BRM_ID, SWAP_BRM_LENGTH, SWAP_BRM_PERIOD_MS, SWAP_TIMER_CRM_RECOGNISED_AT_BMS_MS},
    [CONFIGURING] = {SWAP_BCP_ID, SWAP_BCP_LENGTH, SWAP_BCP_PERIOD_MS, SWAP_TIMER_CML_AT_BMS_MS},
    [READY] = {SWAP_BRO_ID, SWAP_BRO_LENGTH, SWAP_BRO_PERIOD_MS, SWAP_TIMER_READY_NEVER_RECEIVED_MS},
    [FAILED] = {SWAP_BEM_ID, SWAP_BEM_LENGTH, SWAP_BEM_PERIOD_MS, SWAP_TIMER_NEW_CRM_AFTER_ERROR_MS},
    [SILENT] = {0, 0, 0, UINT32_MAX},
};
static const swap_brm_t IDENTITY = {
    .version_minor = 1, .version_major = 1, .chemistry = SWAP_CHEMISTRY_LFP,
    .rated_capacity = 3865, .rated_voltage = 7296,
};
static const swap_bcp_t LIMITS = {
    .max_cell_voltage = 365, .max_current = -4000, .nominal_energy = 2820, .max_voltage = 8322,
    .max_temperature = 60, .soc = 370, .voltage = 7480,
};

static state_t state;
static bool running;
static uint32_t now, entered, due;
static swap_instant_t now_us; /* the same clock, but it never wraps */
static swap_bem_t missing;
static swap_tp_t transport;

static void enter(state_t next)
{
    state = next;
    entered = due = now;
}

/* The charger did not come in time: BEM says with what; true is SWAP_TIMEOUT_TIMEOUT. */
static void give_up(void)
{
    missing = (swap_bem_t){
        .crm_not_recognised = state == LISTENING || state == GREETING,
        .crm_recognised = state == IDENTIFYING,
        .cts_cml = state == CONFIGURING,
        .cro = state == READY,
    };
    enter(state == FAILED ? SILENT : FAILED);
}

static swap_result_t pack(uint8_t *payload, size_t room)
{
    switch (state) {
    case GREETING: return swap_bhm_pack(&(swap_bhm_t){.max_voltage = LIMITS.max_voltage}, payload, room);
    case IDENTIFYING: return swap_brm_pack(&IDENTITY, payload, room);
    case CONFIGURING: return swap_bcp_pack(&LIMITS, payload, room);
    case READY: return swap_bro_pack(&(swap_bro_t){.ready = SWAP_READY_READY}, payload, room);
    default: return swap_bem_pack(&missing, payload, room);
    }
}

static void send_what_is_due(void)
{
    static uint8_t transfer[SWAP_BRM_LENGTH]; /* the transport reads it until the transfer has ended */
    uint8_t single[8];
    uint32_t id = RULES[state].id;
    swap_result_t packed;
    if (id == 0 || (int32_t)(now - due) < 0) {
        return;
    }
    if (RULES[state].size <= sizeof single) {
        packed = pack(single, sizeof single);
        can_send(id, single, packed.size);
    } else if (swap_tp_pending(&transport, CHARGER) == 0) {
        packed = pack(transfer, sizeof transfer);
        swap_tp_send(&transport, id >> 8 & 0x3FF00u, transfer, packed.size, CHARGER, now_us);
    } else {
        return; /* one transfer at a time */
    }
    due += RULES[state].period;
}

static void start(void)
{
    static swap_outgoing_t outgoing[1];
    static swap_frame_t frames[8];
    static swap_tp_event_t events[8];
    swap_tp_config_t config;
    swap_tp_defaults(&config, PACK);
    config.packet_gap = SWAP_TIMER_PACKET_GAP_MS * 1000;
    config.outgoing = outgoing;
    config.outgoing_count = 1;
    config.frames = frames;
    config.frame_room = 8;
    config.events = events;
    config.event_room = 8;
    running = swap_tp_init(&transport, &config) == SWAP_TP_OK;
    enter(LISTENING);
}

void device_receive(uint32_t id, const uint8_t *data, int length)
{
    swap_frame_t frame = {.id = id, .size = (uint8_t)length};
    swap_crm_t crm;
    for (int i = 0; i < length; i++) {
        frame.data[i] = data[i];
    }
    if (!running || swap_tp_receive(&transport, &frame, now_us)) {
        return;
    }
    if (id == SWAP_CHM_ID && state == LISTENING) {
        enter(GREETING);
    } else if (id == SWAP_CRM_ID && swap_crm_unpack(data, frame.size, &crm, NULL).status == SWAP_OK) {
        if (crm.result == SWAP_RECOGNITION_RECOGNISED && state == IDENTIFYING) {
            enter(CONFIGURING);
        } else if (crm.result == SWAP_RECOGNITION_NOT_RECOGNISED &&
                   (state == LISTENING || state == GREETING || state == FAILED)) {
            enter(IDENTIFYING);
        }
    } else if (id == SWAP_CML_ID && state == CONFIGURING) {
        enter(READY);
    }
}

void device_tick(uint32_t milliseconds)
{
    swap_frame_t frame;
    swap_tp_event_t event;
    now_us += (uint32_t)(milliseconds - now) * (swap_instant_t)1000;
    now = milliseconds;
    if (!running) {
        start();
    }
    if (now - entered >= RULES[state].patience) {
        give_up();
    }
    swap_tp_handle_timeout(&transport, now_us);
    while (swap_tp_poll_event(&transport, &event)) {
        /* A transfer that was sent or broke off: the next period brings the next. */
    }
    send_what_is_due();
    while (swap_tp_poll_transmit(&transport, &frame)) {
        can_send(frame.id, frame.data, frame.size);
    }
}
