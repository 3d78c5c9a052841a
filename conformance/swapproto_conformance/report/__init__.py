"""The report as a page for people: `index.html`, one file that opens from disk."""

from swapproto_conformance.report.page import render

__all__ = ["render"]
