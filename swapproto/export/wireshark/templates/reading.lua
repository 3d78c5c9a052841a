-- Reading: what a payload means and what is odd about it. Nothing here knows of Wireshark.
-- Bytes count from one. Arithmetic only, since versions of Lua differ in their bit operators.

local floor, format, byte = math.floor, string.format, string.byte

local function decimal(number)
  for digits = 15, 17 do
    local text = format("%." .. digits .. "g", number)
    if tonumber(text) == number then
      return (text:gsub(",", ".")) -- some locales write a comma
    end
  end
end

local function physical_text(field, number)
  local text = decimal(number)
  if field.denominator ~= 1 and not text:find("[.e]") then
    text = text .. ".0"
  end
  return text
end

local function hex(bytes)
  return (bytes:gsub(".", function(each) return format("%02X ", byte(each)) end):sub(1, -2))
end

local function printable(text)
  return (text:gsub("[^\32-\126]", function(each) return format("\\x%02x", byte(each)) end))
end

local function all_ones(bytes)
  return not bytes:find("[^\255]")
end

local function slice(field, payload, base)
  return payload:sub(base + field.first, base + field.last)
end

local function extract(field, payload, base)
  local from, to, step = base + field.last, base + field.first, -1
  if field.order == "big" then
    from, to, step = to, from, 1
  end
  local word = 0
  for position = from, to, step do
    word = word * 256 + byte(payload, position)
  end
  local raw = floor(word / 2 ^ field.low_bit) % 2 ^ field.bits
  if field.signed and raw >= 2 ^ (field.bits - 1) then
    raw = raw - 2 ^ field.bits
  end
  return floor(raw)
end

-- One division at the end: the double nearest to the decimal.
local function physical(field, raw)
  local scaled = raw * field.numerator + field.shift
  if field.denominator == 1 then
    return scaled
  end
  return scaled / field.denominator
end

local function unblanked(field, bytes)
  local last = #bytes
  while last > 0 and field.blanks:find(bytes:sub(last, last), 1, true) do
    last = last - 1
  end
  return bytes:sub(1, last)
end

local DAYS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function clock(bytes)
  local n = {}
  for position = 1, 7 do
    local high, low = floor(byte(bytes, position) / 16), byte(bytes, position) % 16
    if high > 9 or low > 9 then
      return nil
    end
    n[position] = high * 10 + low
  end
  local second, minute, hour, day, month, year = n[1], n[2], n[3], n[4], n[5], n[7] * 100 + n[6]
  if second > 59 or minute > 59 or hour > 23 or year < 1 or month < 1 or month > 12 or day < 1 then
    return nil
  end
  local leap = month == 2 and year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
  if day > DAYS[month] + (leap and 1 or 0) then
    return nil
  end
  return format("%04d-%02d-%02dT%02d:%02d:%02d", year, month, day, hour, minute, second)
end

-- The value of a field; nil where it is absent.
local function value_of(field, payload, base)
  if base + field.last > #payload then
    return nil
  end
  if field.kind == "number" or field.kind == "code" then
    local raw = extract(field, payload, base)
    if field.optional and raw == field.absent then
      return nil
    end
    return field.kind == "code" and raw or physical(field, raw)
  end
  local bytes = slice(field, payload, base)
  if field.kind == "clock" then
    return clock(bytes)
  end
  if field.optional and all_ones(bytes) then
    return nil
  end
  return field.kind == "text" and printable(unblanked(field, bytes)) or bytes
end

-- Kind of deviation and its words, or nothing.
local function fault_of(field, payload, base)
  if field.kind == "number" or field.kind == "code" then
    local raw = extract(field, payload, base)
    if field.optional and raw == field.absent then
      return nil
    end
    if field.kind == "code" then
      if not field.labels[raw] then
        return "unknown", format("0x%02x has no meaning in %s", raw, field.code)
      end
    elseif raw < field.low or raw > field.high then
      local unit = field.unit and " " .. field.unit or ""
      local range = physical_text(field, physical(field, field.low)) .. " to "
        .. physical_text(field, physical(field, field.high))
      return "range", physical_text(field, physical(field, raw)) .. unit .. " is outside " .. range .. unit
    end
    return nil
  end
  local bytes = slice(field, payload, base)
  if field.optional and all_ones(bytes) then
    return nil
  end
  if field.kind == "text" and unblanked(field, bytes):find("[\128-\255]") then
    return "text", hex(bytes) .. " is not ASCII"
  elseif field.kind == "clock" and not clock(bytes) then
    return "time", hex(bytes) .. " is not a date and time in BCD"
  end
end

local function note(found, kind, name, at, reason)
  local where = name and format("%s (byte %d)", name, at) or format("byte %d", at)
  found[#found + 1] = { kind = kind, at = at, number = #found, text = where .. ": " .. reason }
end

local function note_length(found, layout, size)
  local known = 0
  for _, length in ipairs(layout.lengths) do
    if length == size then
      return
    elseif length < size and length > known then
      known = length
    end
  end
  if layout.tail and size >= layout.length then
    return
  elseif size < layout.length then
    note(found, "short", nil, size + 1,
      format("%d bytes instead of %d; what is missing is taken as absent", size, layout.length))
  elseif size == 8 then
    local filler = found.payload:sub(known + 1)
    note(found, "padded", nil, known + 1, format("padded from %d to 8 bytes with %s", known,
      all_ones(filler) and "ones" or hex(filler)))
  else
    note(found, "too_long", nil, known + 1, format("%d bytes; %d are defined", size, known))
  end
end

-- Bits that no field claims and that are not one; layout.reserved has a mask for each byte.
local function note_reserved(found, layout, payload, base)
  for offset, mask in ipairs(layout.reserved) do
    local each = byte(payload, base + offset)
    if not each then
      return
    end
    local bits = {}
    for bit = 0, 7 do
      if floor(mask / 2 ^ bit) % 2 == 1 and floor(each / 2 ^ bit) % 2 == 0 then
        bits[#bits + 1] = bit + 1
      end
    end
    if #bits > 0 then
      note(found, "reserved", nil, base + offset, format("reserved bit%s %s not one in %02X",
        #bits > 1 and "s" or "", table.concat(bits, ", "), each))
    end
  end
end

local function note_faults(found, layout, payload, base, naming)
  for _, field in ipairs(layout.fields) do
    if base + field.last <= #payload then
      local kind, reason = fault_of(field, payload, base)
      if kind then
        note(found, kind, naming and naming(field) or field.name, base + field.first, reason)
      end
    end
  end
end

-- Bytes of whole items.
local function split_tail(found, tail, payload)
  local size, body = tail.length, payload:sub(tail.offset + 1)
  local extra = #body % size
  if extra > 0 then
    local rest = body:sub(-extra)
    body = body:sub(1, -extra - 1)
    note(found, #payload == 8 and all_ones(rest) and "padded" or "items", tail.name, #payload - extra + 1,
      format("%d bytes left of an item of %d", extra, size))
  end
  local kept = #body
  while tail.ones_are_odd and kept > 0 and all_ones(body:sub(kept - size + 1, kept)) do
    kept = kept - size
  end
  if kept < #body then
    note(found, "padded", tail.name, tail.offset + kept + 1,
      format("%d items of ones at the end taken as absent", (#body - kept) / size))
    body = body:sub(1, kept)
  end
  if #body / size > tail.most then
    note(found, "items", tail.name, tail.offset + tail.most * size + 1,
      format("%d items; at most %d are defined", #body / size, tail.most))
  end
  return body
end

local function values_of(layout, payload, base)
  local values = {}
  for number, field in ipairs(layout.fields) do
    values[number] = { field = field, base = base, value = value_of(field, payload, base) }
  end
  return values
end

local function read_items(found, tail, payload)
  local items = {}
  local body = split_tail(found, tail, payload)
  for number = 0, #body / tail.length - 1 do
    local base = tail.offset + number * tail.length
    local item = payload:sub(1, base + tail.length)
    local place = format("%s[%d]", tail.name, number)
    note_reserved(found, tail, item, base)
    note_faults(found, tail, item, base, function(field)
      return tail.scalar and place or place .. "." .. field.name
    end)
    items[number + 1] = values_of(tail, item, base)
  end
  return items
end

-- Values in the order of the declaration, items, deviations in the order of the bytes; or an error.
local function read(message, payload)
  for _, field in ipairs(message.fields) do
    if not field.optional and field.last > #payload then
      return { error = format("%s.%s (byte %d): the payload ends after %d bytes; the field needs byte %d",
        message.name, field.name, field.first, #payload, field.last) }
    end
  end
  local found = { payload = payload }
  note_length(found, message, #payload)
  note_reserved(found, message, payload, 0)
  note_faults(found, message, payload, 0)
  local tail, items = message.tail, nil
  if tail and tail.fields then
    items = read_items(found, tail, payload)
  end
  table.sort(found, function(a, b)
    return a.at < b.at or a.at == b.at and a.number < b.number
  end)
  return { values = values_of(message, payload, 0), items = items, deviations = found }
end
