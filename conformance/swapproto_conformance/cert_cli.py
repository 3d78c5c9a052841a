"""`swapproto cert`: what can be done with a certificate."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from swapproto.atomic import FileError
from swapproto_conformance.certificate import Certificate, Verification
from swapproto_conformance.certificate import verify as verify_certificate
from swapproto_conformance.dsse import PublicKey
from swapproto_conformance.junit import printable
from swapproto_conformance.results import Counts

BAD_CERTIFICATE = 1
BAD_ARGUMENTS = 4

cert = typer.Typer(
    no_args_is_help=True, help="Check certificates of conformance runs.", rich_markup_mode=None
)


@cert.callback()
def group() -> None:
    """Check certificates of conformance runs."""


@cert.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The certificate.json to check.")],
    key: Annotated[
        Path | None, typer.Option("--key", help="Public key (PEM) of whom you expect to have signed.")
    ] = None,
    traces: Annotated[
        Path | None, typer.Option("--traces", help="Directory of the traces; else looked for beside FILE.")
    ] = None,
) -> None:
    """Check a certificate's signature, consistency and traces.

    Exit 0 if the certificate is genuine, which does not say that its device passed; 1 if anything is wrong,
    a trace missing from the directory given with --traces included; 4 if a file to check it with is no good.
    """
    try:
        if traces is not None and not traces.is_dir():
            raise FileError(str(traces), "there is no such directory")
        trusted = None if key is None else PublicKey.load(key)
        verification = verify_certificate(file, trusted_key=trusted, traces_dir=traces)
    except FileError as error:
        typer.echo(_line(f"error: {error}"), err=True)
        raise typer.Exit(BAD_ARGUMENTS) from error
    lost = traces is not None and bool(verification.traces_missing)
    good = verification.ok and not lost
    missing = len(verification.traces_missing)
    note = f", but {missing} of {missing + verification.traces_checked} traces not found" if missing else ""
    typer.echo(f"{_line(str(file))}: {'VALID' if good else 'NOT VALID'}{note}")
    for label, text in _summary(verification):
        typer.echo(f"  {label:<12} {_line(text)}".rstrip())
    raise typer.Exit(0 if good else BAD_CERTIFICATE)


def _line(text: str) -> str:
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def _summary(verification: Verification) -> Iterator[tuple[str, str]]:
    for problem in verification.problems:
        yield "problem", problem
    certificate = verification.certificate
    if certificate is None:
        return
    yield from _content(certificate)
    if verification.signed_by == "trusted key":
        yield "signature", f"holds, by the given key {certificate.key.keyid}"
    else:
        yield "signature", "holds, by the key inside the file itself: proves integrity, not who signed"
        yield "", f"key {certificate.key.keyid}; give the signer's key with --key"
    yield "traces", f"{verification.traces_checked} checked, {len(verification.traces_missing)} not found"
    for name in verification.traces_missing:
        yield "not checked", f"{name} is not there, so its verdict rests on the signature alone"


def _content(certificate: Certificate) -> Iterator[tuple[str, str]]:
    yield "kind", f"{certificate.kind}. {certificate.meaning}"
    for device in certificate.devices:
        yield "device", f"{device.role} {device.name} ({device.link}) {device.description}"
    yield "profile", certificate.profile
    for standard in certificate.standards:
        yield "standard", f"{standard.name}: {standard.state}"
    yield "suite", f"{certificate.suite} {certificate.suite_version}, run of {certificate.created}"
    if certificate.key.key_class == "demonstration":
        yield "key class", "demonstration key, made for this run: it stands for nobody"
    else:
        yield "key class", "operator's key, by the signer's own word"
    yield "verdict", f"{certificate.verdict.text} (the run ended with exit code {certificate.exit_code})"
    yield "cases", _counted(certificate.counts)
    if certificate.interoperation:
        yield "pairs", f"{_counted(certificate.interoperation_counts)}; evidence for neither device alone"
    yield "not selected", str(len(certificate.not_selected))
    for text in certificate.problems:
        yield "harness", text


def _counted(counts: Counts) -> str:
    beneath = f" ({counts.failed_under_error} with a fail beneath)" if counts.failed_under_error else ""
    return (
        f"{counts.total}: {counts.passed} pass, {counts.inconclusive} inconclusive, {counts.failed} fail, "
        f"{counts.errors} error{beneath}, {counts.not_applicable} not applicable"
    )
