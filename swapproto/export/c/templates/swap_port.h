#ifndef SWAP_PORT_H
#define SWAP_PORT_H

/* What the sending and the receiving half of the transport share; of no interest to its users. */

#include "swap_transport.h"

#define SWAP_TP_CM 0xECu
#define SWAP_TP_DT 0xEBu
#define SWAP_PACKET_BYTES 7u

enum { SWAP_RTS = 16, SWAP_CTS = 17, SWAP_END_OF_MSG_ACK = 19, SWAP_BAM = 32, SWAP_ABORT = 255 };
enum { SWAP_FREE, SWAP_RUNNING, SWAP_QUEUED, SWAP_DELIVERED };

uint32_t swap_packeted_pgn(const uint8_t *data);
void swap_port_control(swap_tp_t *tp, uint8_t destination, uint8_t control, uint32_t pgn, const uint8_t *rest);
void swap_port_announce(swap_tp_t *tp, uint8_t destination, uint8_t control, uint32_t pgn, uint16_t size,
                        uint16_t packets, uint8_t limit);
void swap_port_abort(swap_tp_t *tp, uint8_t peer, uint32_t pgn, uint8_t code);
void swap_port_violation(swap_tp_t *tp, swap_violation_t violation, const swap_frame_t *frame);
/* An event to be filled in, at the end of the queue. */
swap_tp_event_t *swap_port_event(swap_tp_t *tp, swap_tp_kind_t kind, uint32_t pgn, uint8_t source,
                                 uint8_t destination);
void swap_port_ended(swap_tp_t *tp, uint32_t pgn, uint8_t source, uint8_t destination, swap_aborted_by_t by,
                     int16_t code);

void swap_receiver_announced(swap_tp_t *tp, const swap_frame_t *frame, uint8_t destination);
void swap_receiver_data(swap_tp_t *tp, const swap_frame_t *frame, uint8_t destination);
bool swap_receiver_aborted(swap_tp_t *tp, uint8_t source, uint32_t pgn, uint8_t code);
void swap_receiver_released(swap_tp_t *tp, uint8_t source);
swap_instant_t swap_receiver_next_timeout(const swap_tp_t *tp);
void swap_receiver_handle_timeout(swap_tp_t *tp);

void swap_sender_send(swap_tp_t *tp, swap_outgoing_t *outgoing);
void swap_sender_cts(swap_tp_t *tp, const swap_frame_t *frame);
void swap_sender_acknowledged(swap_tp_t *tp, const swap_frame_t *frame);
bool swap_sender_aborted(swap_tp_t *tp, uint8_t source, uint32_t pgn, uint8_t code);
swap_instant_t swap_sender_next_timeout(const swap_tp_t *tp);
void swap_sender_handle_timeout(swap_tp_t *tp);
bool swap_sender_poll(swap_tp_t *tp, swap_frame_t *frame);

#endif
