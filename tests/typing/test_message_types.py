"""mypy and pyright agree with the types that ``message_types`` states, and find its mistakes."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SUBJECT = str(Path(__file__).with_name("message_types.py"))


def outcome(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy() -> None:
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    outcome([sys.executable, "-m", "mypy", "--strict", SUBJECT])


def test_pyright() -> None:
    command = shutil.which("pyright", path=str(Path(sys.executable).parent))
    if command is None:
        pytest.skip("pyright is not installed")
    outcome([command, "--pythonpath", sys.executable, SUBJECT])
