"""What names mean in one template: its parameters, resources and conditions, and what others may give a meaning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from threatmodel.reading.problems import Place, Problem, note, quoted, suggestion
from threatmodel.reading.values import dataclass, field
from threatmodel.stacks.cloudformation.nesting import NESTED
from threatmodel.stacks.stack import Parameter
from threatmodel.stacks.values import ALWAYS, Joined, Link, List, Node, Scalar, Table, Unknown, choices_of
from threatmodel.stacks.work import Work

SAM = "AWS::Serverless::"
_MADE_BY_SAM = ("ServerlessRestApi", "ServerlessHttpApi", "ServerlessDeploymentApplication", "CodeDeployServiceRole")
_PSEUDO = frozenset(
    f"AWS::{name}" for name in ("AccountId", "Partition", "Region", "StackId", "StackName", "URLSuffix")
)
STACK_NAME = "AWS::StackName"
_OF_ONE_STACK = frozenset(("AWS::StackId", STACK_NAME))
_SUGGESTIONS = 20
"""Names that a suggestion is looked for; more would cost seconds in a file that is wrong all over."""
_LONGEST_NAME = 255
Resolved: TypeAlias = "Node | None"
"""None: nothing, which is what `AWS::NoValue` leaves."""


class ConditionValue(NamedTuple):
    """What is known of a condition: what it is in any case, and what it is with the parameters' defaults.

    `choices` are those that decide it, itself among them; none where it is sure.
    """

    sure: bool | None = None
    usual: bool | None = None
    choices: frozenset[str] = ALWAYS


@dataclass(kw_only=True)
class Names:
    """What names mean in one template.

    `types` are those of its resources, `unread` the names of those that could not be read, `more` what may give other
    names a meaning ('' where nothing does).  `conditions` is None while they are looked at themselves, and `work` is
    how much functions may make.  `keeps_nothing`: what `AWS::NoValue` leaves out stays as a null, since SAM merges
    Globals before it is dropped.  `followed` are nested stacks whose templates are read, so that their outputs are
    links; `within` says which of them this template is ('' for the one that is deployed).  `fixed` are the parameters
    whose value is certain, None for all.  `read` collects the choices that were met since it was last emptied, and
    `handed` has those that decide the value of a parameter.  `stack_name` is what the deployment calls the stack, if it
    is known.
    """

    parameters: Mapping[str, Parameter]
    mappings: Table | None
    types: Mapping[str, str]
    unread: frozenset[str]
    more: str
    problems: list[Problem]
    conditions: Mapping[str, ConditionValue] | None = None
    sought: dict[str, str] = field(default_factory=dict)
    sam: frozenset[str] = frozenset()
    keeps_nothing: bool = False
    followed: frozenset[str] = frozenset()
    within: str = ""
    work: Work = field(default_factory=Work)
    fixed: frozenset[str] | None = ALWAYS
    read: list[str] = field(default_factory=list)
    handed: dict[str, frozenset[str]] = field(default_factory=dict)
    stack_name: str = ""

    def __post_init__(self) -> None:
        self.sam = frozenset(name for name, kind in self.types.items() if kind.startswith(SAM))

    def truth(self, name: str, place: Place) -> ConditionValue:
        """What is known of a condition; a problem where it is not declared."""
        conditions = self.conditions or {}
        if name not in conditions:
            self.no_condition(name, conditions, place)
        return self.met(conditions.get(name, ConditionValue()))

    def met(self, found: ConditionValue) -> ConditionValue:
        """A condition that was met, noted as read; not decided where that takes too much work."""
        if not self.work.values(len(found.choices)):
            return ConditionValue()  # like one that is too deep: nothing that is chosen decides it
        self.read += found.choices
        return found

    def choice(self, condition: str) -> str:
        """How a condition of this template is called among the choices of the whole deployment."""
        return f"?{self.within}.{condition}" if self.within else f"?{condition}"

    def no_condition(self, name: str, conditions: Iterable[str], place: Place) -> None:
        """Notes that a condition is not declared."""
        self.missing(f"no condition is called {quoted(name)}", name, conditions, place)

    def missing(self, message: str, name: str, known: Iterable[str], place: Place) -> None:
        """Notes that a name means nothing, where nothing that cannot be read may give it a meaning."""
        if self.more:
            return
        if name not in self.sought and len(self.sought) < _SUGGESTIONS:
            self.sought[name] = suggestion(name, known)
        hint = self.sought.get(name, "")
        note(self.problems, Problem(code="unknown-reference", place=place, message=message, hint=hint))

    def named(self, name: str, place: Place) -> Resolved:
        """What a name stands for."""
        if name in self.types:
            return Link(name, "", place)
        if name in self.parameters:
            if name not in self.handed:
                self.handed[name] = choices_of(self.parameters[name].value)
            self.read += self.handed[name]
            return _supplied(self.parameters[name], place)
        if name == STACK_NAME and self.stack_name:
            return Scalar(self.stack_name, place)
        if name in _PSEUDO:
            own = f".{self.within}" if self.within and name in _OF_ONE_STACK else ""
            return Scalar(f"${{{name}{own}}}", place)
        if name == "AWS::NoValue":
            return None
        if name == "AWS::NotificationARNs":
            return Unknown("it is said at deployment", place, choices=ALWAYS)
        head, dot, attribute = name.partition(".")
        if dot and head in self.sam:
            return Link(head, attribute, place)
        return self.made_elsewhere(name, "", place)

    def attribute(self, name: str, attribute: str, place: Place) -> Node:
        """What an attribute of a resource stands for."""
        kind = self.types.get(name)
        if kind is None:
            return self.made_elsewhere(name, attribute, place)
        if kind in NESTED and attribute.startswith("Outputs") and name not in self.followed:
            return Unknown(f"it is an output of the nested stack {quoted(name)}", place, choices=ALWAYS)
        return Link(name, attribute, place)

    def made_elsewhere(self, name: str, attribute: str, place: Place) -> Node:
        """What a name stands for that the template does not declare."""
        if name in self.unread:
            return Unknown(f"{quoted(name)} cannot be read", place, choices=ALWAYS)
        if self.made_by_sam(name):
            return Link(name, attribute, place)
        if self.more:
            return Unknown(f"{quoted(name)} may be made by {quoted(self.more)}", place, choices=ALWAYS)
        kind = "resource" if attribute else "resource or parameter"
        known = self.types if attribute else [*self.types, *self.parameters]
        self.missing(f"no {kind} is called {quoted(name)}", name, known, place)
        return Unknown(f"{quoted(name)} does not exist", place, choices=ALWAYS)

    def made_by_sam(self, name: str) -> bool:
        """Whether a name may be that of a resource which SAM's transform makes of another."""
        if name.startswith(_MADE_BY_SAM):
            return bool(self.sam)
        return any(name[:end] in self.sam for end in range(1, min(len(name), _LONGEST_NAME)))


def _supplied(parameter: Parameter, place: Place) -> Node:
    """A parameter's value where something refers to it."""
    given = () if parameter.stated is not None else (parameter.name,)
    match parameter.value:
        case Scalar(value=value, given=by):
            return Scalar(value, place, (*given, *by))
        case List(items=items):
            return List(items, place, given)
        case Unknown(given=by) as hidden:
            return hidden._replace(place=place, given=(*given, *by))
        case Link() | Joined() as handed:
            return handed._replace(place=place)
        case other:
            return other
