"""Options of a link URL: each is known and well formed, or the link does not open."""

from collections.abc import Collection, Mapping

from swapproto.errors import LinkUnavailable


def known_only(link: str, options: Mapping[str, str], known: Collection[str]) -> None:
    unknown = sorted(set(options) - set(known))
    if unknown:
        takes = ", ".join(sorted(known)) or "none"
        raise LinkUnavailable(f"{link}: unknown option {', '.join(unknown)}; this link takes: {takes}")


def integer(link: str, options: Mapping[str, str], name: str, default: int) -> int:
    text = options.get(name)
    if text is None:
        return default
    try:
        return int(text, 0)
    except ValueError:
        raise LinkUnavailable(f"{link}: option {name}={text} must be a whole number") from None


def number(link: str, options: Mapping[str, str], name: str, default: float) -> float:
    text = options.get(name)
    if text is None:
        return default
    try:
        return float(text)
    except ValueError:
        raise LinkUnavailable(f"{link}: option {name}={text} must be a number") from None


def flag(link: str, options: Mapping[str, str], name: str) -> bool:
    text = options.get(name, "false").lower()
    if text not in {"true", "false"}:
        raise LinkUnavailable(f"{link}: option {name}={text} must be true or false")
    return text == "true"
