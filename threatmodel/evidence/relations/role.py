"""A role as a value: what it may do with the elements of a stack, and what of that is open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from threatmodel.evidence.answers import Unanswered
from threatmodel.evidence.outside import Outside
from threatmodel.evidence.policies.grants import Grant
from threatmodel.evidence.policies.reach import Reach
from threatmodel.model.vocabulary import RELATIONS as LISTED
from threatmodel.reading.problems import Place
from threatmodel.reading.values import dataclass, field

RELATIONS = tuple(row.name for row in LISTED["function"].values() if row.closed_together)
"""What a function uses, by the names of a model."""


class InvocationRight(NamedTuple):
    """That a role may call a function: which ('' for every one), the statement, and why it perhaps may not."""

    function: str
    place: Place
    why: str = ""


@dataclass(frozen=True, slots=True)
class Role:
    """What a role may do: what it reaches by name, what it covers by wildcards, and what is open of each relation.

    `covers` are pairs of a service and a use; `outside` are resources of other stacks that it names (by their keys),
    each with a use; `hidden` the relations of which a statement cannot be read; `connected` the resources that a
    connector grants; `grants` all of its statements, `assumed` those of roles that it may assume; `about` what the
    documents refer to that only an apply will show; `takes` how much work each function is that has the role.
    """

    reach: Mapping[str, Reach] = field(default_factory=dict)
    covers: Mapping[tuple[str, str], Place] = field(default_factory=dict)
    open: Mapping[str, Unanswered] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    connected: frozenset[str] = frozenset()
    invokes: tuple[InvocationRight, ...] = ()
    grants: tuple[Grant, ...] = ()
    outside: Mapping[tuple[str, str], Place] = field(default_factory=dict)
    about: Mapping[str, Place] = field(default_factory=dict)
    takes: int = 0
    assumed: tuple[Grant, ...] = ()

    def assuming(self, other: Role) -> Role:
        """Return what it may do together with what it may do as another role, whose denials do not concern its own."""
        reach = {**other.reach, **self.reach}
        reach |= {name: one.joined(other.reach[name]) for name, one in self.reach.items() if name in other.reach}
        return Role(
            reach=reach,
            covers={**other.covers, **self.covers},
            open={**other.open, **self.open},
            hidden=self.hidden | other.hidden,
            connected=self.connected | other.connected,
            invokes=(*self.invokes, *other.invokes),
            grants=self.grants,
            assumed=(*self.assumed, *other.grants, *other.assumed),
            outside={**other.outside, **self.outside},
            about={**other.about, **self.about},
            takes=self.takes + other.takes,
        )


SERVICES: Mapping[str, tuple[str, frozenset[str]]] = {
    "dynamodb": ("table", frozenset({"read", "write"})),
    "s3": ("bucket", frozenset({"read", "write"})),
    "rds-data": ("database", frozenset({"read", "write"})),
    "es": ("search domain", frozenset({"read", "write"})),
    "elasticfilesystem": ("file system", frozenset({"read", "write"})),
    "elasticache": ("cache", frozenset({"read", "write"})),
    "kinesis": ("stream", frozenset({"read", "send"})),
    "sqs": ("queue", frozenset({"send"})),
    "sns": ("topic", frozenset({"send"})),
    "events": ("event bus", frozenset({"send"})),
    "secretsmanager": ("secret", frozenset({"value"})),
    "ssm": ("parameter", frozenset({"value"})),
    "lambda": ("function", frozenset({"invoke"})),
}
"""The services whose resources are elements: what one is called, and what is done with it."""
ELEMENTS = frozenset({*SERVICES, "rds-db"})
"""The services whose resources are elements."""
RELATION = {"read": "reads", "write": "writes", "send": "sends", "value": "secrets", "invoke": "invokes"}
VERB = {"read": "read", "write": "write", "send": "send to", "value": "read", "invoke": "call"}
BOTH_WAYS = frozenset({
    "rds-data:executestatement", "rds-data:batchexecutestatement", "elasticache:connect", "es:eshttppost",
})  # fmt: skip
"""Actions that the table has as writing, by which one reads as well."""
POLLS = frozenset({
    "dynamodb:getrecords", "dynamodb:getsharditerator",
    "kinesis:getrecords", "kinesis:getsharditerator", "kinesis:subscribetoshard",
})  # fmt: skip
"""Actions by which Lambda itself polls for a function."""


class Noted:
    """What a role's statements leave open, as statement by statement is looked at."""

    def __init__(self) -> None:
        self.open: dict[str, Unanswered] = {}
        self.covers: dict[tuple[str, str], Place] = {}
        self.hidden: set[str] = set()
        self.calls: list[Place] = []
        self.perhaps: list[InvocationRight] = []
        self.outside: dict[tuple[str, str], Place] = {}

    def hide(self, relation: str, why: str, place: Place) -> None:
        """Notes that something about a relation cannot be read."""
        self.hidden.add(relation)
        self.note(relation, why, place)

    def note(self, relation: str, why: str, place: Place) -> None:
        """Notes why a list may be longer."""
        self.open.setdefault(relation, Unanswered(why, place))

    def every(self, why: str, place: Place) -> None:
        """Notes that something about every relation cannot be read."""
        for relation in RELATIONS:
            self.hide(relation, why, place)

    def wide(self, service: str, uses: Iterable[str], place: Place) -> None:
        """Notes that every resource of a service is covered."""
        for use in sorted(uses):
            if use == "invoke":
                self.calls.append(place)
            self.covers.setdefault((service, use), place)
            self.note(RELATION[use], f"its role may {VERB[use]} every {SERVICES[service][0]}", place)

    def elsewhere(self, service: str, uses: Iterable[str], grant: Grant, one: Outside | None) -> None:
        """Note that it covers something that is not in this file: one resource with a name, or an unknown one."""
        place = grant.place
        for use in sorted(uses):
            if one is not None and grant.effect == "Allow" and grant.open is None:
                self.outside.setdefault((one.key, use), place)
                if one.sure:
                    continue
            if use in RELATION:
                noun = SERVICES[service][0]
                article = "an" if noun[0] in "aeiou" else "a"
                why = f"its role may {VERB[use]} {article} {noun} that is not in this file"
                self.note(RELATION[use], why, place)


RELATIONS_OF = {
    kind: tuple(name for name in RELATIONS if kind in LISTED["function"][name].to)
    for kind in ("store", "queue", "secret")
}
