"""What is said to people, in English and in Chinese."""

import msgspec


class Words(msgspec.Struct, frozen=True, gc=False):
    """The same in both languages."""

    en: str
    zh: str

    def __str__(self) -> str:
        return self.en


def joined(parts: "list[Words]") -> Words:
    """One sentence after the other."""
    return Words("; ".join(each.en for each in parts), "；".join(each.zh for each in parts))
