"""The vectors held against a reader that knows nothing but the file, in Python and in C."""

import json
import shutil
import subprocess
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import jsonschema
import pytest

from swapproto.export.source import Declaration, declaration
from swapproto.export.vectors import files, schema
from swapproto.messages.catalog import SETS, MessageSet
from swapproto.messages.gbt27930 import BCL, Phase
from swapproto.messages.gbt27930.codes import ChargeMode
from swapproto.messages.gbt27930.parties import FromBms
from swapproto.wire.fields import Choice, U
from swapproto.wire.reading import DeviationKind

Json = dict[str, Any]
every_profile = pytest.mark.parametrize("name", SETS)
CONSUMER = Path(__file__).parents[2] / "examples" / "vectors" / "check_vectors.c"


def content(name: str) -> bytes:
    ((_, made),) = files(declaration(name)).items()
    return made


CONTENT = {name: content(name) for name in SETS}
FILES: dict[str, Json] = {name: json.loads(made) for name, made in CONTENT.items()}


def bits(field: Json, base: int = 0) -> list[int]:
    """Places of a field's bits from the lowest to the highest, counted from bit 1 of byte 1."""
    start = field["start"] + base
    if field["order"] == "little":
        return [start + number for number in range(field["length"])]
    found = []
    for _ in range(field["length"]):
        found.append(start)
        start = start - 1 if start % 8 else start + 15
    return found[::-1]


def raw(field: Json, payload: bytes, base: int = 0) -> int | None:
    places = bits(field, base)
    if max(places) // 8 >= len(payload):
        return None
    number = sum((payload[place // 8] >> place % 8 & 1) << weight for weight, place in enumerate(places))
    if field["signed"] and number >> (field["length"] - 1):
        number -= 1 << field["length"]
    return number


def value(field: Json, payload: bytes, base: int = 0) -> Any:
    """What the layout in the file makes of a payload."""
    found = raw(field, payload, base)
    if found is None:
        return None
    if field["kind"] in ("integer", "code"):
        if found == field["absent"]:
            return None
        return float(Decimal(found) * Decimal(str(field["scale"])) + Decimal(str(field["offset"])))
    whole = found.to_bytes(field["length"] // 8, "little")
    if field["optional"] and set(whole) == {0xFF}:
        return None
    if field["kind"] == "text":
        return whole.rstrip(bytes.fromhex(field["blanks"])).decode("latin-1")
    if field["kind"] == "bytes":
        return whole.hex().upper()
    return moment(whole)


def moment(whole: bytes) -> str | None:
    """ISO 8601; whether it is a date is another question, which the deviations answer."""
    digits = whole[::-1].hex()
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}T{digits[8:10]}:{digits[10:12]}:{digits[12:]}"


def disagreements(file: Json) -> list[str]:
    """Every value that the layout of a file reads otherwise than its cases say."""
    table: dict[str, list[Json]] = {}
    for field in file["fields"]:
        table.setdefault(field["message"], []).append(field)
    messages = {message["name"]: message for message in file["messages"]}
    wrong: list[str] = []
    for case in file["decode"]:
        name, payload = case["message"], bytes.fromhex(case["payload"])
        short = len(payload) < messages[name]["required"]
        if short != (case["error"] is not None) or short != (case["fields"] is None):
            wrong.append(f"{name}: length")
            continue
        if short:
            continue
        dated = {odd["field"] for odd in case["deviations"] if odd["kind"] == "not a date and time"}
        for field in table.get(name, []):
            if field["items"] is None:
                is_, should = value(field, payload), case["fields"][field["name"]]
                if is_ != should and not (field["name"] in dated and should is None):
                    wrong.append(f"{name}.{field['name']}: {is_} is not {should}")
        wrong += items(messages[name], table.get(name, []), case, payload)
        wrong += written(messages[name], table.get(name, []), case, payload)
    return wrong


def items(message: Json, table: list[Json], case: Json, payload: bytes) -> list[str]:
    tail = message["tail"]
    if tail is None:
        return []
    should = case["fields"][tail["name"]]
    if tail["items"] is None:
        return [] if (payload[tail["offset"] :].hex().upper() or None) == (should or None) else ["tail"]
    inner = [field for field in table if field["items"] == tail["name"]]
    wrong = []
    for number, item in enumerate(should):
        base = (tail["offset"] + number * tail["items"]["length"]) * 8
        for field in inner:
            expected = item if tail["items"]["plain"] else item[field["name"]]
            if value(field, payload, base) != expected:
                wrong.append(f"{message['name']}.{tail['name']}[{number}].{field['name']}")
    return wrong


def written(message: Json, table: list[Json], case: Json, payload: bytes) -> list[str]:
    """What is encoded has its reserved bits right, and is the payload where that had no deviation."""
    fixed = [field for field in table if field["items"] is None]
    claimed = {place for field in fixed for place in bits(field)}
    if len(payload) != message["length"] or message["tail"] is not None or case["canonical"] is None:
        return []
    again = bytes.fromhex(case["canonical"])
    free = [place for place in range(len(again) * 8) if place not in claimed]
    filler = message["reserved"] == "ones"
    if any((again[place // 8] >> place % 8 & 1) != filler for place in free):
        return [f"{message['name']}: reserved bits"]
    if any(odd["kind"] != "reserved bits not ones" for odd in case["deviations"]):
        return []
    same = all(raw(field, again) == raw(field, payload) for field in fixed if field["kind"] != "text")
    return [] if same else [f"{message['name']}: {case['payload']} is written as {case['canonical']}"]


@every_profile
def test_the_layout_in_the_file_reads_what_its_cases_say(name: str) -> None:
    assert len(FILES[name]["decode"]) > 200
    assert disagreements(FILES[name]) == []


@every_profile
def test_the_file_is_as_its_schema_says_and_the_same_each_time(name: str) -> None:
    rules = schema()
    jsonschema.Draft202012Validator.check_schema(rules)
    jsonschema.Draft202012Validator(rules).validate(FILES[name])
    kinds = rules["$defs"]["deviation"]["properties"]["kind"]["enum"]
    assert set(kinds) == {kind.value for kind in DeviationKind}
    assert content(name) == CONTENT[name]
    assert FILES[name]["digest"] == declaration(name).digest
    assert FILES[name]["profile"] == declaration(name).profile.id
    assert len(CONTENT[name]) < 3_000_000


@every_profile
def test_every_message_and_field_is_covered(name: str) -> None:
    declared, file = declaration(name), FILES[name]
    assert [message["name"] for message in file["messages"]] == [cls.__name__ for cls in declared.messages]
    for cls in declared.messages:
        cases = [case for case in file["decode"] if case["message"] == cls.__name__]
        begun = {case["case"].partition(":")[0] for case in cases}
        assert {field.name for field in cls.layout.fields} <= begun
        recorded = [case["payload"] for case in cases if case["case"] == "vector"]
        assert recorded == [vector.data.hex().upper() for vector in cls.VECTORS]
    found = {odd["kind"] for case in file["decode"] for odd in case["deviations"]}
    assert {"out of range", "value without a meaning"} <= found
    assert any(case["error"] and case["error"]["field"] for case in file["decode"])


@every_profile
def test_what_cannot_be_encoded_names_its_field(name: str) -> None:
    cases = FILES[name]["encode"]
    assert cases
    for case in cases:
        assert (case["payload"] is None) != (case["error"] is None)
        if case["error"] is not None:
            about = case["case"].partition(":")[0].removeprefix("one of ").removesuffix(" too many")
            assert case["error"]["field"].partition(" ")[0] == about
        else:
            assert "quarter of a step" in case["case"]


PLANTED: dict[str, Json] = {
    "scale": {"scale": 0.2},
    "offset": {"offset": -399},
    "place": {"start": 17},
    "order": {"order": "big", "start": 23},
    "length": {"length": 15},
    "sign": {"signed": True},
}


def planted(change: Json) -> Json:
    file = deepcopy(FILES["gbt27930-2015"])
    for field in file["fields"]:
        if (field["message"], field["name"]) == ("BCL", "current"):
            field.update(change)
    return file


@pytest.mark.parametrize("error", PLANTED)
def test_an_error_planted_into_the_file_is_seen(error: str) -> None:
    assert any("BCL.current" in each for each in disagreements(planted(PLANTED[error])))


def test_an_error_planted_into_a_case_is_seen() -> None:
    file = deepcopy(FILES["gbt27930-2015"])
    case = next(case for case in file["decode"] if case["message"] == "BCL")
    case["fields"]["voltage"] += 0.1
    assert disagreements(file)
    del file["messages"][0]["required"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema()).validate(file)


VARIANTS: dict[str, Any] = {
    "scale": U(16, at=3, scale=0.2, offset=-400, unit="A"),
    "offset": U(16, at=3, scale=0.1, offset=-399, unit="A"),
    "length": U(15, at=3, scale=0.1, offset=-400, unit="A"),
    "order": U(16, at=3.8, scale=0.1, offset=-400, unit="A", order="big"),
}


@pytest.mark.parametrize("error", VARIANTS)
def test_an_error_planted_into_the_declaration_is_seen(error: str) -> None:
    """The recorded payload keeps its recorded values, whatever the declaration makes of it."""
    marker = VARIANTS[error]
    make: Any = type(FromBms)
    variant = make(
        "BCL",
        (FromBms,),
        {
            "__annotations__": {
                "voltage": Annotated[float, U(16, at=1, scale=0.1, unit="V")],
                "current": Annotated[float, marker],
                "mode": Annotated[ChargeMode, Choice(at=5)],
            },
            "__module__": BCL.__module__,
            "VECTORS": BCL.VECTORS,
        },
        title=BCL.title,
        pgn=BCL.pgn,
        priority=6,
        period_ms=50,
        phase=Phase.CHARGING,
    )
    declared = declaration("gbt27930-2015")
    changed = Declaration(declared.profile, (MessageSet("changed", [variant]),))
    ((_, made),) = files(changed).items()
    assert disagreements(json.loads(made))
    right = Declaration(declared.profile, (MessageSet("as it is", [BCL]),))
    ((_, made),) = files(right).items()
    assert disagreements(json.loads(made)) == []


@pytest.fixture(scope="module")
def consumer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler: apt-get install gcc")
    program = tmp_path_factory.mktemp("consumer") / "check_vectors"
    strict = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
    subprocess.run([compiler, *strict, "-o", program, CONSUMER, "-lm"], check=True)
    return program


def check(program: Path, path: Path, made: bytes) -> subprocess.CompletedProcess[str]:
    path.write_bytes(made)
    return subprocess.run([program, path], capture_output=True, text=True, check=False)


@every_profile
def test_the_consumer_in_c_agrees(name: str, consumer: Path, tmp_path: Path) -> None:
    done = check(consumer, tmp_path / "vectors.json", CONTENT[name])
    assert done.returncode == 0, done.stdout
    payloads = sum(case["fields"] is not None for case in FILES[name]["decode"])
    plain = {
        (field["message"], field["name"])
        for field in FILES[name]["fields"]
        if field["items"] is None and field["kind"] in ("integer", "code")
    }
    values = sum(
        (case["message"], field) in plain
        for case in FILES[name]["decode"]
        if case["fields"]
        for field in case["fields"]
    )
    assert done.stdout == f"{payloads} payloads, {values} values, 0 wrong\n"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('"scale": 0.1, "offset": -400,', '"scale": 0.2, "offset": -400,'),
        ('"scale": 0.1, "offset": -400,', '"scale": 0.1, "offset": -399,'),
        ('"start": 16, "length": 16, "order": "little"', '"start": 17, "length": 16, "order": "little"'),
        ('"start": 16, "length": 16, "order": "little"', '"start": 23, "length": 16, "order": "big"'),
        ('"start": 16, "length": 16,', '"start": 16, "length": 15,'),
    ],
)
def test_the_consumer_in_c_sees_a_planted_error(
    right: str, wrong: str, consumer: Path, tmp_path: Path
) -> None:
    text = CONTENT["gbt27930-2015"].decode()
    begin = text.index('{"message": "BCL", "name": "current"')
    end = text.index("\n", begin)
    assert right in text[begin:end]
    made = text[:begin] + text[begin:end].replace(right, wrong) + text[end:]
    done = check(consumer, tmp_path / "vectors.json", made.encode())
    assert done.returncode == 1
    assert "BCL.current" in done.stdout
