"""C: a C99 library without allocation and, in the codec, without floating point.

The codec and the transport are the same for every profile (``templates``); tables, structs, timers and
test vectors are made from the declaration. Numbers are integers in the smallest step of their field.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.resources import files as resources

from swapproto.export.c.extras import float_h, timers_h
from swapproto.export.c.header import messages_h
from swapproto.export.c.model import Model
from swapproto.export.c.names import heading
from swapproto.export.c.tables import messages_c
from swapproto.export.c.vectors import selftest_c, vectors_h
from swapproto.export.source import Declaration
from swapproto.frame import MICROSECOND
from swapproto.transport.frames import DEFAULT_PRIORITY, AbortReason
from swapproto.transport.rules import Violation
from swapproto.transport.timing import J1939_21, TpTiming
from swapproto.transport.tp import RETRIES
from swapproto.wire.reading import DeviationKind

_GENERATED: Mapping[str, Callable[[Model], Iterable[str]]] = {
    "swap_messages.h": messages_h,
    "swap_messages.c": messages_c,
    "swap_timers.h": timers_h,
    "swap_float.h": float_h,
    "swap_vectors.h": vectors_h,
    "swap_selftest.c": selftest_c,
}
_TEMPLATES = (
    "swapproto.h", "swap_codec.h", "swap_codec.c", "swap_value.h", "swap_value.c", "swap_transport.h",
    "swap_transport.c", "swap_port.h", "swap_receiver.c", "swap_sender.c",
)  # fmt: skip


def files(declared: Declaration) -> Mapping[str, bytes]:
    """The library; NotInC names a declaration that it has no form for."""
    model = Model(declared)
    head = "\n".join(heading(declared.header)) + "\n\n"
    texts = {name: _template(name) for name in _TEMPLATES}
    texts |= {name: "\n".join(made(model)) + "\n" for name, made in _GENERATED.items()}
    return {name: (head + text).encode("utf-8") for name, text in sorted(texts.items())}


def _template(name: str) -> str:
    text = (resources(__name__) / "templates" / name).read_text("utf-8")
    for mark, lines in _SHARED.items():
        text = text.replace(f"@{mark}@", "\n".join(lines))
    return text


def _timers() -> Iterator[str]:
    for name in TpTiming.__struct_fields__:
        yield f"#define SWAP_TP_{name.upper()}_US {getattr(J1939_21, name) // MICROSECOND}u"


_SHARED: Mapping[str, tuple[str, ...]] = {
    "DEVIATIONS": tuple(
        f"    SWAP_DEVIATION_{kind.name} = 1 << {number}, /* {kind.value} */"
        for number, kind in enumerate(DeviationKind)
    ),
    "VIOLATIONS": tuple(f"    SWAP_VIOLATION_{each.name}, /* {each.value} */" for each in Violation),
    "ABORT_REASONS": tuple(f"    SWAP_ABORT_{each.name} = {each.value}," for each in AbortReason),
    "TP_TIMERS": tuple(_timers()),
    "TP_RETRIES": (str(RETRIES),),
    "TP_PRIORITY": (str(DEFAULT_PRIORITY),),
}
"""What the library shares with our own transport and codec, written down once."""
