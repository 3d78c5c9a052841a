"""The library used: by the example, in floating point, and in as much memory as its page says."""

import re
import subprocess
from pathlib import Path

import pytest

from swapproto.export import c
from tests.export.c.conftest import FAMILIES, HERE, STRICT, build, compiler, declared, write

ROOT = HERE.parents[2]
PAGE = ROOT / "docs" / "c-library.md"
CORTEX_M4 = ("-mcpu=cortex-m4", "-mthumb", "-ffreestanding", "-Os")
CODEC = ("swap_codec.c", "swap_value.c")
TRANSPORT = ("swap_transport.c", "swap_receiver.c", "swap_sender.c")
STRUCTS = ("swap_tp_t", "swap_incoming_t", "swap_outgoing_t", "swap_frame_t", "swap_tp_event_t")


def test_the_example(tmp_path: Path) -> None:
    files = dict(c.files(declared("gbt27930-2015")))
    files["charge_demand.c"] = (ROOT / "examples" / "firmware" / "charge_demand.c").read_bytes()
    write(files, tmp_path)
    program = build(tmp_path, "charge_demand")
    told = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == [
        "181056F4#5217820F02 every 50 ms",
        "597.0 V, -3.0 A, mode 2",
        "597.0 V, -3.0 A, mode 7, padded, a mode that has no meaning",
        "cannot be read: field 1 is cut",
        "7000 A do not fit",
    ]


_FLOATS = """\
#include "swap_float.h"
#include <math.h>
#include <stdio.h>
int main(void)
{
    swap_bcl_t demand = {0, 0, 0};
    static const float given[] = {0.04f, 0.05f, -0.04f, -0.05f, -399.96f, 1e30f, -1e30f, HUGE_VALF, NAN};
    size_t number;
    for (number = 0; number < sizeof given / sizeof given[0]; number++) {
        swap_bcl_set_current(&demand, given[number]);
        printf("%ld ", (long)demand.current);
    }
    demand.current = -3005;
    printf("%.1f\\n", (double)swap_bcl_get_current(&demand));
    return 0;
}
"""


def test_floats_are_rounded_and_kept_within_an_integer(tmp_path: Path) -> None:
    write(c.files(declared("gbt27930-2015")), tmp_path)
    (tmp_path / "floats.c").write_text(_FLOATS)
    program = build(tmp_path, "floats")
    least, most = str(-(1 << 31)), str((1 << 31) - 1)
    told = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    assert told.split() == ["0", "1", "0", "-1", "-4000", most, least, most, least, "-300.5"]


def measured(family: str, folder: Path) -> list[int]:
    """Bytes of text of codec, messages and transport; of data; of the largest struct."""
    cc, size = compiler("arm-none-eabi-gcc"), compiler("arm-none-eabi-size")
    write(c.files(declared(family)), folder)
    (folder / "largest.c").write_text('#include "swap_messages.h"\nchar largest[sizeof(swap_any_t)];\n')
    texts, data = [], 0
    for group in (CODEC, ("swap_messages.c",), TRANSPORT):
        subprocess.run([cc, *STRICT, *CORTEX_M4, "-c", *group], cwd=folder, check=True)
        rows = _rows([size, *(name.replace(".c", ".o") for name in group)], folder)
        texts.append(sum(row[0] for row in rows))
        data += sum(row[1] + row[2] for row in rows)
    subprocess.run([cc, *CORTEX_M4, "-c", "largest.c"], cwd=folder, check=True)
    return [*texts, data, _rows([size, "largest.o"], folder)[0][2]]


def _rows(command: list[str], folder: Path) -> list[list[int]]:
    told = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    return [[int(number) for number in line.split()[:3]] for line in told.splitlines()[1:]]


def struct_sizes(folder: Path) -> list[int]:
    sizes = []
    write(c.files(declared(FAMILIES[0])), folder)
    for name in STRUCTS:
        (folder / "one.c").write_text(f'#include "swap_transport.h"\nchar one[sizeof({name})];\n')
        subprocess.run([compiler("arm-none-eabi-gcc"), *CORTEX_M4, "-c", "one.c"], cwd=folder, check=True)
        sizes.append(_rows([compiler("arm-none-eabi-size"), "one.o"], folder)[0][2])
    return sizes


def test_the_page_has_the_sizes(tmp_path: Path) -> None:
    cc = compiler("arm-none-eabi-gcc")
    version = subprocess.run(
        [cc, "-dumpfullversion"], capture_output=True, text=True, check=True
    ).stdout.strip()
    page = PAGE.read_text("utf-8")
    told = re.search(r"arm-none-eabi-gcc (\S+),", page)
    assert told is not None
    if told[1] != version:
        pytest.skip(f"the page's numbers are those of arm-none-eabi-gcc {told[1]}, not of {version}")
    rows = []
    for family in FAMILIES:
        numbers = measured(family, tmp_path / family)
        rows.append(f"| `{family}` | " + " | ".join(map(str, numbers)) + " |")
    rows += [
        f"| `{name}` | {size} |" for name, size in zip(STRUCTS, struct_sizes(tmp_path / "one"), strict=True)
    ]
    missing = [row for row in rows if row not in page]
    assert not missing, "the page should say:\n" + "\n".join(rows)
