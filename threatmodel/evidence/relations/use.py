"""What starts a function and what it uses, as values, and where an element belongs in its lists: by its kind.

A file does not settle the kind.  A stream is a store or a queue, as the model has it.  What a file calls a write to it
is then sent, and what it calls a queue that starts a function is a store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from threatmodel.evidence.answers import Unanswered
from threatmodel.evidence.relations.beyond import Beyond
from threatmodel.evidence.relations.role import RELATIONS as USES
from threatmodel.evidence.relations.ways import Start
from threatmodel.model.system import BY_ID, THROUGH
from threatmodel.model.vocabulary import RELATIONS
from threatmodel.reading.problems import Place
from threatmodel.reading.values import dataclass, replace


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
USED = (*USES, "calls")
"""The lists of what a function uses that a file can say."""
_MOSTLY = {name: RELATIONS["function"][name].to[0] for name in USED}
_INSTEAD = {("writes", "queue"): "sends", ("sends", "store"): "writes"}


def fits(name: str, kind: str) -> bool:
    """Whether a function's list takes elements of a kind."""
    return kind in RELATIONS["function"][name].to


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
