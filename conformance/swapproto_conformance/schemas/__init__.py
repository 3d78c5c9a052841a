"""The published JSON Schemas of results.json and of the statement inside certificate.json.

The files beside this one are made by `python -m swapproto_conformance.schemas`.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from swapproto_conformance.certificate import Statement
from swapproto_conformance.results import RunResult


def _schema(urn: str, title: str, described: type[msgspec.Struct]) -> bytes:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": urn, "title": title}
    schema = head | msgspec.json.schema(described)
    return msgspec.json.format(msgspec.json.encode(schema, order="sorted"), indent=2) + b"\n"


SCHEMAS: Mapping[str, bytes] = MappingProxyType(
    {
        "results-v1.schema.json": _schema("urn:swapproto:results:v1", "results.json of swapproto", RunResult),
        "certificate-v1.schema.json": _schema(
            "urn:swapproto:conformance-certificate:v1", "Statement inside a certificate.json", Statement
        ),
    }
)
"""File name to content, generated from the structs."""
