-- Transport of J1939-21: payloads of more than 8 bytes, put together as an eavesdropper can.
-- Packets are followed once, in their order; what each of them did is kept for when it is shown again.

local transfers = {} -- open ones, by bus, source and destination
local memory = {} -- what a frame did, by its number

local function forget()
  transfers, memory = {}, {}
end

local function pgn_of(data)
  return byte(data, 6) + byte(data, 7) * 256 + byte(data, 8) * 65536
end

local function open_transfer(key, now)
  local transfer = transfers[key]
  if transfer and now > transfer.last + TP.silence_us then
    transfers[key], transfer = nil, nil
  end
  return transfer
end

local function announced(event, data, now)
  local size, packets = byte(data, 2) + byte(data, 3) * 256, byte(data, 4)
  if size < TP.min_size or size > TP.max_size or packets ~= math.ceil(size / TP.packet_bytes) then
    return
  end
  event.transfer = {
    pgn = pgn_of(data), source = event.source, destination = event.destination,
    size = size, packets = packets, missing = packets, parts = {}, last = now, started_in = event.frame,
    cursor = 1, limit = event.destination == TP.global and packets or 0, -- asked for and not heard since
  }
  transfers[event.forward] = event.transfer
end

local function asked(event, data, now)
  local transfer = open_transfer(event.backward, now)
  if not transfer or transfer.pgn ~= pgn_of(data) then
    return
  end
  event.transfer, transfer.last = transfer, now
  local count, first = byte(data, 2), byte(data, 3)
  if count > 0 and first >= 1 and first <= transfer.packets then
    transfer.cursor, transfer.limit = first, math.min(first + count - 1, transfer.packets)
  end
end

local function acknowledged(event, data, now)
  local transfer = open_transfer(event.backward, now)
  if transfer and transfer.pgn == pgn_of(data) then
    event.transfer, transfers[event.backward] = transfer, nil
  end
end

-- A message that was aborted, or of which packets were asked for once more, was not yet the message.
local function revoke(transfer, why)
  if transfer.event then
    transfer.event.payload, transfer.event.why = nil, why
    transfer.event, transfer.completed_in = nil, nil
  end
end

-- An abort does not say which direction it means.
local function aborted(event, data, now)
  for _, key in ipairs { event.forward, event.backward } do
    local transfer = open_transfer(key, now)
    if transfer and transfer.pgn == pgn_of(data) then
      event.transfer, transfers[key] = transfer, nil
      revoke(transfer, "complete, but aborted")
    end
  end
end

local CONTROLS = {
  [TP.rts] = announced, [TP.bam] = announced, [TP.cts] = asked,
  [TP.end_of_msg_ack] = acknowledged, [TP.abort] = aborted,
}

local function control(event, data, now)
  local act = #data == 8 and CONTROLS[byte(data, 1)]
  local to_all = event.destination == TP.global
  if act and event.source < TP.null and (byte(data, 1) == TP.bam) == to_all then
    act(event, data, now)
  end
end

local function holds_its_bytes(transfer, data)
  local last = byte(data, 1) == transfer.packets
  local need = last and transfer.size - TP.packet_bytes * (transfer.packets - 1) or TP.packet_bytes
  return #data > need
end

local function packet(event, data, now)
  local transfer = open_transfer(event.forward, now)
  if not transfer then
    return
  end
  event.transfer, transfer.last = transfer, now
  local number = byte(data, 1)
  if #data == 0 or #data ~= 8 and not holds_its_bytes(transfer, data)
    or number < 1 or number > transfer.packets then
    return
  end
  local known = transfer.parts[number] ~= nil
  if known and (number < transfer.cursor or number > transfer.limit) then
    return
  end
  transfer.parts[number] = data:sub(2, 8)
  transfer.missing = transfer.missing - (known and 0 or 1)
  transfer.cursor = math.max(transfer.cursor, number + 1)
  if transfer.missing > 0 then
    return
  end
  revoke(transfer, "complete, but packets were sent again")
  event.payload = table.concat(transfer.parts):sub(1, transfer.size)
  transfer.event, transfer.completed_in = event, event.frame
  if event.destination == TP.global then
    transfers[event.forward] = nil
  end
end

local function follow(event, is_data, data, now)
  event.forward = format("%s/%d/%d", event.bus, event.source, event.destination)
  event.backward = format("%s/%d/%d", event.bus, event.destination, event.source)
  local step = is_data and packet or control
  step(event, data, now)
end
