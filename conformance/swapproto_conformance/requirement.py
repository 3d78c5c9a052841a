"""Requirements: what a device must do, in our words, where that comes from, and how far it can be trusted."""

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeAlias, cast

import msgspec

from swapproto.errors import ProfileError
from swapproto.provenance import Basis, Weight, weight
from swapproto_conformance.verdict import NOTHING_EXAMINED, Finding, Verdict, weigh

Role: TypeAlias = Literal["charger", "bms"]

_STABLE_ID = re.compile(r"[A-Za-z0-9-]+(/[A-Za-z0-9._+-]+)+")


class Requirement(msgspec.Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """One obligation of one role. Its id names document and clause and never its place in a list."""

    id: str
    title: str
    text: str
    """Our own words, never the standard's."""
    source: str
    """Document and clause, or the source that reports it."""
    basis: Basis
    witnesses: int
    """Independent sources that agree; 0 where nobody has seen it."""
    role: Role
    title_zh: str | None = None
    text_zh: str | None = None

    def finding(
        self,
        outcome: Verdict,
        *,
        expected: str,
        observed: str,
        examined: int,
        reason: str = "",
        at_us: tuple[int, ...] = (),
        frames: tuple[int, ...] = (),
    ) -> Finding:
        """A finding weighed by this requirement's basis; the reason says where that changed the verdict."""
        verdict = weigh(outcome, self.basis, self.witnesses)
        notes = [reason] if reason else []
        if verdict is not outcome:
            notes.append(self._held_back(outcome))
        if verdict is Verdict.PASS and examined <= 0:
            verdict = Verdict.INCONCLUSIVE
            notes.append(NOTHING_EXAMINED)
        return Finding(
            requirement_id=self.id,
            outcome=outcome,
            verdict=verdict,
            expected=expected,
            observed=observed,
            reason="; ".join(notes),
            examined=examined,
            at_us=at_us,
            frames=frames,
        )

    def _held_back(self, outcome: Verdict) -> str:
        if weight(self.basis, self.witnesses) is Weight.NONE:
            held = "holds" if outcome is Verdict.PASS else "violated"
            return f"{held}, but the requirement is {self.basis.value} and decides nothing"
        if self.basis is Basis.DERIVED:
            return "violated, but the requirement is derived and cannot fail a device"
        return "violated, but the requirement has a single witness and cannot fail a device"


class Catalogue:
    """The requirements of one file, by id and in the file's order."""

    def __init__(self, path: str, requirements: Iterable[Requirement]) -> None:
        self.path = path
        self._by_id: dict[str, Requirement] = {}
        for each in requirements:
            if each.id in self._by_id:
                raise ProfileError(path, each.id, "this id stands twice; ids are unique")
            self._by_id[each.id] = each

    def __getitem__(self, requirement_id: str) -> Requirement:
        """ProfileError with the nearest ids where there is none of this name."""
        try:
            return self._by_id[requirement_id]
        except KeyError:
            near = difflib.get_close_matches(requirement_id, self._by_id, n=3, cutoff=0.5)
            hint = f"near matches: {', '.join(near)}" if near else f"the file holds {len(self)} others"
            raise ProfileError(self.path, requirement_id, f"no such requirement; {hint}") from None

    def __contains__(self, requirement_id: object) -> bool:
        return requirement_id in self._by_id

    def __iter__(self) -> Iterator[Requirement]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)


def load_catalogue(path: Path) -> Catalogue:
    """Read a catalogue of `[[requirement]]` tables; unknown, missing or doubtful keys are ProfileErrors."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(str(path), "file", f"cannot be read: {error}") from error
    return parse_catalogue(text, str(path))


def parse_catalogue(text: str, path: str) -> Catalogue:
    """The same from text; `path` is what errors name."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(path, "file", f"not TOML: {error}") from error
    _check_keys(path, "", document, required={"schema", "requirement"}, known={"schema", "requirement"})
    if document["schema"] != 1:
        raise ProfileError(path, "schema", f"{document['schema']!r} is not supported; this version reads 1")
    tables = document["requirement"]
    if not isinstance(tables, list) or not tables:
        raise ProfileError(path, "requirement", "expected one or more [[requirement]] tables")
    entries = cast("list[object]", tables)
    return Catalogue(path, [_requirement(path, number, entry) for number, entry in enumerate(entries, 1)])


_FIELDS = msgspec.structs.fields(Requirement)


def _requirement(path: str, number: int, entry: object) -> Requirement:
    where = f"requirement {number}"
    if not isinstance(entry, dict):
        raise ProfileError(path, where, "expected a [[requirement]] table")
    table = cast("dict[str, object]", entry)
    if isinstance(table.get("id"), str):
        where = f"{where} ({table['id']})"
    required = {field.name for field in _FIELDS if field.required}
    _check_keys(path, f"{where}.", table, required=required, known={field.name for field in _FIELDS})
    try:
        requirement = msgspec.convert(table, Requirement)
    except msgspec.ValidationError as error:
        reason, _, key = str(error).partition(" - at `$.")
        raise ProfileError(path, f"{where}.{key.rstrip('`')}", reason) from error
    for key, reason in _doubts(requirement):
        raise ProfileError(path, f"{where}.{key}", reason)
    return requirement


def _doubts(requirement: Requirement) -> Iterator[tuple[str, str]]:
    if not _STABLE_ID.fullmatch(requirement.id):
        yield "id", "expected DOCUMENT/CLAUSE/NAME of letters, digits and . _ + -"
    for key in ("title", "text", "source"):
        if not getattr(requirement, key).strip():
            yield key, "is empty"
    basis, witnesses = requirement.basis, requirement.witnesses
    if witnesses < 0:
        yield "witnesses", "is negative"
    if basis in (Basis.REPORTED, Basis.OBSERVED) and witnesses < 1:
        yield "witnesses", f"what is {basis.value} has at least one witness"
    if basis in (Basis.ASSUMED, Basis.UNSET) and witnesses > 0:
        yield "witnesses", f"what is {basis.value} has no witness; give the basis that the witnesses make"


def _check_keys(
    path: str, prefix: str, table: Mapping[str, object], *, required: set[str], known: set[str]
) -> None:
    for key in table.keys() - known:
        raise ProfileError(path, f"{prefix}{key}", f"unknown key; known are {', '.join(sorted(known))}")
    for key in sorted(required - table.keys()):
        raise ProfileError(path, f"{prefix}{key}", "is missing")
