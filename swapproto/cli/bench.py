"""`swapproto bench`: how well an adapter keeps time, as figures that verdicts use."""

import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from swapproto.atomic import FileError, write_atomically
from swapproto.cli import INTERRUPTED
from swapproto.cli.bench_measure import Bench, Plan, Stop
from swapproto.cli.interrupts import interrupts
from swapproto.cli.monitor import open_silently
from swapproto.cli.text import output, plural, printable, table
from swapproto.errors import LinkError, LinkUnavailable, SwapError
from swapproto.frame import MAX_EXTENDED_ID, MICROSECOND
from swapproto.link import Link
from swapproto.plugins import open_link
from swapproto.runtime.figures import Figures, Spread, Stamps, Way, address, encode_figures

LINK_LOST = 1
IDENTIFIER = 0x1FFF_FFFF
"""Loses every arbitration, and is no message of the families that are known here."""
MAX_RATE = 5000.0


class BadBench(SwapError, ValueError):
    """Arguments with which nothing can be measured."""


def command(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Link, as can:socketcan:can0; see swapproto links.")
    ],
    peer: Annotated[
        str | None, typer.Option(metavar="URL", help="A second port on the same bus; measured both ways.")
    ] = None,
    transmit: Annotated[
        bool, typer.Option("--transmit", help="Send numbered frames. Without it nothing is sent.")
    ] = False,
    seconds: Annotated[float, typer.Option(help="For each way.")] = 10.0,
    rate: Annotated[float, typer.Option(help="Frames a second that are sent.")] = 100.0,
    identifier: Annotated[
        str,
        typer.Option(
            "--id",
            metavar="HEX",
            help="29-bit identifier; the default loses every arbitration and means nothing.",
        ),
    ] = f"{IDENTIFIER:X}",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the figures, for swapproto certify --figures.")
    ] = None,
    as_object: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """Measure an adapter: stamps, clock and lateness; with --transmit also latency, jitter and loss.

    Without --transmit the ports are opened listen-only, and the bus needs traffic of others. With it frames
    go to the --peer and back, or without one to the adapter's own echo: never on the bus of a live truck.

    Exit: 0 measured; 1 the link was lost; 3 the file cannot be written; 4 bad arguments or no such link;
    130 interrupted, and no file is written.
    """
    plan = _plan(seconds, rate, identifier)
    if out is not None and not out.parent.is_dir():
        raise FileError(str(out), "there is no such folder")
    with ExitStack() as stack, output() as stream:
        links = tuple(stack.enter_context(closing(each)) for each in _open(url, peer, transmit=transmit))
        interrupt = stack.enter_context(interrupts())
        try:
            figures = measure(url, peer, links, plan, transmit=transmit, stop=lambda: interrupt.asked)
        except LinkError as error:
            typer.echo(printable(f"the link was lost: {error}"), err=True)
            raise typer.Exit(LINK_LOST) from None
        if out is not None and not interrupt.asked:
            write_atomically(out, encode_figures(figures))
        if as_object:
            stream.write(encode_figures(figures).decode())
        else:
            stream.writelines(printable(text) + "\n" for text in report(figures))
            if interrupt.asked:
                stream.write("interrupted: these figures are of a part, and were not written\n")
    raise typer.Exit(INTERRUPTED if interrupt.asked else 0)


def measure(
    url: str, peer: str | None, links: tuple[Link, ...], plan: Plan, *, transmit: bool, stop: Stop
) -> Figures:
    """Measure open ports; the URLs are what the figures are filed under."""
    first, last = links[0], links[-1]
    virtual = first.caps.stamp_source == "virtual"
    began = first.now()
    bench = Bench(links, first.now if virtual else time.monotonic_ns, stop)
    ways: list[Way] = []
    if transmit:
        ways.append(bench.exchange(first, last, plan))
        if peer is not None:
            ways.append(bench.exchange(last, first, plan))
    else:
        bench.listen(plan.seconds)
    return Figures(
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        link=address(url),
        peer=None if peer is None else address(peer),
        bitrate=first.caps.bitrate,
        seconds=round((first.now() - began) / 1e9, 3),
        stamps=bench.stamps,
        ways=tuple(ways),
        lateness=bench.lateness.spread(),
        events=dict(bench.events),
    )


def report(figures: Figures) -> Iterator[str]:
    """The figures for people; times in microseconds."""
    rate = "bit rate unknown" if figures.bitrate is None else f"{figures.bitrate / 1000:g} kbit/s"
    names = [figures.link] if figures.peer is None else [figures.link, figures.peer]
    yield f"{' and '.join(names)}, {rate}, {figures.seconds:g} s"
    spreads: list[tuple[str, Spread | None]] = []
    for way in figures.ways:
        yield f"  {_way(way)}"
        spreads.append((f"latency to {way.receiver}", way.latency))
    for name, stamps in zip(names, figures.stamps, strict=True):
        yield f"  {_stamps(name, stamps)}"
        spreads.append((f"reading of {name}", stamps.reading))
    spreads.append(("lateness of this host", figures.lateness))
    yield from table(
        ("us", "min>", "p50>", "p99>", "max>", "jitter>"),
        [
            (
                what,
                *(
                    f"{value / MICROSECOND:.0f}"
                    for value in (each.min, each.p50, each.p99, each.max, each.jitter)
                ),
            )
            for what, each in spreads
            if each is not None
        ],
    )
    for kind, count in figures.events.items():
        yield f"  {kind}: {count}"
    yield (
        f"  for verdicts: stamps to {figures.resolution / MICROSECOND:g} us, wrong by up to "
        f"{figures.stamp_error / MICROSECOND:.0f} us"
    )
    yield from _advice(figures)


def _way(way: Way) -> str:
    share = f" ({way.lost / way.sent:.2%})" if way.sent else ""
    parts = [
        f"{way.sent} sent",
        f"{way.lost} lost{share}",
        f"{way.duplicated} twice",
        f"{way.reordered} out of order",
    ]
    parts += [f"{way.refused} refused by the port"] if way.refused else []
    return f"{way.sender} to {way.receiver}: {', '.join(parts)}"


def _stamps(name: str, stamps: Stamps) -> str:
    parts = [f"{plural(stamps.frames, 'frame')} heard, stamps: {stamps.source}"]
    parts += ["in batches"] if stamps.batched else []
    step = "no step seen" if stamps.step is None else f"steps of {stamps.step / MICROSECOND:g} us"
    parts.append(f"{step} (stated: {stamps.declared / MICROSECOND:g} us)")
    parts += [f"{stamps.backwards} go back"] if stamps.backwards else []
    parts += [f"{stamps.ahead} in the future"] if stamps.ahead else []
    if stamps.least_error:
        parts.append(f"too close together for the wire by {stamps.least_error / MICROSECOND:.0f} us")
    if stamps.drift_ppm is not None:
        parts.append(f"drift {stamps.drift_ppm:+.1f} ppm")
    return f"{name}: {', '.join(parts)}"


def _advice(figures: Figures) -> Iterator[str]:
    if any(way.sent and way.lost == way.sent for way in figures.ways):
        yield "  nothing arrived: are both ports on one bus, at one bit rate, with a node to acknowledge?"
    if not figures.ways and not any(each.frames for each in figures.stamps):
        yield "  nothing was heard: the stamps are only as good as the driver says; let something send"


def _plan(seconds: float, rate: float, identifier: str) -> Plan:
    if not 0 < seconds <= 1e6:
        raise BadBench(f"--seconds {seconds:g}: give seconds, above 0")
    if not 0 < rate <= MAX_RATE:
        raise BadBench(f"--rate {rate:g}: give frames a second, above 0 and at most {MAX_RATE:g}")
    try:
        number = int(identifier, 16)
    except ValueError:
        number = -1
    if not 0 <= number <= MAX_EXTENDED_ID:
        raise BadBench(f"--id {identifier}: give a 29-bit identifier in hexadecimal, as {IDENTIFIER:X}")
    return Plan(seconds, rate, number, secrets.randbits(32))


def _open(url: str, peer: str | None, *, transmit: bool) -> Iterator[Link]:
    """The ports one after the other, so that the first is closed where the second cannot be opened."""
    if not transmit:
        for each in (url, peer):
            if each is not None:
                yield open_silently(each, None, otherwise="--transmit opens it as any node")
    elif peer is not None:
        yield open_link(url)
        yield open_link(peer)
    else:
        yield _with_echo(url)


def _with_echo(url: str) -> Link:
    advice = "its own frames do not come back: give --peer URL, a second port on the same bus"
    try:
        link = open_link(url) if "echo=" in url else open_link(url, echo="true")
    except LinkUnavailable as error:
        raise LinkUnavailable(f"{error}. Without echo {advice}") from error
    if not link.caps.echo:
        link.close()
        raise LinkUnavailable(f"{url}: {advice}")
    return link
