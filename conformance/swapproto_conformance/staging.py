"""The report folder: a run is put together beside the last good report and replaces it when it is whole."""

import shutil
from pathlib import Path

from swapproto_conformance.atomic import EvidenceError

UNFINISHED = ".unfinished"
TRACES = "traces"
"""Folder of the traces, beside the page."""
FILES = ("index.html", "results.json", "junit.xml", "certificate.json")


class Staging:
    """A folder inside the report folder that nobody mistakes for a report."""

    def __init__(self, out: Path) -> None:
        """EvidenceError where the folder cannot be made or is none."""
        self.out = out
        self.folder = out / UNFINISHED
        try:
            out.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(self.folder, ignore_errors=True)
            (self.folder / TRACES).mkdir(parents=True)
        except OSError as error:
            raise EvidenceError(str(out), f"cannot hold a report: {error.strerror or error}") from error

    def discard(self) -> None:
        """Nothing of this run is worth keeping."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def publish(self) -> None:
        """Put the run's files in the place of the last run's; EvidenceError leaves what was there."""
        missing = [name for name in FILES if not (self.folder / name).exists()]
        if missing:
            names = ", ".join(missing)
            reason = f"{names} could not be made; the last report stays, this run is in {self.folder}"
            raise EvidenceError(str(self.out), reason)
        try:
            shutil.rmtree(self.out / TRACES, ignore_errors=True)
            (self.folder / TRACES).replace(self.out / TRACES)
            for name in FILES:
                (self.folder / name).replace(self.out / name)
            self.folder.rmdir()
        except OSError as error:
            raise EvidenceError(str(self.out), f"the report could not be put in place: {error}") from error
