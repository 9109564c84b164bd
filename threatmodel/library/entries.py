"""The library as values: threats, controls and the article that orders them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, get_args

from threatmodel.library.condition import Condition
from threatmodel.model.system import Invariant
from threatmodel.model.vocabulary import Kind
from threatmodel.reading.problems import Place
from threatmodel.reading.values import dataclass

SCENARIOS = (
    "stolen-access-keys",
    "malicious-code",
    "denial-of-service",
    "exploited-vulnerability",
    "social-engineering",
)
"""The article's five threat scenarios, in its order."""

MITIGATIONS = (
    "access-keys",
    "multi-factor-authentication",
    "version-control",
    "code-review",
    "ddos-protection",
    "guardduty",
    "best-practices",
)
"""The article's seven mitigations, in its order."""

BEYOND = "beyond-the-article"
"""The folder of controls that none of the seven names."""

ControlEffect = Literal["stops", "hinders", "contains", "detects", "responds", "assures"]
EFFECTS: tuple[ControlEffect, ...] = get_args(ControlEffect)
"""What a control does to a threat, from strongest to weakest."""

STRIDE = (
    "spoofing",
    "tampering",
    "repudiation",
    "information-disclosure",
    "denial-of-service",
    "elevation-of-privilege",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlLink:
    """What a control does to a threat, and why.

    `conditions` says for which elements of each target kind it does so; empty where it does for all.  `looks_at` says
    what shows that the control is in place, for one that stops the threat.
    """

    control: str
    effect: ControlEffect
    because: str
    place: Place
    conditions: Mapping[str, Condition]
    looks_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What likelihood or impact becomes where a condition holds (compiled for each target kind), and why."""

    conditions: Mapping[str, Condition]
    likelihood: int | None
    impact: int | None
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Threat:
    """One threat.  `applies` holds its exposure condition compiled for each target kind.

    `do` is what to do first where it applies, '' where that is what its controls say.  `everywhere` says why no element
    of its kind is spared, '' where some are.

    `first`: it leaves a public endpoint open to anyone, and comes before all others.  `raises` win over `lowers`.
    `formerly` lists its former ids, oldest first; `took_in` other threats that became part of it.
    """

    id: str
    title: str
    do: str = ""
    aliases: tuple[str, ...] = ()
    scenario: str
    targets: tuple[Kind, ...]
    applies: Mapping[str, Condition]
    everywhere: str = ""
    stride: tuple[str, ...]
    likelihood: int
    impact: int
    why: str
    links: tuple[ControlLink, ...]
    reaches: str
    by_provider: bool
    first: bool
    maps: Mapping[str, tuple[str, ...]]
    references: tuple[str, ...]
    place: Place
    raises: tuple[Move, ...] = ()
    lowers: tuple[Move, ...] = ()
    formerly: tuple[str, ...] = ()
    took_in: tuple[str, ...] = ()

    @property
    def contained_by(self) -> str:
        """The control that contains what nothing stops: the first one, if it does; '' where there is none."""
        first = self.links[0] if self.links else None
        stopped = any(link.effect == "stops" for link in self.links)
        return first.control if first is not None and first.effect == "contains" and not stopped else ""

    def conditions(self, kind: str) -> Iterator[Condition]:
        """Yield every condition that the threat reads of a target of a kind: of exposure, of moves and of links."""
        yield self.applies[kind]
        yield from (move.conditions[kind] for move in (*self.raises, *self.lowers))
        yield from (link.conditions[kind] for link in self.links if link.conditions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A condition for a control to be applicable, and the reason where it is not."""

    condition: Condition
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Weaker:
    """What looks like a control and is not: `facts` that are not enough, or a `template`'s resources ('' for none)."""

    says: str
    facts: Mapping[str, object]
    template: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One control.  `in_place` is None where only a person can tell; `do` is its title where nothing else is said.

    `keeps_out`: it keeps anonymous callers out, which is not wanted for a public endpoint.  `formerly` lists its former
    ids, oldest first; `took_in` other controls that became part of it.  `required_at` are the places of
    `requires`.
    """

    id: str
    title: str
    do: str
    aliases: tuple[str, ...] = ()
    mitigation: str
    kind: str
    owner: str
    scope: Kind
    in_place: Condition | None
    requires: tuple[str, ...]
    keeps_out: bool = False
    needs: tuple[Need, ...]
    why: str
    how: Mapping[str, str]
    maps: Mapping[str, tuple[str, ...]]
    references: tuple[str, ...]
    place: Place
    formerly: tuple[str, ...] = ()
    took_in: tuple[str, ...] = ()
    required_at: tuple[Place, ...] = ()
    weaker: tuple[Weaker, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A scenario or a mitigation of the article."""

    id: str
    number: int
    title: str
    says: str
    gaps: tuple[str, ...]
    answers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """The article that the library is ordered by."""

    name: str
    source: str
    scenarios: tuple[Numbered, ...]
    mitigations: tuple[Numbered, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Off:
    """A threat or a control (`part` says which) that a team's library switches off, and why.

    As a library.yaml states it, `part` may be a kind of element too (`kind`): all threats that target no other.
    """

    part: str
    id: str
    title: str
    reason: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A threat or a control (`part`) at `place`, which a team's library puts in place of the one at `of`.

    `weakens` says in words where it asks for less, or promises more, than that one.
    """

    part: str
    id: str
    place: Place
    of: Place
    weakens: tuple[str, ...] = ()


class FormerIds(NamedTuple):
    """The current id of each former id of a threat and of a control."""

    threats: Mapping[str, str] = MappingProxyType({})
    controls: Mapping[str, str] = MappingProxyType({})


NO_FORMER_IDS = FormerIds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """All threats and controls by id, in order of scenario (mitigation) and id, and the article.

    `layers` are the folders of teams' libraries on top of it; `off` and `replaced` what they took away and changed,
    `invariants` the rules over every model that they state.  `former` has the former ids, of what is off too.
    """

    threats: Mapping[str, Threat]
    controls: Mapping[str, Control]
    article: Article
    layers: tuple[str, ...] = ()
    off: tuple[Off, ...] = ()
    replaced: tuple[Replaced, ...] = ()
    invariants: tuple[Invariant, ...] = ()
    former: FormerIds = NO_FORMER_IDS

    def with_required(self, names: Iterable[str]) -> Mapping[str, Control]:
        """Return these controls and all that they require, by id, without those that the library does not have."""
        left, found = [*names], dict[str, Control]()
        while left:
            control = self.controls.get(left.pop())
            if control is not None and control.id not in found:
                found[control.id] = control
                left += control.requires
        return found
