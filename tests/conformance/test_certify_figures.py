"""`swapproto certify --figures`: a measured port makes verdicts less sure, never surer."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from swapproto.cli import run
from swapproto.frame import MICROSECOND, MILLISECOND
from swapproto.messages.catalog import Catalogue
from swapproto.messages.gbt27930 import Party
from swapproto.runtime.figures import Figures, Spread, Stamps, Way, encode_figures
from swapproto_conformance.bench import LinkBench
from swapproto_conformance.devices import REFERENCES
from swapproto_conformance.tester import Tester as ScriptedSide
from swapproto_drivers.virtual import open_link

URL = "virtual:figures"


def figures(
    *, latency: int = 0, step: int = 1, lateness: int = 0, link: str = URL, least_error: int | None = None
) -> Figures:
    def spread(value: int) -> Spread:
        return Spread(count=100, min=0, p50=value, p99=value, max=value)

    stamps = Stamps(
        source="host", frames=100, declared=1, step=step, backwards=0, ahead=0, batched=False,
        least_error=least_error, reading=None, drift_ppm=None,
    )  # fmt: skip
    way = Way(
        sender="a", receiver="a", sent=100, lost=0, duplicated=0, reordered=0, refused=0,
        latency=spread(latency),
    )  # fmt: skip
    return Figures(
        created="2026-01-31T12:00:00Z", link=link, peer=None, bitrate=250_000, seconds=1.0, stamps=(stamps,),
        ways=(way,), lateness=spread(lateness), events={},
    )  # fmt: skip


@pytest.fixture(autouse=True)
def device() -> Iterator[None]:
    charger = next(each for each in REFERENCES if each.party is Party.CHARGER)
    with closing(open_link("figures", {})) as link:
        link.bus.attach(charger.build(), "charger")
        yield


@pytest.mark.parametrize(
    ("found", "resolution", "lateness"),
    [
        (None, 1, 0),
        (figures(), 1, 0),
        (figures(latency=800 * MICROSECOND), 1, 800),
        (figures(latency=1, lateness=300 * MICROSECOND), 1, 301),
        (figures(step=MILLISECOND, least_error=2 * MILLISECOND), 1000, 2000),
    ],
)
def test_the_precision_of_a_run(found: Figures | None, resolution: int, lateness: int) -> None:
    live = LinkBench(URL, figures=found)
    with closing(live):
        done = live.run(ScriptedSide((), Party.BMS, catalogue=Catalogue()), 0, 0)
    assert (done.precision.resolution_us, done.precision.lateness_us) == (resolution, lateness)


def certify(folder: Path, *files: Figures, case: str = "charger.handshake.chm") -> int:
    options: list[str] = []
    for number, each in enumerate(files):
        path = folder / f"{number}.json"
        path.write_bytes(encode_figures(each))
        options += ["--figures", str(path)]
    return run(
        [
            "certify",
            "--iut-charger",
            URL,
            "--case",
            case,
            "--reset",
            "none",
            "--out",
            str(folder / "r"),
            *options,
        ]
    )


def test_a_good_port_changes_no_verdict(tmp_path: Path) -> None:
    assert certify(tmp_path, figures(latency=600 * MICROSECOND)) == 0
    results = json.loads((tmp_path / "r" / "results.json").read_text())
    assert "wrong by up to 600 us as measured 2026-01-31" in results["run"]["bench"]["name"]


def test_a_bad_port_leaves_it_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert certify(tmp_path, figures(latency=500 * MILLISECOND)) == 2
    assert "the bench knows the time to" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([figures(link="virtual:elsewhere")], "no device under test is there"),
        ([figures(), figures()], "there are figures of this port already"),
    ],
)
def test_figures_of_the_wrong_port(
    files: list[Figures], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert certify(tmp_path, *files) == 4
    assert said in capsys.readouterr().err
