"""Ed25519 keys and the DSSE envelope: one payload, one signature, one way to write it."""

import base64
import binascii
import hashlib
from pathlib import Path
from typing import Literal, Self, TypeAlias

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from swapproto.atomic import FileError, read_bounded, write_atomically

PAYLOAD_TYPE = "application/vnd.in-toto+json"

KeyClass: TypeAlias = Literal["demonstration", "operator"]
"""A demonstration key is made for one run and thrown away; an operator's key is kept by whoever signs."""


class PublicKey:
    """Who can have signed."""

    def __init__(self, raw: bytes) -> None:
        """Take the 32 raw bytes of an Ed25519 key; ValueError for anything else."""
        self._key = Ed25519PublicKey.from_public_bytes(raw)
        self.raw = raw

    @property
    def keyid(self) -> str:
        """SHA-256 of the raw key, in hex."""
        return hashlib.sha256(self.raw).hexdigest()

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature is this key's over exactly this message."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def save(self, path: Path) -> None:
        """Write it as PEM."""
        encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        write_atomically(path, self._key.public_bytes(encoding, form))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a PEM public key; FileError if it is none or not Ed25519."""
        content = read_bounded(path, limit=1 << 20)
        if b"PRIVATE KEY" in content:
            raise FileError(str(path), "is a private key; give the public one, and keep this one to yourself")
        try:
            key = serialization.load_pem_public_key(content)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise FileError(str(path), "is no public key in PEM") from error
        if not isinstance(key, Ed25519PublicKey):
            raise FileError(str(path), "is a public key, but not Ed25519")
        return cls(key.public_bytes_raw())


class SigningKey:
    """A private key together with what may be said of it."""

    def __init__(self, private: Ed25519PrivateKey, key_class: KeyClass) -> None:
        self._private = private
        self.key_class: KeyClass = key_class
        self.public = PublicKey(private.public_key().public_bytes_raw())

    @classmethod
    def demonstration(cls) -> Self:
        """A key made on the spot: its signatures prove integrity and name nobody."""
        return cls(Ed25519PrivateKey.generate(), "demonstration")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read an unencrypted PEM private key, held by whoever signs; FileError if it is none."""
        try:
            key = serialization.load_pem_private_key(read_bounded(path, limit=1 << 20), password=None)
        except TypeError as error:
            raise FileError(str(path), "is encrypted; give a key without password") from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise FileError(str(path), "is no private key in PEM") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise FileError(str(path), "is a private key, but not Ed25519")
        return cls(key, "operator")

    def save(self, path: Path) -> None:
        """Write it as unencrypted PEM that only its owner can read."""
        pem = self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_atomically(path, pem, mode=0o600)

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of an Ed25519 signature."""
        return self._private.sign(message)


class _Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keyid: str
    sig: str


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    payload: str
    payload_type: str
    signatures: tuple[_Signature, ...]


class Opened(msgspec.Struct, frozen=True):
    """What lies in an envelope; nothing here is verified yet."""

    payload: bytes
    keyid: str
    signature: bytes
    signed: bytes
    """What the signature is over."""


class Malformed(ValueError):
    """An envelope that cannot be opened; the text says where it departs."""


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding, version 1."""
    name = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def seal(payload: bytes, key: SigningKey) -> bytes:
    """The envelope as file content, in the one form that `open_envelope` takes."""
    signature = key.sign(pae(PAYLOAD_TYPE, payload))
    signatures = (_Signature(keyid=key.public.keyid, sig=_base64(signature)),)
    return _serialise(_Envelope(payload=_base64(payload), payload_type=PAYLOAD_TYPE, signatures=signatures))


def open_envelope(content: bytes) -> Opened:
    """Take an envelope apart; Malformed unless it is, byte for byte, what `seal` writes.

    So no byte of the file can change unseen: each is part of the form, of the payload or of the signature.
    """
    try:
        envelope = msgspec.json.decode(content, type=_Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"is no DSSE envelope: {error}") from error
    if envelope.payload_type != PAYLOAD_TYPE:
        raise Malformed(f"payload type is {envelope.payload_type!r}, expected {PAYLOAD_TYPE!r}")
    if len(envelope.signatures) != 1:
        raise Malformed(f"expected one signature, found {len(envelope.signatures)}")
    signature = envelope.signatures[0]
    payload = _unbase64("payload", envelope.payload)
    opened = Opened(
        payload=payload,
        keyid=signature.keyid,
        signature=_unbase64("signature", signature.sig),
        signed=pae(PAYLOAD_TYPE, payload),
    )
    if _serialise(envelope) != content:
        raise Malformed(
            "is not written as it was issued: keys, their order or the space between them changed"
        )
    return opened


def _serialise(envelope: _Envelope) -> bytes:
    return msgspec.json.encode(envelope, order="sorted") + b"\n"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unbase64(what: str, text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed(f"the {what} is damaged: {error}") from error
    if _base64(data) != text:
        raise Malformed(f"the {what} is damaged: its base64 is not canonical")
    return data
