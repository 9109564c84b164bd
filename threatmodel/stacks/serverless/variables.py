"""The variables of a serverless.yml (`${self:custom.table, 'orders'}`): what they come to, as far as the file tells.

What the command line or the environment may change is a parameter: with a default it has that value, and is named in
`given`; without one it is unknown.  What is in files beside it is read; in other stacks and services it is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from threatmodel.reading.problems import Place, quoted
from threatmodel.reading.values import dataclass, field
from threatmodel.stacks.assumed import DEFAULTS, Assumed
from threatmodel.stacks.serverless.included import Included
from threatmodel.stacks.serverless.spelling import alternatives_of, literal, variables_in
from threatmodel.stacks.stack import Parameter
from threatmodel.stacks.texts import joined
from threatmodel.stacks.values import Link, List, Node, Scalar, Table, Unknown, is_null, rebuilt, size
from threatmodel.stacks.work import Work

_TIMES = 16
"""How often what variables make is looked at again: it counts as much more."""
_DEEPEST = 60
_LONGEST_NAME = 200

_SOURCE = re.compile(r"([A-Za-z][\w-]*)(?:\(([^)]*)\))?(?::(.*))?\Z", re.DOTALL)
_FILE = re.compile(r"\$\{file\([^()]*\)\}\Z")
"""A variable that is a whole file."""
_ASKED = {
    "env": "the environment variable {} is read at deployment",
    "opt": "the option {} is given at deployment",
    "param": "the parameter {} is given at deployment",
}
"""What can be set at deployment: why it is not known, by source."""
_ELSEWHERE = {
    "ssm": "it is read from the Parameter Store at deployment",
    "cf": "it is an output of another stack",
    "s3": "it is read from a bucket at deployment",
    "git": "it is read from the repository's state",
    "aws": "it is known at deployment",
    "sls": "it is known at deployment",
    "vault": "it is read from a vault at deployment",
    "terraform": "it is an output of Terraform's",
    "output": "it is an output of another service",
}
_PSEUDO = {"accountId": "AWS::AccountId", "region": "AWS::Region", "partition": "AWS::Partition"}
_FROM_STORE = "AWS::SSM::Parameter::Value<String>"
_SELF_DEFAULTS = {"provider.stage": "dev"}
_NOTHING = None
_TOO_DEEP = "the variables lead too deep"


@dataclass(slots=True)
class Variables:
    """The variables of one file."""

    root: Table
    assumed: Assumed = DEFAULTS
    included: Included | None = None
    parameters: dict[str, Parameter] = field(default_factory=dict)
    work: Work = field(default_factory=Work)
    _found: dict[str, Node | None] = field(default_factory=dict)
    _open: set[str] = field(default_factory=set)

    # --- nodes

    def node(self, node: Node, depth: int = 0) -> Node:
        """The node with every variable in it replaced; the same node where there is none."""
        match node:
            case Scalar(value=str() as value) if "${" in value:
                return self.text(value, node.place, depth)
            case Table() | List() if depth > _DEEPEST:
                return Unknown("it is nested too deeply", node.place)
            case _:
                return rebuilt(node, lambda child: self.node(child, depth + 1))

    def at(self, path: str, depth: int = 0) -> Node | None:
        """What is at a path such as ``custom.table``, with its variables replaced; None where nothing is."""
        found = self._below(path, self.root, path, depth)
        return Scalar(_SELF_DEFAULTS[path], self.root.place) if found is None and path in _SELF_DEFAULTS else found

    def in_file(self, written: str, path: str, place: Place, depth: int) -> Node | None:
        """What is at a path in a file that this one includes; None where nothing is."""
        if self.included is None:
            return Unknown("it is in another file", place)
        root = self.included.root(written, place)
        return root if isinstance(root, Unknown) else self._below(f"file({written}):{path}", root, path, depth)

    def _below(self, key: str, root: Node, path: str, depth: int) -> Node | None:
        """What is at a path below a node; `key` is what that is remembered as."""
        if key in self._found:
            return self._found[key]
        if key in self._open:
            return Unknown("it refers to itself", root.place)
        if depth > _DEEPEST:
            return Unknown(_TOO_DEEP, root.place)
        self._open.add(key)
        try:
            found = self._looked_up(root, path, depth)
        finally:
            self._open.discard(key)
        self._found[key] = found
        return found

    def _looked_up(self, root: Node, path: str, depth: int) -> Node | None:
        node: Node | None = root
        steps = path.split(".") if path else []
        for index, step in enumerate(steps):
            if isinstance(node, Scalar) and isinstance(node.value, str) and "${" in node.value:
                written = node.value
                node = self.node(node, depth + 1)
                if isinstance(node, Unknown) and _FILE.match(written):  # the same as at that path of the file itself
                    return self.text(f"{written[:-1]}:{'.'.join(steps[index:])}}}", node.place, depth + 1)
            match node:
                case Table(entries=entries):
                    node = entries.get(step)
                case List(items=items) if step.isascii() and step.isdigit() and len(step) < 7:  # noqa: PLR2004 - an index
                    node = items[int(step)] if int(step) < len(items) else None
                case Unknown():
                    return node
                case _:
                    node = None
        return None if node is None else self.node(node, depth + 1)

    @property
    def stage(self) -> Node:
        """The stage that is deployed to: an option, else what the provider says, else ``dev``."""
        default = self.at("provider.stage") or Scalar("dev", self.root.place)
        return self._asked("opt", "stage", default, default.place)

    # --- texts

    def text(self, value: str, place: Place, depth: int) -> Node:
        """What a text with variables in it comes to: one variable alone may be anything."""
        pieces: list[Node | str] = []
        last = 0
        for start, end in variables_in(value):
            if value[last:start]:
                pieces.append(value[last:start])
            found = self.variable(value[start + 2 : end - 1], place, depth)
            pieces.append(value[start:end] if found is _NOTHING else found)
            last = end
        if value[last:]:
            pieces.append(value[last:])
        if len(pieces) == 1 and not isinstance(pieces[0], str):
            return self.taken(pieces[0], place)
        return self.joined(pieces, place)

    def taken(self, node: Node, place: Place) -> Node:
        """A value at the place where a variable takes it in."""
        if isinstance(node, Table | List):
            enough = self.work.values(_TIMES * size(node, self.work.room))
            return node if enough else Unknown(self.work.why, place)
        return node._replace(place=place)

    def joined(self, pieces: Iterable[Node | str], place: Place) -> Node:
        """The text that pieces make."""
        return joined(pieces, place, self.work, _TIMES)

    # --- one variable

    def variable(self, content: str, place: Place, depth: int) -> Node | None:
        """What is between the braces: the first source that has a value.

        None where it is no variable of this kind: ``${AWS::Region}`` is CloudFormation's.
        """
        if depth > _DEEPEST:
            return Unknown(_TOO_DEEP, place)
        if not self.work.characters(_TIMES * (1 + len(content))):
            return Unknown(self.work.why, place)
        alternatives = [one.strip() for one in alternatives_of(content)]
        first = _SOURCE.match(alternatives[0])
        if "${" not in alternatives[0] and (first is None or (first[3] is None and first[2] is None)):
            return _NOTHING
        if first is not None and first[3] is not None and first[3].startswith(":"):
            return _NOTHING
        return self.first(alternatives, place, depth)

    def first(self, alternatives: list[str], place: Place, depth: int) -> Node:
        """The first of several sources that has a value."""
        if depth > _DEEPEST:
            return Unknown(_TOO_DEEP, place)
        one, rest = alternatives[0], alternatives[1:]
        word = literal(one, place)
        if word is not None:
            return word
        if one.startswith("${"):
            found: Node | None = self.text(one, place, depth + 1)
            return self.first(rest, place, depth + 1) if rest and is_null(found) else found or Scalar(None, place)
        default = self.first(rest, place, depth + 1) if rest else None
        return self.sourced(one, default, place, depth)

    def sourced(self, source: str, default: Node | None, place: Place, depth: int) -> Node:
        """What one source gives."""
        match = _SOURCE.match(source)
        kind = match[1] if match is not None else ""
        argument, address = (match[2] or "", match[3] or "") if match is not None else ("", "")
        resolved = self.address(address, place, depth)
        name = str(resolved.value).strip() if resolved is not None else ""
        if resolved is None or len(name) > _LONGEST_NAME:
            return Unknown("which variable is meant is not written out", place, default)
        match kind:
            case "self":
                nothing = Unknown(f"nothing is at {quoted(name)} in this file", place)
                return self.because(_or_else(self.at(name, depth + 1), default, nothing), resolved.given)
            case "file":
                return self._of_file(argument, name, default, place, depth)
            case "sls" if name == "stage":
                return self.stage
            case "aws" if name in _PSEUDO:
                return Scalar(f"${{{_PSEUDO[name]}}}", place)
            case "env" | "opt" | "param":
                stated = self.stated(name, depth) if kind == "param" else None
                return self._asked(kind, name, stated or default, place)
            case "ssm":
                return self._stored(name, place, default)
            case "strToBool":
                return self.as_flag(argument, place, depth)
            case _:
                why = _ELSEWHERE.get(kind.lower(), f"nothing is known of variables of the kind {quoted(kind)}")
                return Unknown(why, place, default)

    def _of_file(self, argument: str, path: str, default: Node | None, place: Place, depth: int) -> Node:
        """What is in a file whose name may hold variables."""
        resolved = self.address(argument, place, depth)
        written = str(resolved.value).strip().strip("'\"") if resolved is not None else ""
        if resolved is None or not written or len(written) > _LONGEST_NAME:
            return Unknown("which file is meant is not written out", place, default)
        found = self.in_file(written, path, place, depth + 1)
        if isinstance(found, Unknown) and path and not found.given:
            known = f"file:{path}"  # what the reader lacks, such as a file of secrets, has a name at least
            self.parameters.setdefault(known, Parameter(name=known, type="", hidden=False, value=found, place=place))
            found = found._replace(given=(known,))
        if isinstance(found, Unknown) and default is not None and found.usual is None:
            found = found._replace(usual=default)
        nothing = Unknown(f"nothing is at {quoted(path)} in {quoted(written)}", place)
        return self.because(_or_else(found, default, nothing), resolved.given)

    def address(self, address: str, place: Place, depth: int) -> Scalar | None:
        """The address of a variable, in which there may be others; None where it is not known."""
        found = self.text(address, place, depth + 1) if "${" in address else Scalar(address, place)
        return found if isinstance(found, Scalar) else None

    def because(self, node: Node, given: tuple[str, ...]) -> Node:
        """A value that is there only because of what was given: another stage has another one."""
        if not given:
            return node
        if not self.work.values(_TIMES * len(given)):
            return Unknown(self.work.why, node.place)
        match node:
            case Table() | List():
                found = rebuilt(node, lambda child: self.because(child, given))
                return found._replace(given=given) if isinstance(found, List) else found
            case Link():
                return node
            case _:
                return node._replace(given=tuple(dict.fromkeys((*node.given, *given))))

    def stated(self, name: str, depth: int) -> Node | None:
        """The value of a parameter as the file gives it, for the stage or by default."""
        stage = self.stage
        places = [f"params.default.{name}", f"stages.default.params.{name}"]
        if isinstance(stage, Scalar):
            places = [f"params.{stage.value}.{name}", f"stages.{stage.value}.params.{name}", *places]
        elif self._differ_by_stage(name, depth):
            return Unknown("it depends on the stage", self.root.place, None, ("opt:stage",))
        return next((found for path in places if (found := self.at(path, depth + 1)) is not None), None)

    def _differ_by_stage(self, name: str, depth: int) -> bool:
        """Whether some stage has its own value of a parameter."""
        by_stage = [self.at("params", depth + 1), self.at("stages", depth + 1)]
        return any(isinstance(node, Unknown) or _has_stage(node, name) for node in by_stage)

    def as_flag(self, argument: str, place: Place, depth: int) -> Node:
        """A text as yes or no."""
        found = self.text(argument, place, depth + 1) if "${" in argument else Scalar(argument.strip("'\""), place)
        word = str(found.value).lower() if isinstance(found, Scalar) else ""
        flag = {"true": True, "1": True, "false": False, "0": False, "none": False, "null": False}.get(word)
        given = found.given if isinstance(found, Scalar) else ()
        return (
            Unknown("whether it is true or false is not stated", place) if flag is None else Scalar(flag, place, given)
        )

    def _asked(self, kind: str, name: str, default: Node | None, place: Place) -> Node:
        """A value that may be set at deployment."""
        known = f"{kind}:{name}"
        why = _ASKED[kind].format(quoted(name))
        if known in self.assumed.values:
            return self._given(known, place)
        if self.assumed.open:
            if known == "opt:stage":  # it is in the names of all that is made, so that it is reported wherever it is
                self.parameters[known] = Parameter(
                    name=known, type="", hidden=False, value=Unknown(why, place), place=place
                )
            return Unknown(why, place, None, (known,))
        if known not in self.parameters:
            usual = default if isinstance(default, Scalar) else Unknown(why, place)
            self.parameters[known] = Parameter(name=known, type="", hidden=False, value=usual, place=place)
        given = tuple(dict.fromkeys((*getattr(default, "given", ()), known)))
        match default:
            case Scalar(value=value):
                return Scalar(value, place, given)
            case None:
                return Unknown(why, place, None, (known,))
            case Table() | Link():
                return Unknown(why, place, default, (known,))
            case _:
                return default._replace(given=given)

    def _given(self, known: str, place: Place) -> Node:
        """A value that the deployment gives."""
        value, stated = self.assumed.values[known], self.assumed.stated.get(known)
        found = Scalar(value, place, () if stated is not None else (known,))
        self.parameters[known] = Parameter(name=known, type="", hidden=False, value=found, place=place, stated=stated)
        return found

    def _stored(self, name: str, place: Place, default: Node | None) -> Node:
        known = f"ssm:{name}"
        value = Unknown(_ELSEWHERE["ssm"], place)
        self.parameters.setdefault(
            known, Parameter(name=known, type=_FROM_STORE, hidden=False, value=value, place=place)
        )
        return Unknown(_ELSEWHERE["ssm"], place, default, (known,))


def _or_else(found: Node | None, default: Node | None, nothing: Unknown) -> Node:
    """What a source has, else the default: also for a null, where there is one."""
    return default or nothing if found is None or (is_null(found) and default is not None) else found


def _has_stage(node: Node | None, name: str) -> bool:
    """Whether a mapping of stages names a parameter under one that is not the default."""
    if not isinstance(node, Table):
        return False
    return any(
        stage != "default" and (not isinstance(values, Table) or name in values.entries or "params" in values.entries)
        for stage, values in node.entries.items()
    )
