"""What the files say besides code: sources in any script, names of types, timers with their units."""

import re
import subprocess
from pathlib import Path

import pytest

from swapproto.export import c
from swapproto.export.c.names import comment
from swapproto.export.source import declaration
from swapproto.frame import MICROSECOND, MILLISECOND
from swapproto.messages.gbt27930 import timers
from swapproto.session.swap.timing import LIMITS
from swapproto.transport.timing import J1939_21
from tests.export.c.conftest import FAMILIES, STRICT, compiler, declared, write

CORTEX_M4 = ("-mcpu=cortex-m4", "-mthumb", "-ffreestanding")
OVERLAY = """schema = 1
[profile]
id = "overlay"
title = "换电规范"
scope = "a test"
messages = ["gbt27930-2015"]
[document.doc]
name = "换电站通信规范 第3部分"
read = "full-text"
[message.BCL]
period = { value = "40 ms", replaces = "50 ms", at = "doc 第7条", basis = "stated" }
[message.BCL.field.voltage]
high = { value = "900 V", replaces = "6553.5 V", at = "doc 附录B", basis = "stated" }
"""


@pytest.fixture(scope="module")
def chinese(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chinese")
    (folder / "overlay.toml").write_text(OVERLAY, "utf-8")
    write(c.files(declaration(folder / "overlay.toml")), folder / "generated")
    return folder / "generated"


def test_a_clause_in_chinese_is_kept(chinese: Path) -> None:
    text = " ".join((chinese / "swap_messages.h").read_text("utf-8").split())
    assert "BCL: battery charge demand; every 40 ms." in text
    assert "Source of the period: 换电站通信规范 第3部分, 第7条 (stated). */" in text
    assert "0 to 9000; SPN 3072; source: 换电站通信规范 第3部分, 附录B (stated) */" in text
    assert "#define SWAP_BCL_PERIOD_MS 40u" in text


def test_only_comments_are_not_ascii(chinese: Path) -> None:
    for path in chinese.iterdir():
        assert re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL).isascii(), path.name


@pytest.mark.parametrize("cc", ["gcc", "clang", "arm-none-eabi-gcc"])
def test_no_compiler_minds(cc: str, chinese: Path) -> None:
    sources = sorted(path.name for path in chinese.glob("*.c"))
    flags = CORTEX_M4 if cc.startswith("arm") else ()
    command = [compiler(cc), *STRICT, *flags, "-fsyntax-only", *sources]
    done = subprocess.run(command, cwd=chinese, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_ends_a_comment_or_turns_its_letters_round(tmp_path: Path) -> None:
    path = compiler("gcc")
    odd = "an end */ a begin /* a trigraph ??/ turned \u202e round, a bell \a, half \ud800 a letter \\"
    text = "\n".join(comment(odd))
    assert text == "/* an end * / a begin / * a trigraph ?? / turned ? round, a bell ?, half ? a letter \\ */"
    command = [path, *STRICT, "-fsyntax-only", "-x", "c", "-"]
    done = subprocess.run(
        command, input=f"{text}\nint nothing;\n", capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")


def defines(profile: str, name: str, prefix: str) -> dict[str, int]:
    text = c.files(declared(profile))[name].decode()
    found = re.findall(rf"^#define ({prefix}\w+) (\d+)u$", text, re.MULTILINE)
    return {each: int(number) for each, number in found}


def test_timers_of_charging() -> None:
    wanted = {
        f"SWAP_TIMER_{name}_MS": each.value // MILLISECOND
        for name, each in vars(timers).items()
        if isinstance(each, timers.Timer)
    }
    assert defines("gbt27930-2015", "swap_timers.h", "SWAP_") == wanted


def test_limits_of_a_swap() -> None:
    wanted = {
        f"SWAP_{name.upper()}" if "retries" in name else f"SWAP_TIMER_{name.upper()}_MS": (
            each.value if "retries" in name else each.value // MILLISECOND
        )
        for name, each in LIMITS.items()
    }
    assert defines("pack-can-d0f3", "swap_timers.h", "SWAP_") == wanted


def test_a_profile_without_timers_says_so() -> None:
    for profile in FAMILIES:
        text = " ".join(c.files(declared(profile))["swap_timers.h"].decode().split())
        told = "No timer is declared for the messages of this profile." in text
        assert told == (profile not in ("gbt27930-2015", "pack-can-d0f3"))
        assert told == ("#define SWAP_TIMER_" not in text)


def test_timers_of_the_transport() -> None:
    found = defines("gbt27930-2015", "swap_transport.h", "SWAP_TP_")
    wanted = {
        f"SWAP_TP_{name.upper()}_US": getattr(J1939_21, name) // MICROSECOND
        for name in J1939_21.__struct_fields__
    }
    assert {name: value for name, value in found.items() if name.endswith("_US")} == wanted


def test_text_has_types_with_names() -> None:
    header = c.files(declared("gbt27930-2015"))["swap_messages.h"].decode()
    assert "typedef struct { uint8_t length; char text[18]; } swap_text_17_t;\n" in header
    assert "    swap_text_17_t vin;\n" in header
    for profile in FAMILIES:
        assert "    struct {" not in c.files(declared(profile))["swap_messages.h"].decode()
