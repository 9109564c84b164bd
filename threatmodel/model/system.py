"""The system as its author writes it: what the model file holds, checked, with the place of every statement."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from threatmodel.model.facts import Statement
from threatmodel.model.longest import LongestTerms
from threatmodel.model.vocabulary.row import Kind, Partner
from threatmodel.reading.problems import Place
from threatmodel.reading.values import dataclass, field


@dataclass(frozen=True, slots=True)
class Reference:
    """The id of another element, and where it is named."""

    id: str
    place: Place


OPEN_TO_ALL: tuple[Kind, ...] = ("api", "store")
"""The kinds for which a model may state whether they are meant to be public."""

THROUGH: Mapping[str, Kind | Partner | Literal[""]] = {
    "slack": "api",
    "http": "api",
    "authorizes": "api",
    "queue": "queue",
    "store": "store",
    "service": "external system",
    "schedule": "",
}
"""What can start a function, with the kind of element that it comes through ('' for none)."""

BY_ID = frozenset({"authorizes", "queue", "store", "service"})
"""The triggers whose own value is the id of what they come through."""
REQUESTS = frozenset({"slack", "http"})
_EVERY_METHOD = frozenset({"ANY", "*", ""})
"""The triggers that are requests of clients: a file shows their routes, and only a person knows who calls."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts a function.

    `by` is a key of THROUGH; `detail` the Slack surface, the HTTP method or the schedule;
    `source` the api, queue, store or external system that it comes through (None for a schedule).  `caller` is
    'unknown' where it is not stated whether Slack sends an HTTP request.
    """

    by: str
    detail: str
    source: Reference | None
    path: str
    place: Place
    caller: str = ""


def meet(method: str, other: str) -> bool:
    """Return whether a request can have both HTTP methods, one of which may stand for every method."""
    both = {method.upper(), other.upper()}
    return len(both) == 1 or bool(both & _EVERY_METHOD)


@dataclass(frozen=True, slots=True)
class Relation:
    """A list of an element, stated at `place`: what starts it, what it uses, the data that it holds.

    `implied`: it follows from another list.  `open` says why there may be more in it ('' where it is complete).
    """

    items: tuple[Reference | Trigger, ...]
    place: Place
    implied: bool = False
    open: str = ""

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of what it names; of triggers none."""
        return tuple(item.id for item in self.items if isinstance(item, Reference))


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One element that has facts, as stated.

    `public` is whether it is meant to be public: intended, unintended, or '' where not stated.  `formerly` is the id
    that an earlier version gave it, where a file and not the model names it.
    """

    kind: Kind
    id: str
    name: str
    description: str
    place: Place
    facts: Mapping[str, Statement]
    relations: Mapping[str, Relation]
    boundary: str = ""
    criticality: str = "normal"
    criticality_reason: str = ""
    out_of_scope: str = ""
    public: str = ""
    public_reason: str = ""
    formerly: str = ""

    @property
    def triggers(self) -> tuple[Trigger, ...] | None:
        """What starts it as far as is stated, None where nothing is."""
        stated = self.relations.get("triggers")
        return None if stated is None else tuple(item for item in stated.items if isinstance(item, Trigger))


@dataclass(frozen=True, slots=True, kw_only=True)
class DataItem:
    """A kind of data: its classification and whether it is personal."""

    id: str
    name: str
    classification: str
    personal: bool
    description: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """A system that functions call, or that starts them, and that is not modeled further.

    `service` names the AWS service that it is, or is a part of ('' for what is none of AWS); `relations` are what it
    does by itself with elements, by the names of lists of functions.
    """

    id: str
    name: str
    description: str
    boundary: str
    place: Place
    service: str = ""
    relations: Mapping[str, Relation] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorBoundary:
    """A trust boundary that the author draws inside another."""

    id: str
    name: str
    inside: str
    place: Place


def tracked(ticket: str, due: datetime.date | None) -> str:
    """Where a treatment is tracked and by when it is due, in words; '' where neither is said."""
    return ", ".join([*([ticket] if ticket else []), *([f"due {due}"] if due is not None else [])])


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlStatement:
    """A statement about a control of an element: an attestation, a plan, or its owner.

    `owner`, `ticket` and `due` say who brings it into place, where that is tracked and by when; they prove nothing.
    """

    control: str
    element: str
    attested_by: str
    on: datetime.date | None
    expires: datetime.date | None
    planned_for: datetime.date | None
    note: str
    place: Place
    owner: str = ""
    ticket: str = ""
    due: datetime.date | None = None

    @property
    def name(self) -> str:
        """The control with its element, control@element; the control alone where it is one of a plane."""
        return f"{self.control}@{self.element}" if self.element else self.control


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """An accepted risk: the accepted score, the reason, and the expiry.

    `ticket` and `due` say where its treatment is tracked, and by when it is to be treated.
    """

    threat: str
    element: str
    risk: int
    reason: str
    owner: str
    expires: datetime.date
    place: Place
    ticket: str = ""
    due: datetime.date | None = None

    @property
    def name(self) -> str:
        """What it accepts, as check names it: the id of a finding."""
        return f"{self.threat}@{self.element}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """An element that an invariant does not apply to, with the owner, the reason and the expiry."""

    invariant: str
    element: str
    reason: str
    owner: str
    expires: datetime.date
    place: Place
    ticket: str = ""

    @property
    def name(self) -> str:
        """What it exempts, as check names it: invariant@element."""
        return f"{self.invariant}@{self.element}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """A threat that is not looked for, with the owner, the reason and the expiry; from a configuration."""

    threat: str
    reason: str
    owner: str
    expires: datetime.date
    place: Place
    element: str = ""
    ticket: str = ""

    @property
    def name(self) -> str:
        """What it leaves out, as check names it."""
        return self.threat


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """A rule of the team's own over every element of a kind: conditions as text, each with its place.

    `applies` ('' for every element) says of which elements `holds` is asked.
    """

    id: str
    kind: Kind
    applies: str
    applies_at: Place
    holds: str
    holds_at: Place
    severity: str
    message: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """The author's own likelihood or impact for one finding."""

    threat: str
    element: str
    likelihood: int | None
    impact: int | None
    reason: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFile:
    """A file that a model names as its evidence.

    `kind` is one of `file.EVIDENCE_KINDS`; `path` is as written.  Of infrastructure code, `resources` are the names
    that the author gives for elements, and `every_function` says that all its functions belong to the model;
    `parameters` is the file with the values that its deployment gives, and `stage` what is deployed; files of the same
    `environment` are deployed side by side, and `deployed` names answers of AWS about a template's stack.  Of a probe,
    `function` is whose handler was probed, `code` the handler's folder as written ('' for the result's own), `days`
    how long its result is evidence (None: as long as the probe says), and `free` variables that may have any value.
    Of code (a folder), `function` is whose it is ('' for all that are there).  Of another tool's result, `control`
    is the file with a planted fault.
    """

    kind: str
    path: str
    place: Place
    resources: Mapping[str, tuple[str, Place]] = field(default_factory=dict)
    every_function: bool = False
    parameters: str = ""
    stage: str = ""
    environment: str = ""
    function: str = ""
    code: str = ""
    days: int | None = None
    free: tuple[str, ...] = ()
    deployed: tuple[str, ...] = ()
    control: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A whole model.

    `nodes` holds functions, apis, stores, queues, secrets and the planes described, by id; `flows` facts stated of
    derived flows, by flow id; `libraries` are the folders of the team's own threats and controls, links resolved.
    `owners` gives the addresses of the owners of acceptances and statements about controls, by name;
    `file_owners` who answers for the model and for each file that it uses, by the file's name.
    """

    name: str
    description: str
    owner: str
    scope: str
    risk_tolerance: str
    assumptions: tuple[str, ...]
    nodes: Mapping[str, Node]
    data: Mapping[str, DataItem]
    externals: Mapping[str, External]
    boundaries: Mapping[str, AuthorBoundary]
    flows: Mapping[str, tuple[Place, Mapping[str, Statement]]]
    controls: tuple[ControlStatement, ...]
    acceptances: tuple[Acceptance, ...]
    ratings: tuple[Rating, ...]
    evidence: tuple[EvidenceFile, ...]
    libraries: tuple[Path, ...]
    file: str
    text: str
    owners: Mapping[str, str] = field(default_factory=dict)
    invariants: tuple[Invariant, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    longest_terms: LongestTerms = field(default_factory=LongestTerms)
    file_owners: Mapping[str, str] = field(default_factory=dict)

    def reached(self, owner: str) -> str:
        """An owner with the address that the model gives: 'payments-platform <payments@example.com>'."""
        address = self.owners.get(owner, "")
        return f"{owner} <{address}>" if address else owner

    @property
    def revision(self) -> str:
        """The first twelve digits of the file's SHA-256."""
        from threatmodel.reading.files import digest

        return digest(self.text)
