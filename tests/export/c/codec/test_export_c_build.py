"""The library as a firmware developer meets it: it compiles without a word and tries itself."""

import subprocess
from pathlib import Path
from random import Random

import pytest

from swapproto.export import c
from tests.export.c.codec.conftest import payloads, values_of
from tests.export.c.conftest import FAMILIES, HERE, STRICT, Libraries, build, compiler, declared, shim, write

CORTEX_M4 = ("-mcpu=cortex-m4", "-mthumb", "-ffreestanding", "-Os")
SANITIZED = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
ALLOWED = {
    "memcpy",
    "memset",
    "memcmp",
    "__aeabi_ldivmod",
    "__aeabi_lmul",
    "__aeabi_uidivmod",
    "__aeabi_llsl",
    "__aeabi_llsr",
}
"""What the library may want from the C library and the compiler's own: neither heap nor floating point."""


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("cc", ["gcc", "clang", "arm-none-eabi-gcc"])
def test_compiles_without_a_warning(family: str, cc: str, tmp_path: Path) -> None:
    path = compiler(cc)
    write(c.files(declared(family)), tmp_path)
    flags = CORTEX_M4 if cc.startswith("arm") else ("-O2", "-Wshadow")
    made = ["swap_messages.c", "swap_selftest.c"]  # the rest is the same for all
    sources = made if family != FAMILIES[0] else sorted(each.name for each in tmp_path.glob("*.c"))
    done = subprocess.run(
        [path, *STRICT, *flags, "-c", *sources], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("cc", ["gcc", "clang"])
def test_headers_stand_alone(cc: str, tmp_path: Path) -> None:
    path = compiler(cc)
    files = c.files(declared("station-charging-ext"))
    write(files, tmp_path)
    for name in (each for each in files if each.endswith(".h")):
        text = f'#include "{name}"\n#include "{name}"\nint nothing;\n'
        command = [path, *STRICT, "-fsyntax-only", "-x", "c", "-"]
        done = subprocess.run(command, cwd=tmp_path, input=text, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), name


def test_wants_neither_heap_nor_floating_point(tmp_path: Path) -> None:
    path, nm = compiler("arm-none-eabi-gcc"), compiler("arm-none-eabi-nm")
    write(c.files(declared("station-charging-ext")), tmp_path)
    sources = [each.name for each in tmp_path.glob("*.c") if each.name != "swap_selftest.c"]
    command = [path, *STRICT, *CORTEX_M4, "-mfloat-abi=soft", "-r", "-nostdlib", "-o", "all.o", *sources]
    subprocess.run(command, cwd=tmp_path, check=True)
    told = subprocess.run(
        [nm, "-u", "all.o"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    wanted = {line.split()[-1] for line in told.splitlines()}
    assert "memcpy" in wanted
    assert wanted <= ALLOWED


@pytest.mark.parametrize("family", FAMILIES)
def test_tries_itself(family: str, tmp_path: Path) -> None:
    write(c.files(declared(family)), tmp_path)
    program = build(tmp_path, "selftest", "-DSWAP_SELFTEST", *SANITIZED)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_self_test_notices_a_wrong_offset(tmp_path: Path) -> None:
    files = dict(c.files(declared("gbt27930-2015")))
    files["swap_messages.c"] = files["swap_messages.c"].replace(b"{1, -4000,", b"{1, -3200,")
    write(files, tmp_path)
    program = build(tmp_path, "selftest", "-DSWAP_SELFTEST")
    assert subprocess.run([program], check=False).returncode > 0


def sanitized(family: str, folder: Path) -> Path:
    """The library under sanitizers; the shim around it is compiled without, which is much faster."""
    around = folder / "around"
    around.mkdir()
    (around / "shim.c").write_text(shim(declared(family)))
    (around / "main.c").write_text((HERE / "replay.c").read_text())
    objects = []
    for name in ("shim", "main"):
        objects.append(f"{around}/{name}.o")
        subprocess.run(
            [compiler("gcc"), f"-I{folder}", "-c", f"{around}/{name}.c", "-o", objects[-1]], check=True
        )
    return build(folder, "replay", *SANITIZED, *objects)


@pytest.mark.parametrize("family", FAMILIES)
def test_sanitizers_have_nothing_to_say(family: str, libraries: Libraries, tmp_path: Path) -> None:
    """Every payload stands in memory of exactly its size, so that a byte read beyond it is noticed."""
    library, random = libraries[family], Random(5)
    makers = [(cls, payloads(cls, random)) for cls in library.classes]
    cases = [(cls, next(made)) for _ in range(80) for cls, made in makers]
    values = [(cls, values_of(library.plans[cls], random)) for _ in range(12) for cls in library.classes]
    write(c.files(declared(family)), tmp_path)
    (tmp_path / "swap_selftest.c").unlink()
    program = sanitized(family, tmp_path)
    for name, content, wanted in (
        ("r", library.blob(cases), library.read(cases)),
        ("w", library.stream(values).tobytes(), library.write(values)),
    ):
        (tmp_path / name).write_bytes(content)
        done = subprocess.run([program, name, name], cwd=tmp_path, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert memoryview(done.stdout).cast("q").tolist() == wanted


def test_always_the_same_and_says_where_it_comes_from() -> None:
    for family in FAMILIES:
        made = c.files(declared(family))
        assert made == c.files(declared(family))
        for name, content in made.items():
            head = content.decode("utf-8").split("*/")[0]
            for line in declared(family).header:
                assert line in head, name


def test_names_are_those_of_python() -> None:
    header = c.files(declared("pack-can-d0f3"))["swap_messages.h"].decode()
    for name in ("swap_temperature_extremes_unpack(", "swap_pack_code1_t;", "SWAP_PACK_STATE_FIELD_SOC = "):
        assert name in header
    header = c.files(declared("gbt27930-2015"))["swap_messages.h"].decode()
    for name in (
        "swap_bcl_pack(",
        "SWAP_CHARGE_MODE_CONSTANT_CURRENT = 2",
        "#define SWAP_BCL_ID 0x181056F4u",
    ):
        assert name in header


def test_periods_and_timers_have_their_source() -> None:
    text = c.files(declared("gbt27930-2015"))["swap_messages.h"].decode()
    assert "/* BCL: battery charge demand; every 50 ms." in text
    assert "#define SWAP_BCL_PERIOD_MS 50u" in text
    text = c.files(declared("gbt27930-2015"))["swap_timers.h"].decode()
    assert (
        "/* BRO(00) or CRO(00) never becomes AA; from the first 00, while the peer's message keeps coming:"
        in " ".join(text.split())
    )
    assert "#define SWAP_TIMER_READY_NEVER_AA_MS 60000u" in text
