"""`swapproto export`: the messages of a profile in the languages of other tools."""

import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from swapproto.atomic import FileError, write_atomically
from swapproto.cli.text import plural
from swapproto.errors import SwapError
from swapproto.export.source import Declaration, declaration, is_generated
from swapproto.profile import shipped

command = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

_Profile = Annotated[str, typer.Option("--profile", metavar="ID", help="Shipped profile, or a profile file.")]


def _path(text: str) -> Path:
    """An empty path would be the working directory."""
    if not text.strip():
        raise typer.BadParameter("the path is empty")
    return Path(text)


_File = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", parser=_path, help="File to write; else standard output."),
]
_Folder = Annotated[
    Path,
    typer.Option(
        "--out", metavar="DIR", parser=_path,
        help="Folder to write into. Files of an older export there that this one does not have are removed.",
    ),
]  # fmt: skip


@command.callback()
def export() -> None:
    """Write the messages of a profile for other tools: DBC, C, test vectors, Wireshark, documentation.

    Files are made from the message declarations alone, carry the profile's hash and are the same to the
    byte whenever the profile and the version are.

    Exit: 0 written; 4 no such profile, or it names no messages.
    """


def _one(files: Mapping[str, bytes], out: Path | None) -> None:
    """Write the one file, or print it."""
    ((_, content),) = files.items()
    if out is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        write_atomically(out, content)
        typer.echo(f"{out}: {len(content)} bytes")


def write_folder(files: Mapping[str, bytes], out: Path) -> None:
    """Put files in their places once all of them are written; FileError leaves what was there as it was."""
    staged = out / f".{secrets.token_hex(8)}.tmp"
    try:
        try:
            for name, content in files.items():
                (staged / name).parent.mkdir(parents=True, exist_ok=True)
                (staged / name).write_bytes(content)
            for name in files:
                (out / name).parent.mkdir(parents=True, exist_ok=True)
                os.replace(staged / name, out / name)  # noqa: PTH105  (atomic; said outright)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    except OSError as error:
        raise FileError(str(out), f"cannot be written ({error.strerror or error})") from error


def remove_stale(files: Mapping[str, bytes], out: Path) -> tuple[str, ...]:
    """Remove what an older export left beside these files: same kinds, our header, another name.

    Names of what was removed. Links, files of other kinds and files without the header stay.
    """
    kinds = {Path(name).suffix for name in files}
    removed: list[str] = []
    try:
        for path in sorted(out.iterdir()):
            ours = path.name not in files and path.suffix in kinds and path.is_file()
            if ours and not path.is_symlink() and is_generated(path.read_bytes()):
                path.unlink()
                removed.append(path.name)
    except OSError as error:
        raise FileError(str(out), f"an older export cannot be removed ({error.strerror or error})") from error
    return tuple(removed)


def _many(files: Mapping[str, bytes], out: Path) -> None:
    write_folder(files, out)
    typer.echo(f"{out}: {plural(len(files), 'file')}, {sum(map(len, files.values()))} bytes")
    for name in remove_stale(files, out):
        typer.echo(f"{out / name}: removed, of an older export")


def _declared(profile: str) -> Declaration:
    """A shipped id means the shipped profile, whatever files there are."""
    if profile in shipped():
        return declaration(profile)
    path = Path(profile)
    return declaration(path if path.suffix.lower() == ".toml" or path.is_file() else profile)


@command.command()
def dbc(
    profile: _Profile,
    out: _File = None,
    encoding: Annotated[str, typer.Option(help="utf-8, or gbk for tools that expect it.")] = "utf-8",
) -> None:
    """A DBC database: messages, signals, cycle times, J1939 attributes, value tables, sources as comments."""
    from swapproto.export import dbc as target

    if encoding.lower() not in ("utf-8", "gbk"):
        raise SwapError(f"encoding {encoding!r}: a DBC is written in utf-8 or gbk")
    _one(target.files(_declared(profile), encoding=encoding.lower()), out)


@command.command()
def c(profile: _Profile, out: _Folder) -> None:
    """A C99 library: structs, pack and unpack with checks, transport, timers, test vectors."""
    from swapproto.export import c as target

    _many(target.files(_declared(profile)), out)


@command.command()
def vectors(profile: _Profile, out: _File = None) -> None:
    """Test vectors in JSON: payloads with fields and deviations, transport and session exchanges."""
    from swapproto.export import vectors as target

    _one(target.files(_declared(profile)), out)


@command.command()
def wireshark(profile: _Profile, out: _File = None) -> None:
    """A dissector in Lua, with transport reassembly and expert information."""
    from swapproto.export import wireshark as target

    _one(target.files(_declared(profile)), out)


@command.command()
def docs(profile: _Profile, out: _Folder) -> None:
    """A protocol reference in Markdown and HTML, with byte pictures and state diagrams."""
    from swapproto.export import docs as target

    _many(target.files(_declared(profile)), out)
