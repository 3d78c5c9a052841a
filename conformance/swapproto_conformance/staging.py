"""The report folder: a run is put together beside the last good report and replaces it when it is whole."""

import os
import shutil
from pathlib import Path

from swapproto.atomic import FileError

UNFINISHED = ".unfinished-"
PREVIOUS = ".previous"
TRACES = "traces"
"""Folder of the traces, beside the page."""
FILES = ("index.html", "results.json", "junit.xml", "certificate.json")
_MARK = b'"urn:swapproto:results:'


class Staging:
    """A folder inside the report folder that nobody mistakes for a report; one for each process."""

    def __init__(self, out: Path) -> None:
        """FileError where the folder cannot be made, or holds files that are no report of the suite."""
        self.out = out
        self.folder = out / f"{UNFINISHED}{os.getpid()}"
        self._previous = out / PREVIOUS
        try:
            out.mkdir(parents=True, exist_ok=True)
            self._recover()
            self._refuse_foreign()
            for left in out.glob(f"{UNFINISHED}*"):
                if not _alive(left.name.removeprefix(UNFINISHED)):
                    shutil.rmtree(left, ignore_errors=True)
            (self.folder / TRACES).mkdir(parents=True)
        except OSError as error:
            raise FileError(str(out), f"cannot hold a report: {error.strerror or error}") from error

    def discard(self) -> None:
        """Nothing of this run is worth keeping."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def publish(self) -> None:
        """Put the run's files in the place of the last run's; FileError leaves the last report whole."""
        missing = [name for name in FILES if not (self.folder / name).exists()]
        if missing:
            names = ", ".join(missing)
            reason = f"{names} could not be made; the last report stays, this run is in {self.folder}"
            raise FileError(str(self.out), reason)
        try:
            self._previous.mkdir()
            for name in (TRACES, *FILES):
                if (self.out / name).exists():
                    (self.out / name).replace(self._previous / name)
            for name in (TRACES, *FILES):
                (self.folder / name).replace(self.out / name)
        except OSError as error:
            self._recover()
            raise FileError(str(self.out), f"the report could not be put in place: {error}") from error
        shutil.rmtree(self._previous, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _recover(self) -> None:
        """Take the last report back where a run was ended in the middle of replacing it."""
        if not self._previous.is_dir():
            return
        for name in (TRACES, *FILES):
            if (self._previous / name).exists():
                target = self.out / name
                if target.is_dir():
                    shutil.rmtree(target)
                (self._previous / name).replace(target)
        shutil.rmtree(self._previous, ignore_errors=True)

    def _refuse_foreign(self) -> None:
        there = [name for name in (TRACES, *FILES) if (self.out / name).exists()]
        results = self.out / "results.json"
        if there and not (results.is_file() and _MARK in results.read_bytes()):
            reason = f"it has {', '.join(there)} of somebody else's; give another folder with --out"
            raise FileError(str(self.out), reason)


def _alive(pid: str) -> bool:
    """Whether the process that a folder is named after may still be writing there."""
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except OSError:
        return True
    return int(pid) != os.getpid()
