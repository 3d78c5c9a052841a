-- The dissector: fields, tree, columns, and where it is called from.

local proto = Proto(PROFILE.filter, "SWAP " .. PROFILE.title)
local registered, experts = {}, {}

local function enter(field)
  registered[#registered + 1] = field
  return field
end

local COMMON = {
  message = enter(ProtoField.string("swapproto.message", "Message")),
  title = enter(ProtoField.string("swapproto.title", "Title")),
  sender = enter(ProtoField.string("swapproto.sender", "Sender")),
  deviation = enter(ProtoField.string("swapproto.deviation", "Deviation")),
  error = enter(ProtoField.string("swapproto.error", "Cannot be read")),
  transport = enter(ProtoField.none("swapproto.tp", "Transport")),
  control = enter(ProtoField.uint8("swapproto.tp.control", "Control", base.DEC, TP.controls)),
  pgn = enter(ProtoField.uint32("swapproto.tp.pgn", "PGN", base.HEX)),
  size = enter(ProtoField.uint16("swapproto.tp.size", "Size")),
  packets = enter(ProtoField.uint8("swapproto.tp.packets", "Packets")),
  limit = enter(ProtoField.uint8("swapproto.tp.limit", "Packets per CTS at most")),
  next_packet = enter(ProtoField.uint8("swapproto.tp.next_packet", "Next packet")),
  reason = enter(ProtoField.uint8("swapproto.tp.reason", "Reason", base.DEC, TP.reasons)),
  number = enter(ProtoField.uint8("swapproto.tp.number", "Packet")),
  data = enter(ProtoField.bytes("swapproto.tp.data", "Data")),
  payload = enter(ProtoField.bytes("swapproto.tp.payload", "Payload")),
  started_in = enter(ProtoField.framenum("swapproto.tp.started_in", "Announced in")),
  completed_in = enter(ProtoField.framenum("swapproto.tp.completed_in", "Complete in")),
}

local function expert_field(name, text, group, severity)
  experts[#experts + 1] = ProtoExpert.new(PROFILE.filter .. "." .. name, text, group, severity)
  return experts[#experts]
end

local DEVIATIONS = {}
for kind, text in pairs(PROFILE.deviations) do
  local harmless = kind == "padded" or kind == "short"
  DEVIATIONS[kind] = expert_field(kind, text, expert.group.PROTOCOL,
    harmless and expert.severity.NOTE or expert.severity.WARN)
end
local UNREADABLE = expert_field("unreadable", "cannot be read", expert.group.MALFORMED, expert.severity.ERROR)
local ABORTED = expert_field("aborted", "transfer aborted", expert.group.SEQUENCE, expert.severity.WARN)

local function proto_field(prefix, field)
  local abbreviation = prefix .. "." .. field.name
  if field.kind == "code" then
    return ProtoField.uint32(abbreviation, field.name, base.DEC, field.labels, nil, field.about)
  elseif field.kind == "number" then
    if field.type == "double" then
      return ProtoField.double(abbreviation, field.name, nil, field.about)
    end
    return ProtoField[field.type](abbreviation, field.name, base.DEC, nil, nil, field.about)
  elseif field.kind == "bytes" then
    return ProtoField.bytes(abbreviation, field.name, base.NONE, field.about)
  end
  return ProtoField.string(abbreviation, field.name, base.ASCII, field.about)
end

local singles, transported = {}, {} -- by identifier; by PGN, source and destination

local function transported_key(pgn, source, destination)
  return format("%X/%X/%X", pgn, source, destination)
end

for _, message in ipairs(MESSAGES) do
  local prefix = "swapproto." .. message.key
  for _, field in ipairs(message.fields) do
    field.proto = enter(proto_field(prefix, field))
  end
  local tail = message.tail
  if tail and tail.fields then
    local own = prefix .. "." .. tail.name
    tail.proto = not tail.scalar and enter(ProtoField.uint32(own, tail.name)) or nil
    for _, field in ipairs(tail.fields) do
      field.proto = enter(tail.scalar and proto_field(prefix, setmetatable({ name = tail.name }, { __index = field }))
        or proto_field(own, field))
    end
  elseif tail then
    tail.proto = enter(proto_field(prefix, tail))
  end
  for _, way in ipairs(message.ways) do
    singles[way.identifier] = { message = message, sender = way.sender }
  end
end

local function shown(field, value)
  if field.kind == "code" then
    return field.labels[value] or format("0x%02x", value)
  elseif field.kind == "number" then
    return decimal(value) .. (field.unit and " " .. field.unit or "")
  elseif field.kind == "bytes" then
    return (hex(value):gsub(" ", ""))
  end
  return value
end

local function add_value(tree, tvb, each, label)
  local field = each.field
  local from, size = each.base + field.first - 1, field.last - field.first + 1
  if each.value == nil then
    from = math.min(from, tvb:len())
    tree:add(tvb(from, math.min(size, tvb:len() - from)), (label or field.name) .. ": absent")
    return
  end
  local range, item = tvb(from, size), nil
  if field.kind == "bytes" then
    item = tree:add(field.proto, range)
  elseif field.type == "int64" then
    item = tree:add(field.proto, range, Int64.new(each.value))
  else
    item = tree:add(field.proto, range, each.value)
  end
  if field.unit then
    item:append_text(" " .. field.unit)
  end
end

local function add_items(tree, tvb, tail, items)
  for number, values in ipairs(items) do
    if tail.scalar then
      add_value(tree, tvb, values[1], format("%s[%d]", tail.name, number - 1))
    else
      local words = {}
      local branch = tree:add(tail.proto, tvb(values[1].base, tail.length), number - 1)
      for _, each in ipairs(values) do
        add_value(branch, tvb, each)
        words[#words + 1] = each.value ~= nil and shown(each.field, each.value) or nil
      end
      branch:append_text(": " .. table.concat(words, ", "))
    end
  end
end

local MOST_WORDS = 6 -- fields named in the column Info

local function in_words(message, reading, size)
  local words = {}
  for _, each in ipairs(reading.values) do
    if each.value ~= nil and #words < MOST_WORDS then
      words[#words + 1] = each.field.name .. "=" .. shown(each.field, each.value)
    end
  end
  if reading.items then
    words[#words + 1] = format("%d %s", #reading.items, message.tail.name)
  elseif message.tail then
    words[#words + 1] = format("%d bytes", size)
  end
  return table.concat(words, ", ")
end

local function add_message(tree, pinfo, tvb, payload, known)
  local message = known.message
  local reading = read(message, payload)
  tree:append_text(format(", %s, %s", message.name, message.title))
  tree:add(COMMON.message, tvb(), message.name):set_generated()
  tree:add(COMMON.title, tvb(), message.title):set_generated()
  tree:add(COMMON.sender, tvb(), known.sender):set_generated()
  if reading.error then
    local item = tree:add(COMMON.error, tvb(), reading.error)
    item:set_generated()
    item:add_proto_expert_info(UNREADABLE, reading.error)
    pinfo.cols.info = message.name .. " cannot be read: " .. reading.error
    return
  end
  for _, each in ipairs(reading.values) do
    add_value(tree, tvb, each)
  end
  local tail = message.tail
  if reading.items then
    add_items(tree, tvb, tail, reading.items)
  elseif tail and #payload > tail.offset then
    tree:add(tail.proto, tvb(tail.offset))
  elseif tail then
    tree:add(tvb(math.min(tail.offset, #payload), 0), tail.name .. (tail.optional and ": absent" or ": empty"))
  end
  local count = #reading.deviations
  for _, deviation in ipairs(reading.deviations) do
    local at = math.min(deviation.at - 1, #payload)
    local item = tree:add(COMMON.deviation, tvb(at, math.min(1, #payload - at)), deviation.text)
    item:set_generated()
    item:add_proto_expert_info(DEVIATIONS[deviation.kind], deviation.text)
  end
  local odd = count == 0 and "" or format(" [%d deviation%s]", count, count == 1 and "" or "s")
  pinfo.cols.info = message.name .. " " .. in_words(message, reading, #payload) .. odd
end

local function control_words(data, known)
  local kind = byte(data, 1)
  local name = known and " " .. known.message.name or ""
  local words = (TP.controls[kind] or "unknown control") .. name
  if kind == TP.rts or kind == TP.bam then
    return words .. format(": %d bytes in %d packets", byte(data, 2) + byte(data, 3) * 256, byte(data, 4))
  elseif kind == TP.cts then
    return words .. format(": %d packets from %d", byte(data, 2), byte(data, 3))
  elseif kind == TP.abort then
    return words .. ": " .. (TP.reasons[byte(data, 2)] or format("reserved reason %d", byte(data, 2)))
  end
  return words
end

local function add_control(tree, tvb, data)
  local kind = byte(data, 1)
  local item = tree:add(COMMON.control, tvb(0, 1))
  if kind == TP.cts then
    tree:add(COMMON.packets, tvb(1, 1))
    tree:add(COMMON.next_packet, tvb(2, 1))
  elseif kind == TP.abort then
    tree:add(COMMON.reason, tvb(1, 1))
    item:add_proto_expert_info(ABORTED)
  elseif TP.controls[kind] then
    tree:add_le(COMMON.size, tvb(1, 2))
    tree:add(COMMON.packets, tvb(3, 1))
    if kind == TP.rts then
      tree:add(COMMON.limit, tvb(4, 1))
    end
  end
  tree:add_le(COMMON.pgn, tvb(5, 3))
end

local function add_transport(tree, pinfo, tvb, data, event, is_data)
  local branch = tree:add(COMMON.transport, tvb())
  local transfer = event.transfer
  local known = transfer and transported[transported_key(transfer.pgn, transfer.source, transfer.destination)]
  local words
  if is_data and #data > 0 then
    words = format("TP.DT packet %d", byte(data, 1)) .. (transfer and format(" of %d", transfer.packets) or "")
    branch:add(COMMON.number, tvb(0, 1))
    branch:add(COMMON.data, tvb(1))
  elseif not is_data and #data == 8 then
    words = "TP.CM " .. control_words(data, known)
    add_control(branch, tvb, data)
  else
    words = format("%s of %d bytes", is_data and "TP.DT" or "TP.CM", #data)
  end
  words = words .. (event.why and " (" .. event.why .. ")" or "")
  branch:append_text(": " .. words)
  pinfo.cols.info = words
  if transfer then
    branch:add(COMMON.started_in, tvb(), transfer.started_in):set_generated()
    if transfer.completed_in then
      branch:add(COMMON.completed_in, tvb(), transfer.completed_in):set_generated()
    end
  end
  if event.payload and known then
    local whole = ByteArray.new(event.payload, true):tvb(known.message.name .. " over transport")
    add_message(tree, pinfo, whole, event.payload, known)
  elseif event.payload then
    local whole = ByteArray.new(event.payload, true):tvb("Transport payload")
    branch:add(COMMON.payload, whole()):set_generated()
  end
end

-- Not known on the first of the two passes of tshark -2, which makes no tree.
local interface = Field.new("frame.interface_id")
local remote = Field.new("can.flags.rtr")

-- One packet may carry several CAN frames: what comes last is told of this one.
local function last_of(field)
  local found = { field() }
  return found[#found]
end

local function event_of(pinfo, identifier, is_data, data)
  local key = format("%d/%d/%s", pinfo.number, identifier, data)
  if not memory[key] then
    local bus = last_of(interface)
    local event = {
      frame = pinfo.number, bus = bus and format("%d", bus.value) or "",
      source = identifier % 256, destination = floor(identifier / 256) % 256,
    }
    memory[key] = event
    follow(event, is_data, data, floor(pinfo.rel_ts * 1000000 + 0.5))
  end
  return memory[key]
end

function proto.init()
  forget()
end

function proto.dissector(tvb, pinfo, tree)
  local flag = last_of(remote)
  local size = tvb:len()
  if size > 8 or flag and flag.value then
    return 0
  end
  local identifier = pinfo.match_uint
  local format_byte = floor(identifier / 65536) % 1024
  local known = singles[identifier]
  local data = size > 0 and tvb:raw() or ""
  local is_transport = not known and (format_byte == TP.data or format_byte == TP.connection)
  if not known and not is_transport then
    return 0
  end
  pinfo.cols.protocol = "SWAP"
  local branch = tree:add(proto, tvb())
  if known then
    add_message(branch, pinfo, tvb, data, known)
  else
    local is_data = format_byte == TP.data
    add_transport(branch, pinfo, tvb, data, event_of(pinfo, identifier, is_data, data), is_data)
  end
  return size
end

proto.fields = registered
proto.experts = experts

-- Identifiers of 29 bits are asked for before "Decode As" and before heuristics.
local called_from = DissectorTable.get("can.extended_id")

-- Bits below the priority, which a sender may have wrong.
local function at_every_priority(identifier, act)
  for priority = 0, 7 do
    act(priority * 0x4000000 + identifier % 0x4000000)
  end
end

for _, message in ipairs(MESSAGES) do
  for _, way in ipairs(message.ways) do
    local known = singles[way.identifier]
    transported[transported_key(message.pgn, way.source, way.destination)] = known
    if message.any_priority then
      at_every_priority(way.identifier, function(identifier)
        singles[identifier] = singles[identifier] or known
      end)
    end
  end
end
for identifier in pairs(singles) do
  called_from:add(identifier, proto)
end
for _, pair in ipairs(TP.pairs) do
  for _, kind in ipairs { TP.connection, TP.data } do
    at_every_priority(kind * 65536 + pair.destination * 256 + pair.source, function(identifier)
      called_from:add(identifier, proto)
    end)
  end
end
