"""What an installation brings along, and that the documents tell the truth."""

import re
import subprocess
import sys
from importlib.metadata import distribution, entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = {"swapproto", "swapproto_drivers", "swapproto_conformance"}


def test_only_our_three_names_are_installed() -> None:
    files = distribution("swapproto").files or []
    names = {Path(str(file)).parts[0] for file in files}
    importable = {
        name for name in names if not name.endswith((".dist-info", ".pth")) and name not in {"..", "bin"}
    }

    assert importable <= OURS


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_package_says_that_it_is_typed(name: str) -> None:
    package = __import__(name)

    assert package.__file__ is not None
    assert Path(package.__file__).with_name("py.typed").exists()


def test_every_entry_point_loads() -> None:
    ours = [
        point for group in ("swapproto.commands", "swapproto.drivers") for point in entry_points(group=group)
    ]

    assert {point.name for point in ours} >= {"decode", "message", "certify", "cert", "virtual", "can"}
    for point in ours:
        assert callable(point.load())


def test_the_folders_are_no_packages() -> None:
    assert not (ROOT / "drivers" / "__init__.py").exists()
    assert not (ROOT / "conformance" / "__init__.py").exists()


def test_the_python_of_the_readme_runs() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)

    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.name)
def test_examples_run(example: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(example)], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout
