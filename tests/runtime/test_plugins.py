"""Links by URL."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint

import pytest

from swapproto import plugins
from swapproto.errors import LinkUnavailable
from swapproto_drivers.virtual import VirtualLink


class FakeLink:
    def __init__(self, rest: str, options: Mapping[str, str]) -> None:
        self.rest, self.options = rest, dict(options)


def _install(monkeypatch: pytest.MonkeyPatch, **drivers: str) -> None:
    entries = [EntryPoint(name, value, plugins.GROUP) for name, value in drivers.items()]

    def entry_points(*, group: str, name: str | None = None) -> list[EntryPoint]:
        assert group == plugins.GROUP
        return [entry for entry in entries if name is None or entry.name == name]

    monkeypatch.setattr(plugins, "entry_points", entry_points)


def test_the_installed_drivers_are_found() -> None:
    assert {"can", "virtual"} <= set(plugins.driver_names())
    link = plugins.open_link("virtual:plugins?bitrate=500000", seed=3)
    assert isinstance(link, VirtualLink)
    assert (link.caps.bitrate, link.bus.seed) == (500_000, 3)
    link.close()


def test_rest_and_options_reach_the_factory(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, Mapping[str, str]]] = []

    def load(entry: EntryPoint) -> object:
        assert entry.value == "a:b"
        return lambda rest, options: seen.append((rest, options))

    _install(monkeypatch, x="a:b")
    monkeypatch.setattr(EntryPoint, "load", load)
    plugins.open_link("x:udp:ff15::1?a=1&b=%26&c=", d=4, e=0.5, f="g")
    assert seen == [("udp:ff15::1", {"a": "1", "b": "&", "c": "", "d": "4", "e": "0.5", "f": "g"})]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("can", "driver:port"),
        ("", "driver:port"),
        (":x", "driver:port"),
        ("can:", "driver:port"),
        ("virtual:x?", "name=value"),
        ("virtual:x?seed", "name=value"),
        ("virtual:x?seed=1&&", "name=value"),
        ("virtual:x?seed=1&seed=2", "twice"),
        ("virtual:x?sede=1", "takes: bitrate"),
        ("virtual:x?seed=one", "whole number"),
        ("virtual:x?loss=much", "number"),
        ("virtual:x?loss=2", "probability"),
        ("virtual:x?echo=yes", "true or false"),
        ("virtual:x?bitrate=300000", "bit rate"),
        ("canopen:x", "installed: can, canet, "),
    ],
)
def test_what_cannot_be_opened_says_why(url: str, says: str) -> None:
    with pytest.raises(LinkUnavailable, match=says):
        plugins.open_link(url)


def test_an_option_given_twice_is_refused() -> None:
    with pytest.raises(LinkUnavailable, match="twice"):
        plugins.open_link("virtual:x?seed=1", seed=1)


def test_a_driver_that_cannot_be_imported_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, x="no_such_module_of_swapproto:open_link")
    with pytest.raises(LinkUnavailable, match="pip install no_such_module_of_swapproto"):
        plugins.open_link("x:y")


def test_a_missing_dependency_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(_: EntryPoint) -> object:
        raise ModuleNotFoundError("No module named 'serial.tools'", name="serial.tools")

    _install(monkeypatch, x="a:b")
    monkeypatch.setattr(EntryPoint, "load", load)
    with pytest.raises(LinkUnavailable, match="pip install 'pyserial'"):
        plugins.open_link("x:y")
