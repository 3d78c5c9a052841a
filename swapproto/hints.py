"""What to say to somebody who mistyped a name."""

from collections.abc import Iterable
from difflib import get_close_matches

_LISTED = 20


def near(word: str, known: Iterable[str]) -> str:
    """The nearest of the known names, or all where they are few, or how many there are."""
    names = sorted(known)
    begun = [name for name in names if name.startswith(word)]
    if found := begun[:3] or get_close_matches(word, names, n=3, cutoff=0.5):
        return f"near: {', '.join(found)}"
    if not names:
        return "there are none"
    return f"known: {', '.join(names)}" if len(names) <= _LISTED else f"{len(names)} others are known"
