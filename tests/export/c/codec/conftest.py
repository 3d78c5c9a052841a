"""Payloads and values by chance, most of them near an edge."""

from collections.abc import Iterator
from random import Random

from swapproto.export.c.model import Member
from swapproto.wire.fields import BcdTime, Choice, Integer, Raw, Text
from swapproto.wire.layout import Field, Layout
from swapproto.wire.message import Message
from tests.export.c.conftest import MOST, Plan


def odd_raw(random: Random, field: Field) -> int:
    """A raw value at an edge of the field, or any."""
    edges = [
        field.raw_low,
        field.raw_high,
        0,
        field.mask,
        field.mask >> 1,
        -1 if field.absent is None else field.absent,
    ]
    if field.code is not None:
        edges += [code.value for code in field.code]
    raw = random.choice(edges) + random.choice((0, 0, 0, -1, 1))
    return (random.getrandbits(field.bits) if random.random() < 0.3 else raw) & field.mask


def odd_bytes(random: Random, field: Field) -> bytes:
    size = field.bits // 8
    match random.randrange(5):
        case 0:
            return b"\xff" * size
        case 1:
            return random.randbytes(size)
        case 2 if isinstance(field.marker, BcdTime):
            parts = [random.randrange(62), random.randrange(62), random.randrange(26), random.randrange(33)]
            parts += [random.randrange(14), random.choice((0, 4, 23, 24, 99)), random.choice((0, 19, 20, 99))]
            return bytes(part // 10 << 4 | part % 10 for part in parts)
        case 3:
            return bytes(random.choice(b"AZ19") for _ in range(size))
        case _:
            return bytes(random.choice(b"A7\xff\x00 \x80") for _ in range(size))


def mutate(random: Random, layout: Layout, payload: bytearray) -> None:
    """Put odd values into some of the fields that the payload holds."""
    held = [field for field in layout.fields if field.span[1] < len(payload)]
    for field in random.sample(held, min(len(held), random.randint(0, 4))):
        if isinstance(field.marker, Integer | Choice):
            field.insert(payload, odd_raw(random, field))
        else:
            payload[field.span[0] : field.span[1] + 1] = odd_bytes(random, field)


def odd_size(random: Random, layout: Layout) -> int:
    if random.random() < 0.6:
        return layout.length
    return random.choice((*layout.lengths, 8, random.randint(0, layout.length + 4), layout.length + 1))


def payloads(cls: type[Message], random: Random) -> Iterator[bytes]:
    """Without end: lengths, reserved bits, absent values and ranges at their edges, and bytes by chance."""
    layout, tail = cls.layout, cls.layout.tail
    known = [vector.data for vector in cls.VECTORS] or [b"\xff" * layout.length]
    while True:
        start = random.choice(
            (*known, bytes(layout.length), b"\xff" * layout.length, random.randbytes(layout.length))
        )
        payload = bytearray(start)
        mutate(random, layout, payload)
        if tail is None:
            size = odd_size(random, layout)
        elif tail.item is None:
            size = random.choice((0, 2, 8, 9, random.randrange(60), random.randrange(MOST + 1) // 8))
        else:
            count = random.choice((0, 1, random.randrange(20), random.randrange(20), tail.max_items + 1))
            body = bytearray(start * (1 + count * tail.item.length // (len(start) or 1)) or bytes(MOST))
            for at in range(0, min(len(body), 40 * tail.item.length), tail.item.length):
                item = body[at : at + tail.item.length]
                mutate(random, tail.item, item)
                body[at : at + len(item)] = item
            payload[layout.length :] = body
            size = min(MOST, layout.length + count * tail.item.length + random.choice((0, 0, 0, 1)))
            if random.random() < 0.3:
                payload[size - min(size, random.randrange(6)) :] = b"\xff" * 6
        filler = random.choice((b"\xff", b"\xff", b"\x00", b"\xa5"))
        yield bytes(payload[:size].ljust(size, filler))


def values_of(plan: Plan, random: Random) -> list[int]:
    """Values in the shim's stream, many of which do not fit."""
    flat: list[int] = []
    for member, _ in plan.fields:
        field = member.field
        absent = field.optional and random.random() < 0.2
        some: list[int]
        match field.marker:
            case Text():
                size = random.choice((0, member.size, random.randint(0, member.size + 1)))
                some = [size, *(random.choice(b"A7 \xff\x80") for _ in range(member.size))]
            case Raw():
                some = list(random.randbytes(member.size))
            case BcdTime():
                some = [random.choice((1, 1999, 2024, 9999)), random.randint(1, 12), random.randint(1, 28)]
                some += [random.randrange(24), random.randrange(60), random.randrange(60)]
                some = [0] * 6 if absent else some
            case _:
                some = [odd_count(member, random)]
        flat += [not absent, *some]
    tail = plan.layout.tail
    if tail is not None:
        if plan.item is None:
            size = random.choice((0, 1, 8, random.randrange(1700), MOST - plan.layout.length, MOST + 1))
            return [*flat, size, *random.randbytes(size)]
        count = random.choice((0, 1, 3, random.randrange(12), tail.max_items, tail.max_items + 1))
        flat.append(count)
        for _ in range(count):
            flat += values_of(plan.item, random)
    return flat


_TYPES = {"uint8_t": (0, 255), "int32_t": (-(1 << 31), (1 << 31) - 1), "uint32_t": (0, (1 << 32) - 1)}


def odd_count(member: Member, random: Random) -> int:
    field = member.field
    inside = random.random() < 0.9
    raw = (
        random.randint(field.raw_low, field.raw_high)
        if inside
        else odd_raw(random, field) + random.choice((0, -1, 1))
    )
    value = (
        raw * field.numerator + field.shift + (random.choice((0, 1, -1, 50)) if field.numerator > 1 else 0)
    )
    low, high = _TYPES.get(member.integer, (-(1 << 40), 1 << 40))
    return min(max(value, low), high)
