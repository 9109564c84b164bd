"""CloudFormation's functions (`Ref`, `Fn::Sub`, `Fn::If` ...): what they come to, as far as the template tells."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from threatmodel.reading.problems import Place, quoted
from threatmodel.reading.values import dataclass
from threatmodel.stacks.cloudformation.names import Names, Resolved
from threatmodel.stacks.texts import joined
from threatmodel.stacks.values import ALWAYS, Link, List, Node, Scalar, Table, Unknown, as_text, entries, same, text

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")


@dataclass(kw_only=True)
class Scope(Names):
    """What nodes come to where names mean what they mean in one template."""

    # --- nodes

    def node(self, node: Node) -> Resolved:
        """The node with everything in it looked up."""
        if isinstance(node, Table):
            if len(node.entries) == 1:
                ((name, argument),) = node.entries.items()
                if name == "Ref" or name[:4] == "Fn::":
                    return self.called(name, argument, node.place)
            return self.mapping(node)
        if isinstance(node, List):
            return self.sequence(node)
        return node

    def mapping(self, node: Table) -> Node:
        """A mapping with everything in it looked up; unknown where a macro or a loop adds to it."""
        changed: dict[str, Node] | None = None
        for name, child in node.entries.items():
            if name[:4] == "Fn::":
                return Unknown(made_by(name), node.place, choices=ALWAYS)
            if child.__class__ is Scalar:
                continue
            new = self.node(child)
            if new is child:
                continue
            if changed is None:
                changed = dict(node.entries)
            if new is None and self.keeps_nothing:
                changed[name] = Scalar(None, child.place)
            elif new is None:
                del changed[name]
            else:
                changed[name] = new
        return node if changed is None else Table(changed, node.place, node.keys)

    def sequence(self, node: List) -> List:
        """A list with everything in it looked up."""
        found = []
        changed = False
        for child in node.items:
            new = self.node(child)
            changed |= new is not child
            if new is not None:
                found.append(new)
        return List(tuple(found), node.place) if changed else node

    def called(self, name: str, argument: Node, place: Place) -> Resolved:
        """What a function comes to."""
        function, before = _FUNCTIONS.get(name), len(self.read)
        found = Unknown(made_by(name), place) if function is None else function(self, argument, place)
        if isinstance(found, Unknown):  # whatever was read for it may decide it
            return found._replace(choices=frozenset(self.read[before:]).union(found.choices or ()))
        return found

    def ref(self, argument: Node, place: Place) -> Resolved:
        """`Ref`: a resource, a parameter, or what AWS fills in."""
        name = text(argument)
        return Unknown("what it refers to is not written out", place) if name is None else self.named(name, place)

    def get_att(self, argument: Node, place: Place) -> Node:
        """`Fn::GetAtt`, as a text with a dot or as a list."""
        if isinstance(argument, List):
            parts = [text(self.node(part)) for part in argument.items]
            name, attribute = parts if len(parts) == 2 else (None, None)  # noqa: PLR2004 - a name and its attribute
        else:
            name, _, attribute = (text(argument) or "").partition(".")
        if not name or not attribute:
            return Unknown("what it refers to is not written out", place)
        return self.attribute(name, attribute, place)

    # --- texts

    def sub(self, argument: Node, place: Place) -> Node:
        """`Fn::Sub`, with or without separate variables."""
        pattern, own = argument, None
        if isinstance(argument, List) and len(argument.items) == 2:  # noqa: PLR2004 - the text and its variables
            pattern, own = argument.items[0], argument.items[1]
        written = text(pattern)
        if written is None:
            return Unknown("the text is not written out", place)
        variables = entries(own)
        known: dict[str, Resolved] = {}
        pieces: list[Node | str] = []
        at = 0
        for found in _VARIABLE.finditer(written):
            pieces.append(written[at : found.start()])
            at = found.end()
            name = found[1].strip()
            if not name or name[0] == "!":
                pieces.append(f"${{{name[1:]}}}")
                continue
            if name not in known:
                known[name] = self.variable(name, variables, place)
            value = known[name]
            if value is not None:
                pieces.append(value)
        return joined([*pieces, written[at:]], place, self.work)

    def variable(self, name: str, own: Mapping[str, Node], place: Place) -> Resolved:
        """What a variable in the text of `Fn::Sub` stands for."""
        if name in own:
            return self.node(own[name])
        head, dot, attribute = name.partition(".")
        return self.attribute(head, attribute, place) if dot else self.named(name, place)

    def join(self, argument: Node, place: Place) -> Node:
        """`Fn::Join`."""
        between, listed = self.pair(argument)
        separator = text(between)
        if isinstance(listed, Unknown):
            return Unknown(listed.why, place, None, listed.given)
        if separator is None or not isinstance(listed, List):
            return Unknown("what is joined is not written out", place)
        if _may_be_shorter(argument, listed.items):
            return Unknown("it depends on a condition", place)
        pieces: list[Node | str] = []
        for item in listed.items:
            pieces += [separator, item] if pieces else [item]
        return joined(pieces, place, self.work)

    def split(self, argument: Node, place: Place) -> Node:
        """`Fn::Split`."""
        between, whole = self.pair(argument)
        separator, written = text(between), text(whole)
        if isinstance(whole, Unknown):
            return Unknown(whole.why, place, None, whole.given)
        if isinstance(whole, Link):
            return Unknown(f"it is a part of an attribute of {quoted(whole.resource)}", place)
        if not separator or written is None or "${AWS::" in written:
            return Unknown("it is a part of a text that is known at deployment", place)
        if not (self.work.characters(len(written)) and self.work.values(written.count(separator))):
            return Unknown(self.work.why, place)
        given = whole.given if isinstance(whole, Scalar) else ()
        return List(tuple(Scalar(part, place, given) for part in written.split(separator)), place, given)

    # --- lists and mappings

    def select(self, argument: Node, place: Place) -> Node:
        """`Fn::Select`."""
        index, listed = self.pair(argument)
        if isinstance(listed, Unknown):
            return Unknown(listed.why, place, None, listed.given)
        if isinstance(listed, Link):
            return Unknown(f"it is a part of an attribute of {quoted(listed.resource)}", place)
        digits = as_text(index) if isinstance(index, Scalar) else ""
        if not isinstance(listed, List) or not re.fullmatch("[0-9]{1,6}", digits) or int(digits) >= len(listed.items):
            return Unknown("which item is meant is not written out", place)
        if not self.work.values(int(digits)):
            return Unknown(self.work.why, place)
        if _may_be_shorter(argument, listed.items[: int(digits)]):
            return Unknown("it depends on a condition", place)
        found = listed.items[int(digits)]
        return found._replace(place=place) if isinstance(found, Scalar) and found.given else found

    def find_in_map(self, argument: Node, place: Place) -> Resolved:
        """`Fn::FindInMap`, with a default or without."""
        items = argument.items if isinstance(argument, List) else ()
        keys = [self.node(item) for item in items[:3]] if len(items) > 2 else [None]  # noqa: PLR2004 - the mapping and two keys
        given = tuple(dict.fromkeys(name for key in keys if isinstance(key, Scalar) for name in key.given))
        names = [as_text(key) for key in keys if isinstance(key, Scalar)]
        if len(names) != 3 or any("${AWS::" in name for name in names):  # noqa: PLR2004 - the mapping and two keys
            unknown = next((key for key in keys if isinstance(key, Unknown)), None)
            why = "it depends on where it is deployed" if len(names) == len(keys) else "which entry is not written out"
            why = unknown.why if unknown else why
            return Unknown(why, place, None, unknown.given if unknown else ())
        found: Node | None = self.mappings
        for name in names:
            found = found.entries.get(name) if isinstance(found, Table) else None
        if found is None:
            return self.not_in_map(names, given, items[3:], place)
        if isinstance(found, List) and all(isinstance(one, Scalar) for one in found.items):
            enough = self.work.values(len(found.items))
        elif isinstance(found, Scalar):
            enough = self.work.characters(len(text(found) or ""))
        else:
            return Unknown("what the mapping has is no text and no list", place)
        return (found._replace(given=given) if given else found) if enough else Unknown(self.work.why, place)

    def not_in_map(self, names: list[str], given: tuple[str, ...], rest: tuple[Node, ...], place: Place) -> Resolved:
        """What `Fn::FindInMap` comes to where nothing is in the mapping."""
        if rest and isinstance(rest[0], Table) and "DefaultValue" in rest[0].entries:
            return self.node(rest[0].entries["DefaultValue"])
        mappings = self.mappings.entries if self.mappings else {}
        if names[0] not in mappings and not given:
            self.missing(f"no mapping is called {quoted(names[0])}", names[0], mappings, place)
        return Unknown("the mapping does not have it", place, None, given)

    def condition(self, argument: Node, place: Place) -> Resolved:
        """`Fn::If`: one of two, where the condition is decided or both are the same."""
        items = argument.items if isinstance(argument, List) else ()
        name = text(items[0]) if len(items) == 3 else None  # noqa: PLR2004 - the condition and two values
        if name is None or self.conditions is None:
            return Unknown("it depends on a condition", place)
        truth = self.truth(name, place)
        if truth.sure is not None:
            return self.node(items[1 if truth.sure else 2])
        yes, no = self.node(items[1]), self.node(items[2])
        if same(yes, no):
            return yes
        usual = None if truth.usual is None else (yes if truth.usual else no) or Scalar(None, place)
        return Unknown(
            f"it depends on the condition {quoted(name)}", place, usual.usual if isinstance(usual, Unknown) else usual
        )

    def length(self, argument: Node, place: Place) -> Node:
        """`Fn::Length`."""
        listed = self.node(argument)
        if (
            not isinstance(listed, List)
            or not self.work.values(len(listed.items))
            or any(isinstance(one, Unknown) for one in listed.items)
        ):
            return Unknown("how many items a list has", place)
        return Scalar(len(listed.items), place, listed.given)

    def pair(self, argument: Node) -> tuple[Resolved, Resolved]:
        """A function's two arguments."""
        if not isinstance(argument, List) or len(argument.items) != 2:  # noqa: PLR2004 - exactly what is promised
            return None, None
        return self.node(argument.items[0]), self.node(argument.items[1])

    # --- what the template does not tell

    def imported(self, argument: Node, place: Place) -> Node:
        """`Fn::ImportValue`: another stack's, named as the template writes it."""
        called = self.node(argument)
        if isinstance(argument, Table):
            argument = argument.entries.get("Fn::Sub", argument)
        name = text(argument)
        alias = "" if name is None else f" as {quoted(name)}"
        words = "-".join(re.findall(r"[A-Za-z0-9_.]+", name or ""))
        return Unknown(f"it is imported from another stack{alias}", place, imported=words, imports=called)

    def encoded(self, argument: Node, place: Place) -> Resolved:
        """`Fn::Base64` and `Fn::ToJsonString`: what they encode."""
        found = self.node(argument)
        return found._replace(place=place) if isinstance(found, Scalar) else found

    def at_deployment(self, _argument: Node, place: Place) -> Node:
        """A function whose result is known only after the deployment."""
        return Unknown("it is known at deployment", place)


_FUNCTIONS: Mapping[str, Callable[[Scope, Node, Place], Resolved]] = {
    "Ref": Scope.ref,
    "Fn::Base64": Scope.encoded,
    "Fn::Cidr": Scope.at_deployment,
    "Fn::FindInMap": Scope.find_in_map,
    "Fn::GetAtt": Scope.get_att,
    "Fn::GetAZs": Scope.at_deployment,
    "Fn::If": Scope.condition,
    "Fn::ImportValue": Scope.imported,
    "Fn::Join": Scope.join,
    "Fn::Length": Scope.length,
    "Fn::Select": Scope.select,
    "Fn::Split": Scope.split,
    "Fn::Sub": Scope.sub,
    "Fn::ToJsonString": Scope.encoded,
}


def made_by(function: str) -> str:
    """Why what a function makes cannot be determined."""
    if function.startswith("Fn::ForEach"):
        return "a loop makes it"
    return "a macro makes it" if function == "Fn::Transform" else f"nothing is known of the function {quoted(function)}"


def _may_be_shorter(argument: Node, found: tuple[Node, ...]) -> bool:
    """Whether some of the items found in a function's second argument may not be there: it has conditions."""
    listed = argument.items[1] if isinstance(argument, List) else None
    return (
        isinstance(listed, List)
        and any(isinstance(item, Unknown) for item in found)
        and any(isinstance(item, Table) and "Fn::If" in item.entries for item in listed.items)
    )
