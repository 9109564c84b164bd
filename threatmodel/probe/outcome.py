"""How one probe went, and what that is judged by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from threatmodel.probe.branches.taken import Taken
from threatmodel.probe.cases import Case, Send, Shown
from threatmodel.probe.events import SHAPES
from threatmodel.probe.kinds import KINDS
from threatmodel.probe.leaks import Hidden
from threatmodel.probe.protocol import Reply
from threatmodel.reading.problems import listed
from threatmodel.reading.values import dataclass, field

RAISED = frozenset({"error", "exit"})
"""How a reply ended that is an exception."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOutcome:
    """How a probe went: outcome, why in words, and at which of its requests that was seen.

    `shows` are the values of a number that its failures show; `late`: everything was rejected, but something was done.
    """

    outcome: str
    why: str = ""
    at: int = 0
    shows: tuple[Shown, ...] = ()
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a judgment rests on beside a probe's own replies.

    `genuine` is the reply to the genuine request that it is compared with, `shape` the form of the requests, `replies`
    all of the run by probe.  `twins` are replies to genuine requests of other kinds and forms, by both; `nonsense` the
    one to an unsigned body that asks for nothing, `idle` to a signed one, `unsigned` to the genuine one unsigned,
    `control` the one to a probe's own genuine request, `round_trip` the one to the genuine request written again; None
    where these were not sent.  `missing` are variables that the handler asked for and did not get, `signed` texts in
    the bodies of genuine requests, `taken` the ways that the handler's code took in the whole run.
    """

    genuine: Reply
    shape: str
    kind: str = "command"
    twins: Mapping[tuple[str, str], Reply] = field(default_factory=dict)
    control: Reply | None = None
    nonsense: Reply | None = None
    idle: Reply | None = None
    unsigned: Reply | None = None
    round_trip: Reply | None = None
    sees_effects: bool
    hidden: Hidden
    replies: Sequence[tuple[Case, Sequence[Reply]]] = field(default=())
    missing: Sequence[str] = ()
    signed: Sequence[str] = ()
    taken: Taken | None = None

    @property
    def lacking(self) -> str:
        """Which variables it lacks, where a genuine request ends in an exception, perhaps for want of them."""
        if not self.missing or self.genuine.ended not in RAISED:
            return ""
        return f"it read variables that are not set: {listed(self.missing)}"


def twin(send: Send, setting: Setting) -> Reply:
    """The genuine request that a hostile one is compared with: of its kind, through the same form."""
    if setting.control is not None:
        return setting.control
    kind = setting.kind if send.body not in KINDS else send.body
    shape = send.shape if send.shape in SHAPES else setting.shape
    if (kind, shape) == (setting.kind, setting.shape):
        return setting.genuine
    return setting.twins.get((kind, shape), setting.genuine)
