"""The report folder: what was there before a run is either kept whole or replaced whole."""

from pathlib import Path

import pytest

from swapproto.atomic import FileError
from swapproto_conformance.staging import FILES, PREVIOUS, TRACES, UNFINISHED, Staging

MARK = '{"schema": "urn:swapproto:results:v1"}'


def fill(folder: Path, text: str) -> None:
    (folder / TRACES).mkdir(parents=True, exist_ok=True)
    (folder / TRACES / f"{text}.log").write_text(text)
    for name in FILES:
        (folder / name).write_text(f"{text} {MARK}")


def contents(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_whole_run_replaces_the_report_and_its_traces(tmp_path: Path) -> None:
    fill(tmp_path, "old")
    staging = Staging(tmp_path)
    fill(staging.folder, "new")
    staging.publish()

    assert set(contents(tmp_path)) == {*FILES, f"{TRACES}/new.log"}
    assert all(text.startswith("new") for text in contents(tmp_path).values())


@pytest.mark.parametrize("missing", FILES)
def test_a_run_without_one_of_its_files_changes_nothing(tmp_path: Path, missing: str) -> None:
    fill(tmp_path, "old")
    before = contents(tmp_path)
    staging = Staging(tmp_path)
    fill(staging.folder, "new")
    (staging.folder / missing).unlink()

    with pytest.raises(FileError, match="last report stays"):
        staging.publish()
    staging.discard()
    assert contents(tmp_path) == before


@pytest.mark.parametrize("moved", range(len(FILES) + 2))
def test_a_run_that_was_ended_while_it_published_is_undone(tmp_path: Path, moved: int) -> None:
    fill(tmp_path, "old")
    before = contents(tmp_path)
    names = (TRACES, *FILES)
    previous = tmp_path / PREVIOUS
    previous.mkdir()
    for name in names[:moved]:
        (tmp_path / name).replace(previous / name)

    Staging(tmp_path).discard()
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", [f"{TRACES}/my_recording.log", *FILES])
def test_files_of_somebody_else_are_not_touched(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")

    with pytest.raises(FileError, match="somebody else"):
        Staging(tmp_path)
    assert contents(tmp_path) == {name: "mine"}


def test_what_a_dead_run_left_goes_and_what_a_living_one_writes_stays(tmp_path: Path) -> None:
    dead, living = tmp_path / f"{UNFINISHED}999999999", tmp_path / f"{UNFINISHED}1"
    dead.mkdir()
    living.mkdir()
    staging = Staging(tmp_path)

    assert not dead.exists()
    assert living.exists()
    assert staging.folder.exists()
