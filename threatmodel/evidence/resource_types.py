"""What is known of types of AWS resources: one entry a type in resource_types.yaml, read strictly.

The kinds of element that a type can be are in the data files (`mappings`), beside its facts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from threatmodel.reading import plain
from threatmodel.reading.compiled import Compiled
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError
from threatmodel.reading.reader import Fields, Reader
from threatmodel.reading.shape import Flag, Items, Key, NamedItems, Text, record
from threatmodel.reading.values import dataclass

FILE = Path(__file__).with_suffix(".yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceType:
    """One type of resource; _TYPE says what each of its fields is."""

    names: tuple[str, ...] = ()
    own_name: str = ""
    services: tuple[str, ...] = ()
    arn: str = ""
    stands_for: str = ""
    read_as: str = ""
    acts_as: str = ""
    calls: str = ""
    calls_by_role: bool = False
    hands_over: bool = False
    rotates: str = ""
    service: str = ""
    part_of: str = ""
    names_in: tuple[str, ...] = ()


_NAME = Text(100, r"[A-Za-z0-9_]+(?:::[A-Za-z0-9]*)*", "a type, or how types begin")
_PROPERTY = Text(60, r"[A-Za-z]+", "a property")
_SERVICE = Text(40, r"[a-z0-9-]+", "a service as actions and principals spell it")
_TYPE = record(
    "a type of resource",
    Key("names", Items(_NAME, least=1), "its names in CloudFormation or SAM", required=True),
    Key("own_name", _PROPERTY, "the property by which it names itself"),
    Key("services", Items(_SERVICE, least=1), "those of the actions that can reach it, first the one in its ARN"),
    Key("arn", Text(60, r"[^{}]*\{\}[^{}]*", "the ARN's last part, {} for the name"), "the last part of its ARN"),
    Key("stands_for", _PROPERTY, "the property that names the resource that it belongs to"),
    Key("read_as", Text(20, r"[a-z]+", "a word"), "the reader in relations/starts.py of how it starts functions"),
    Key("acts_as", Text(20, r"[a-z]+", "a word"), "the reader in relations/acting.py of what it does by itself"),
    Key("calls", _SERVICE, "the service that a permission names, where it calls a function that it names"),
    Key("calls_by_role", Flag(), "whether it calls by a role, and its targets are read"),
    Key("hands_over", Flag(), "whether it says where results and failures of a function go"),
    Key("rotates", _PROPERTY, "the property with the function that rotates a secret"),
    Key("service", Text(60), "the service of AWS as which it is drawn, where it is no other kind of element"),
    Key("part_of", _PROPERTY, "the property with the resource that is drawn in its place"),
    Key("names_in", Items(Text(60, r"[A-Za-z_]+", "a property")), "the properties that name functions that it starts"),
)
_FAMILIES = record(
    "families of types",
    Key(
        "calls_nobody",
        Items(_NAME),
        "how types begin that name functions and never call them, or do so by resources that are read",
        required=True,
    ),
    Key(
        "pushes",
        NamedItems(Items(_NAME), "a service"),
        "how types begin that need a permission to call a function, by the service that it names",
        required=True,
    ),
)
_WHOLE = record(
    "types of resources",
    Key("types", Items(_TYPE, least=1), "one entry a type", required=True),
    Key("families", _FAMILIES, "what concerns whole families, by how the names of types begin", required=True),
)


def read() -> tuple[Sequence[ResourceType], tuple[str, ...], Mapping[str, str]]:
    """Return the three tables of the file: types, and both families.  Raises InputError with every problem of it."""
    reader = Reader(Files().document(FILE))
    whole = reader.whole(_WHOLE)
    if reader.problems:
        raise InputError(reader.problems)
    rows = [
        ResourceType(
            **{
                name: one.several(name) if isinstance(value.value, tuple) else value.value
                for name, value in one.items()
            }
        )
        for one in (entry.value for entry in whole["types"].value)
    ]
    families: Fields = whole["families"].value
    pushes: Fields = families["pushes"].value
    starts = {start: service for service in pushes for start in pushes.several(service)}
    return rows, families.several("calls_nobody"), starts


TABLE = Compiled("resource-types", [FILE], ["evidence/resource_types.py"], plain.table(ResourceType))
_ROWS, CALLS_NOTHING, PUSHES = TABLE.read(read)
RESOURCE_TYPES: Mapping[str, ResourceType] = {name: row for row in _ROWS for name in row.names}
"""Return every known type, by each of its names; prefixes of types that call nothing, and that need a permission."""

_UNKNOWN = ResourceType(own_name="Name")


def known(name: str) -> ResourceType:
    """What is known of a type; of any other only that it may have a name."""
    return RESOURCE_TYPES.get(name, _UNKNOWN)
