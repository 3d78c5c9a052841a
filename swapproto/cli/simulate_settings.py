"""Settings of a simulated party: from a TOML file, and options that override it."""

import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import Any, TypeAlias, cast, get_type_hints

import msgspec

from swapproto.cli.simulate_faults import BadFault, Fault, parse_fault
from swapproto.errors import ProfileError, SwapError
from swapproto.frame import SECOND
from swapproto.messages.gbt27930 import Party
from swapproto.models.battery import BatterySpec
from swapproto.models.charger import Charger, ChargerSpec
from swapproto.models.pack import Pack
from swapproto.models.spec import SpecError
from swapproto.session.bms import BmsSession
from swapproto.session.charger import ChargerSession

RoleSession: TypeAlias = BmsSession | ChargerSession
_LONGEST = 1e6
"""Seconds; the models take no more either."""


class BadSetting(SwapError, ValueError):
    """An option that cannot be used."""


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """Keys at the top of the file."""

    link: str | None = None
    repeat: bool = False
    gap: float = 1.0


class PackKeys(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of the table ``pack``: shares in per cent, times in seconds."""

    soc: float = 20.0
    soc_target: float = 100.0
    temperature: float | None = None
    readiness_delay: float = 1.0
    capacity: float | None = None
    cells: int | None = None
    max_voltage: float | None = None
    max_current: float | None = None
    list_cells: bool = True
    faults: tuple[str, ...] = ()


class ChargerKeys(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of the table ``charger``; what is not given is as in ChargerSpec."""

    max_voltage: float | None = None
    min_voltage: float | None = None
    max_current: float | None = None
    min_current: float | None = None
    ramp: float | None = None
    insulation_time: float | None = None
    readiness_delay: float | None = None
    time_limit: float | None = None
    energy_limit: float | None = None
    number: int | None = None
    region: str | None = None
    clock: bool = True
    faults: tuple[str, ...] = ()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a simulation needs; ``session`` makes a fresh one, with its device, for each plug-in."""

    party: Party
    link: str
    repeat: bool
    gap: int
    """Nanoseconds."""
    faults: Sequence[Fault]
    session: Callable[[], RoleSession]


_TABLES: Mapping[str, type[msgspec.Struct]] = {"pack": PackKeys, "charger": ChargerKeys}
_TABLE_OF = {Party.BMS: "pack", Party.CHARGER: "charger"}


class _Sources:
    """Values of file and options together, and where a complaint about one has to point."""

    def __init__(self, party: Party, config: Path | None, given: Mapping[str, object]) -> None:
        table = _TABLE_OF[party]
        self._config = config
        self._prefix = f"{table}."
        self._given = {name: value for name, value in given.items() if value is not None}
        top, tables = ({}, {}) if config is None else _read(config)
        own = tables.get(table, {})
        self._in_file = {**dict.fromkeys(top, ""), **dict.fromkeys(own, self._prefix)}
        shared = set(Shared.__struct_fields__)
        self.shared = {**top, **{name: self._given[name] for name in self._given.keys() & shared}}
        self.own = {**own, **{name: self._given[name] for name in self._given.keys() - shared}}

    def complaint(self, key: str, reason: str) -> SwapError:
        if key not in self._given and self._config is not None and key in self._in_file:
            return ProfileError(str(self._config), self._in_file[key] + key, reason)
        option = "fault" if key == "faults" else key.replace("_", "-")
        return BadSetting(f"--{option}: {reason}")

    def check(self, key: str, value: float | None, low: float, high: float) -> None:
        if value is not None and not low <= value <= high:
            raise self.complaint(key, f"{value:g} is not within {low:g} to {high:g}")


def settings(party: Party, config: Path | None, given: Mapping[str, object]) -> Settings:
    """Put file and options together; ProfileError names file and key, BadSetting the option."""
    sources = _Sources(party, config, given)
    shared = msgspec.convert(sources.shared, Shared)
    if shared.link is None:
        raise BadSetting("no link: give --link URL, as in --link can:socketcan:can0, or link in the file")
    sources.check("gap", shared.gap, 0, _LONGEST)
    keys: PackKeys | ChargerKeys
    if party is Party.BMS:
        keys = msgspec.convert(sources.own, PackKeys)
        session = _pack(keys, sources)
    else:
        keys = msgspec.convert(sources.own, ChargerKeys)
        session = _charger(keys, sources)
    try:
        faults = [parse_fault(text, party) for text in keys.faults]
        session()
    except BadFault as error:
        raise sources.complaint("faults", str(error)) from None
    except SpecError as error:
        if error.field not in sources.own:
            raise
        raise sources.complaint(error.field, error.reason) from None
    return Settings(
        party=party,
        link=shared.link,
        repeat=shared.repeat,
        gap=round(shared.gap * SECOND),
        faults=sorted(faults, key=lambda fault: fault.at),
        session=session,
    )


def _pack(keys: PackKeys, sources: _Sources) -> Callable[[], RoleSession]:
    sources.check("soc", keys.soc, 0, 100)
    sources.check("soc_target", keys.soc_target, 0, 100)
    sources.check("readiness_delay", keys.readiness_delay, 0, _LONGEST)

    def session() -> RoleSession:
        changed = _given(keys, ("capacity", "cells", "max_voltage", "max_current"))
        if keys.cells is not None and keys.max_voltage is None:
            changed["max_voltage"] = keys.cells * BatterySpec().max_cell_voltage
        spec = BatterySpec(**changed, soc_target=keys.soc_target / 100)
        pack = Pack(
            spec,
            soc=keys.soc / 100,
            temperature=keys.temperature,
            readiness_delay=keys.readiness_delay,
            lists_cells=keys.list_cells,
        )
        return BmsSession(pack)

    return session


def _charger(keys: ChargerKeys, sources: _Sources) -> Callable[[], RoleSession]:
    for key in ("min_voltage", "max_voltage", "min_current", "max_current"):
        sources.check(key, getattr(keys, key), 0, 1e6)

    def session() -> RoleSession:
        changed = _given(keys, set(ChargerKeys.__struct_fields__) - {"clock", "faults"})
        clock = datetime.now().astimezone().replace(tzinfo=None) if keys.clock else None
        return ChargerSession(Charger(ChargerSpec(**changed, clock=clock)))

    return session


def _given(keys: msgspec.Struct, names: Collection[str]) -> dict[str, Any]:
    values = {name: getattr(keys, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _read(config: Path) -> tuple[dict[str, object], dict[str, dict[str, object]]]:
    """The keys at the top, and those of each table, all of them known and of the right type."""
    path = str(config)
    try:
        whole = tomllib.loads(config.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProfileError(path, "file", error.strerror or str(error)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(path, "file", f"this is no TOML: {error}") from None
    tables: dict[str, dict[str, object]] = {}
    for name in _TABLES.keys() & whole.keys():
        table = whole.pop(name)
        if not isinstance(table, dict):
            raise ProfileError(path, name, "must be a table")
        tables[name] = cast("dict[str, object]", table)
    _check_keys(path, "", whole, Shared, also=_TABLES)
    for name, table in tables.items():
        _check_keys(path, f"{name}.", table, _TABLES[name])
    return whole, tables


def _check_keys(
    path: str,
    prefix: str,
    values: Mapping[str, object],
    cls: type[msgspec.Struct],
    also: Collection[str] = (),
) -> None:
    hints = get_type_hints(cls)
    for key, value in values.items():
        if key not in hints:
            known = [*hints, *also]
            near = get_close_matches(key, known, n=1)
            hint = f"do you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
            raise ProfileError(path, prefix + key, f"unknown key; {hint}")
        try:
            msgspec.convert(value, hints[key])
        except msgspec.ValidationError as error:
            raise ProfileError(path, prefix + key, str(error)) from None
        if isinstance(value, float) and not isfinite(value):
            raise ProfileError(path, prefix + key, f"{value} is no finite number")
