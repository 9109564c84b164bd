"""What starts a function and what it uses, as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from threatmodel.evidence.answers import Unanswered
from threatmodel.evidence.relations.beyond import Beyond
from threatmodel.evidence.relations.ways import Start
from threatmodel.reading.problems import Place
from threatmodel.reading.values import dataclass


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
