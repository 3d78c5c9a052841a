"""Files that people rely on: written whole or not at all, read up to a limit."""

import os
import secrets
from pathlib import Path

from swapproto.errors import SwapError


class FileError(SwapError):
    """A report, result, key, certificate or exported file that cannot be read, written or used."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def write_atomically(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Replace the file in one step, so that a half-written one never takes the place of a good one.

    What is no regular file, as a pipe or a device, is written to as it is; a link's target is replaced, not
    the link. `mode` is subject to the umask. FileError if that fails; nothing is left behind then.
    """
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as device:
                device.write(content)
        else:
            _replace(path.resolve() if path.is_symlink() else path, content, mode)
    except OSError as error:
        cause = error.strerror or str(error)
        raise FileError(
            str(path), f"cannot be written ({cause}); what was there before is untouched"
        ) from error


def _replace(path: Path, content: bytes, mode: int) -> None:
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        temporary.touch(mode=mode, exist_ok=False)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_bounded(path: Path, limit: int = 64 << 20) -> bytes:
    """The file's bytes; FileError if it is missing, no regular file or larger than `limit` bytes."""
    try:
        if not path.is_file():
            raise FileError(str(path), "is no file" if path.exists() else "there is no such file")
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise FileError(str(path), f"cannot be read ({error.strerror or error})") from error
    if len(content) > limit:
        raise FileError(str(path), f"is larger than {limit >> 20} MiB")
    return content
