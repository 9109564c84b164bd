"""A role as a value (what it may do with the elements of a stack), and a function: what starts it and what it uses.

Where an element belongs in a function's lists depends on its kind, which a file does not settle.  A stream is a store
or a queue, as the model has it.  What a file calls a write to it is then sent, and what it calls a queue that starts a
function is a store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from threatmodel.evidence.answers import Unanswered
from threatmodel.evidence.outside import Outside
from threatmodel.evidence.policies.grants import Grant
from threatmodel.evidence.policies.permissions import Reach
from threatmodel.evidence.relations.beyond import Beyond
from threatmodel.evidence.relations.ways import Start
from threatmodel.model.system import BY_ID, THROUGH
from threatmodel.model.vocabulary import RELATIONS as LISTED
from threatmodel.reading.problems import Place
from threatmodel.reading.values import dataclass, field, replace

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


# --- what starts a function and what it uses
class Use(NamedTuple):
    """One resource that a function uses: the lines that prove it, and what tells it, in this order.

    A grant, an environment variable, an event, a destination (`perhaps destination` where it is not known which one it
    is), a connector.
    """

    resource: str
    places: tuple[Place, ...]
    how: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRelations:
    """What starts one function and what it uses.

    `lists` has what it uses by the names of a model (`USED`), each complete unless `unknown` says why it may be longer.
    `calls` are AWS services, `externals` hosts that its environment or its event sources name: no file shows
    other calls.  `unknown` says of the other lists why they may be longer: one that is not in it is complete.  `unused`
    are grants without any other sign of a use, `ungranted` what its environment or a destination names without a grant.
    `itself` is where it is let call itself, at once or by way of others (None: as far as is seen, it is not).
    `depends_on` are resources that may not be there, and then something of this may differ.
    `beyond` are rights that are no use of anything that it uses, `rights` the actions (in small letters) on what it
    does use, each with the resource.
    """

    lists: Mapping[str, tuple[Use, ...]]
    externals: tuple[str, ...]
    unknown: Mapping[str, Unanswered]
    unused: tuple[Use, ...]
    ungranted: tuple[Use, ...]
    beyond: tuple[Beyond, ...] = ()
    rights: frozenset[tuple[str, str]] = frozenset()
    triggers: tuple[Start, ...] = ()
    itself: Place | None = None
    depends_on: frozenset[str] = frozenset()


# --- where an element belongs in a function's lists, by its kind
USED = (*RELATIONS, "calls")
"""The lists of what a function uses that a file can say."""
_MOSTLY = {name: LISTED["function"][name].to[0] for name in USED}
_INSTEAD = {("writes", "queue"): "sends", ("sends", "store"): "writes"}


def fits(name: str, kind: str) -> bool:
    """Whether a function's list takes elements of a kind."""
    return kind in LISTED["function"][name].to


def is_listed(name: str, kind: str) -> bool:
    """Whether a list takes elements of a kind, or no list has to: nothing says of a function that it reads a queue."""
    return fits(name, kind) or (name, kind) == ("reads", "queue")


def _started_by(by: str, kind: str) -> str:
    """The trigger by which an element of a kind starts a function; '' where there is none."""
    if THROUGH[by] == kind:
        return by
    return next((one for one in BY_ID if by in BY_ID and THROUGH[one] == kind and kind != "api"), "")


def used_as(by_function: Mapping[str, FunctionRelations]) -> Mapping[str, str]:
    """What functions use each resource as, first of all as what starts them: its kind where it can be of several."""
    used: dict[str, str] = {}
    for relations in by_function.values():
        used |= {start.source: THROUGH[start.by] for start in relations.triggers}
    for relations in by_function.values():
        for name, use in uses_of(relations):
            used.setdefault(use.resource, _MOSTLY[name])
    return used


def as_modelled(relations: FunctionRelations, kind_of: Callable[[str], str]) -> FunctionRelations:
    """The relations with each use in the list, and each start by the trigger, that its element's kind asks for.

    `kind_of` gives '' for what is no element.  A start that no trigger is such has '' for `by`.
    """
    lists: dict[str, list[Use]] = {name: [] for name in USED}
    for name, use in uses_of(relations):
        lists[_INSTEAD.get((name, kind_of(use.resource)), name)].append(use)
    starts = tuple(
        start._replace(by=_started_by(start.by, kind)) if (kind := kind_of(start.source)) else start
        for start in relations.triggers
    )
    return replace(relations, triggers=starts, lists={name: tuple(uses) for name, uses in lists.items()})


def uses_of(relations: FunctionRelations) -> Iterator[tuple[str, Use]]:
    """All that a function uses, each with its list."""
    yield from ((name, use) for name in USED for use in relations.lists[name])
