"""What the example that checks test vectors says of a call or a file that is none."""

import subprocess
from pathlib import Path

import pytest

from tests.export.c.conftest import HERE, STRICT, compiler

CONSUMER = HERE.parents[2] / "examples" / "vectors" / "check_vectors.c"


@pytest.fixture(scope="module")
def consumer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("consumer") / "check_vectors"
    subprocess.run([compiler("gcc"), *STRICT, "-o", program, CONSUMER, "-lm"], check=True)
    return program


def said(program: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert not done.stdout
    return done.returncode, done.stderr


def test_what_is_no_vector_file(consumer: Path, tmp_path: Path) -> None:
    assert said(consumer) == (2, "usage: check_vectors FILE.json\n")
    missing = str(tmp_path / "missing.json")
    assert said(consumer, missing) == (2, f"cannot open {missing}\n")
    for content in ("", "{}\n", '{"format": 1, "payload": "00", "fields": {}}\n', "\0\xff" * 4000):
        (tmp_path / "other.json").write_text(content, "latin-1")
        other = str(tmp_path / "other.json")
        told = f"{other} holds no test vectors: swapproto export vectors\n"
        assert said(consumer, other) == (2, told)
