"""A profile's messages: the declared classes, and subclasses of those that the profile changes."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias, cast, get_args, get_type_hints

import msgspec

from swapproto.errors import ProfileError
from swapproto.messages.catalog import Catalogue, MessageSet, message_set
from swapproto.profile.declared import ON_EVENT
from swapproto.profile.model import Leaf, Profile
from swapproto.profile.values import Quantity
from swapproto.wire.fields import Integer
from swapproto.wire.layout import LayoutError
from swapproto.wire.message import GroupMeta, Message

_Changes: TypeAlias = dict[str, Leaf]
"""Property of one message (``period``, ``field.minimum.offset``) to its new value."""


def bind(profile: Profile) -> tuple[MessageSet[Any], ...]:
    """The message sets that the profile speaks, in its order, with its changes made.

    A message that nothing changes is the declared class itself; a changed one is a subclass of the same name.
    ProfileError where the changes make no layout.
    """
    changes: dict[str, _Changes] = {}
    for key, leaf in profile.leaves.items():
        section, _, rest = key.partition(".")
        if section == "message" and leaf.is_set:
            name, _, what = rest.partition(".")
            changes.setdefault(name, {})[what] = leaf
    return tuple(_changed_set(message_set(name), changes, profile.id) for name in profile.messages)


def _changed_set(declared: MessageSet[Any], changes: Mapping[str, _Changes], profile: str) -> MessageSet[Any]:
    names = {cls.__name__ for cls in declared}
    if not names & changes.keys():
        return declared
    name = f"{declared.name}, as {profile} has it"
    messages: list[Any] = [
        _derived(cls, changes[cls.__name__], profile) if cls.__name__ in changes else cls for cls in declared
    ]
    if isinstance(declared, Catalogue):
        return Catalogue(declared.edition, messages, name=name)
    return MessageSet(name, messages)


def _derived(cls: type[Message], changes: _Changes, profile: str) -> type[Message]:
    hints = get_type_hints(cls, include_extras=True)
    fields: dict[str, Any] = {}
    spec: dict[str, Any] = {}
    for what, leaf in changes.items():
        part, _, rest = what.partition(".")
        if part == "field":
            name, _, setting = rest.partition(".")
            fields[name] = _with(fields.get(name, hints[name]), setting, leaf)
        else:
            spec |= _of_message(part, leaf)
    namespace: dict[str, Any] = {
        "__annotations__": fields,
        "__module__": cls.__module__,
        "__doc__": cls.__doc__,
        **{
            each.name: each.default
            for each in msgspec.structs.fields(cls)
            if each.name in fields and not each.required
        },
    }
    if fields:
        namespace["VECTORS"] = ()
        spec["unseen"] = f"changed by the profile {profile}"
    try:
        made = GroupMeta(
            cls.__name__, (cls,), namespace, length=cls.layout.length, lengths=cls.layout.lengths, **spec
        )
    except LayoutError as error:
        leaf = next(iter(changes.values()))
        raise ProfileError(leaf.file, leaf.key, f"the changes make no layout: {error}", leaf.line) from None
    return cast("type[Message]", made)


def _of_message(name: str, leaf: Leaf) -> dict[str, Any]:
    value = leaf.value
    if name == "period":
        return {"period_ms": None if value == ON_EVENT else int(cast("Quantity", value).to("ms"))}
    return {name: int(value.magnitude) if isinstance(value, Quantity) else value}


def _with(hint: Any, setting: str, leaf: Leaf) -> Any:
    """The annotation with one number of its marker changed, in the marker's unit, and the leaf's source."""
    bare, *extras = get_args(hint)
    marker = next(each for each in extras if isinstance(each, Integer))
    number = cast("Quantity", leaf.value).to(marker.unit)
    exact = int(number) if number == int(number) else float(number)
    return Annotated[bare, msgspec.structs.replace(marker, source=leaf.source, **{setting: exact})]
