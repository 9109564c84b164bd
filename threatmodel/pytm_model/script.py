"""A graph as the plain pytm script that a pytm user would have written: it imports pytm and nothing else.

pytm's `check()` gives every flow the protocol, port and encryption of its receiver, so those are set there.  A flow
that differs is an `ExactFlow`, which puts its own back when `check()`, later, asks each element whether it is in order.

Texts of a model are printed as Python literals, or in comments of one visible line, behind the lines in which Python
looks for a file's encoding: nothing that a model says becomes code.
"""

from __future__ import annotations

import builtins
import keyword
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping

from threatmodel.graph.elements import Graph
from threatmodel.library.entries import SCENARIOS, Library
from threatmodel.pytm_model.terms import (
    CLASSES,
    PARTIES,
    UNKNOWN_LINE,
    Part,
    Rule,
    Stream,
    Terms,
    Transport,
    attribute,
    terms,
)
from threatmodel.reading.problems import in_literals
from threatmodel.render.text import one_line

_WIDTH = 110
_PIECE = re.compile(r".{1,88}(?:\s+|\Z)|.{1,88}", re.DOTALL)
"""A piece of a long text: as many whole words as fit on a line."""

_HEAD = '''\
#!/usr/bin/env python3
"""A threat model as a plain pytm script, made from a YAML model.  Run it with --dfd, --seq, --list or --json FILE.

Levels are planes: 0 runtime, 1 deployment, 2 identity.  None says that a fact is not known, or known not to be set.
"""
'''
_EXACT_FLOW = '''

class ExactFlow(Dataflow):
    """A flow whose protocol, port and encryption are not its receiver's.

    TM.check() overwrites them with the receiver's, and calls this when it has done so.
    """

    own: tuple = ("", -1, False)

    def check(self):
        self.protocol, self.dstPort, self.controls.isEncrypted = self.own
        return super().check()

'''
_CLASSES = sorted({"TM", "Classification", "Data", "Threat", *CLASSES.values(), *PARTIES.values()})
_TAKEN = frozenset({*keyword.kwlist, *keyword.softkwlist, *dir(builtins), *_CLASSES, "ExactFlow", "tm"})


def pytm_script(graph: Graph, library: Library) -> str:
    """The graph, the library's threats and the controls that facts put in place, as the text of a Python program."""
    return in_literals("\n".join([*_Script(terms(graph, library), library).lines(), ""]))


class _Script:
    """One script: what it says, and its names for elements and data."""

    def __init__(self, said: Terms, library: Library) -> None:
        self.said = said
        self.library = library
        self.names = _names([*(part.id for part in said.parts), *(datum.id for datum in said.data)])
        self.lines_in = {part.id: part.line if part.cls != "Boundary" else UNKNOWN_LINE for part in said.parts}
        self.kinds_read = {
            name for rule in said.rules if "target.element_kind" in rule.fields["condition"] for name in rule.targets
        }
        self.flow_facts = {
            name
            for threat in library.threats.values()
            if "flow" in threat.applies
            for name in threat.applies["flow"].facts
        }

    def lines(self) -> Iterator[str]:
        yield from _HEAD.splitlines()
        streams = list(self._streams())
        used = {part.cls for part in self.said.parts} | {"TM", "Classification", "Data", "Dataflow", "Threat"}
        yield from ("", *_wrapped("from pytm import (", sorted(used), ")"))
        if any(line.startswith("ExactFlow(") for line in streams):
            yield from _EXACT_FLOW.splitlines()
        yield ""
        yield from self._head()
        boundaries = [part for part in self.said.parts if part.cls == "Boundary"]
        yield from ("", "# Trust boundaries", "")
        for part in boundaries:
            yield from self._part(part)
        yield from ("", "# Elements")
        for part in self.said.parts:
            if part.cls != "Boundary":
                yield from ("", *self._part(part))
        yield from ("", "# Data", "")
        yield from self._data()
        yield from ("", "# Flows", "")
        yield from streams
        yield from ("", "# Threats, by the scenarios of the article")
        yield from self._threats()
        yield from self._controls()
        yield from ("", 'if __name__ == "__main__":', "    tm.process()")

    def _head(self) -> Iterator[str]:
        said = self.said
        fields: dict[str, str] = {"description": _text(said.description), "isOrdered": "True"}
        if said.assumptions:
            items = textwrap.indent("".join(f"{_text(each)},\n" for each in said.assumptions), "    ")
            fields["assumptions"] = f"[\n{items}]"
        yield from _call("tm = TM", [repr(said.name)], fields)

    def _part(self, part: Part) -> Iterator[str]:
        within = {"inBoundary": self.names[part.within]} if part.within else {}
        fields = {**within, **_line(part.line), **self._fields(part.cls, part.fields)}
        yield from _call(f"{self.names[part.id]} = {part.cls}", [repr(part.name)], fields)

    def _fields(self, cls: str, fields: Mapping[str, object]) -> dict[str, str]:
        shown = {name: _value(value) for name, value in fields.items()}
        if cls not in self.kinds_read:
            del shown["element_kind"]
        if cls == "Dataflow":
            return {name: text for name, text in shown.items() if name in {"inScope", "element_kind", *self.flow_facts}}
        return shown

    def _data(self) -> Iterator[str]:
        for datum in self.said.data:
            fields = {
                "description": _text(datum.description),
                "classification": f"Classification.{datum.classification}",
                **({"isPII": "True"} if datum.personal else {}),
                **({"isCredentials": "True"} if datum.credentials else {}),
            }
            yield from _call(f"{self.names[datum.id]} = Data", [repr(datum.name)], fields)

    def _streams(self) -> Iterator[str]:
        for stream in self.said.streams:
            yield from self._stream(stream)

    def _stream(self, stream: Stream) -> Iterator[str]:
        own: dict[str, str] = {}
        if stream.line != self.lines_in[stream.sink]:
            own = {"own": repr(tuple(stream.line))}
        data = {"data": "[" + ", ".join(self.names[item] for item in stream.data) + "]"} if stream.data else {}
        ends = [self.names[stream.source], self.names[stream.sink], repr(stream.name)]
        fields = {**data, **own, **self._fields("Dataflow", stream.fields)}
        yield from _call("ExactFlow" if own else "Dataflow", ends, fields)

    def _threats(self) -> Iterator[str]:
        titles = {item.id: item for item in self.library.article.scenarios}
        yield "TM._threats = ["
        for scenario in SCENARIOS:
            rules = [rule for rule in self.said.rules if rule.scenario == scenario]
            if rules:
                item = titles[scenario]
                comment = f"{item.number}. {one_line(item.title)}: {one_line(item.says)}"
                yield from (f"    # {line}" for line in textwrap.wrap(comment, _WIDTH - 6))
            for rule in rules:
                yield from _threat(rule)
        yield "]"

    def _controls(self) -> Iterator[str]:
        placed = [(part, control) for part in self.said.parts for control in part.controls]
        if placed:
            yield from ("", "# Controls that are in place, by what the model says")
        for part, control in placed:
            title = one_line(self.library.controls[control].title)
            yield f"{self.names[part.id]}.controls.{attribute(control)} = True  # {title}"


def _threat(rule: Rule) -> Iterator[str]:
    texts = {name: _text(text) for name, text in rule.fields.items() if text}
    fields = {"SID": texts.pop("SID"), "target": repr(list(rule.targets)), **texts}
    *lines, last = _call("Threat", [], fields)
    yield from (f"    {line}" for line in lines)
    yield f"    {last},"


def _line(line: Transport) -> dict[str, str]:
    """The keywords by which a receiver gives its flows their protocol, port and encryption."""
    fields = {}
    if line.protocol:
        fields["protocol"] = repr(line.protocol)
    if line.port != UNKNOWN_LINE.port:
        fields["port"] = repr(line.port)
    if line.encrypted:
        fields["controls"] = '{"isEncrypted": True}'
    return fields


# --- Python


def _names(ids: Iterable[str]) -> dict[str, str]:
    """A Python name for each id, all different."""
    found: dict[str, str] = {}
    taken = set(_TAKEN)
    for name in ids:
        base = re.sub(r"[^a-z0-9]", "_", name)
        base = f"{base}_" if base in _TAKEN else base
        tries = (base if number == 1 else f"{base}_{number}" for number in range(1, len(taken) + 2))
        found[name] = next(each for each in tries if each not in taken)
        taken.add(found[name])
    return found


def _value(value: object) -> str:
    """A literal: sets in order, so that the script is the same every time."""
    if isinstance(value, frozenset):
        return "{" + ", ".join(map(repr, sorted(value))) + "}"
    return _text(value) if isinstance(value, str) else repr(value)


def _text(text: str) -> str:
    """A string literal, cut at blanks and line breaks into pieces where it is long."""
    pieces = [piece for line in text.splitlines(keepends=True) for piece in _PIECE.findall(line)]
    if len(pieces) <= 1:
        return repr(text)
    return "\n".join(["(", *(f"    {piece!r}" for piece in pieces), ")"])


def _call(name: str, positional: list[str], fields: Mapping[str, str]) -> list[str]:
    """A call on one line where it fits, else with a line for each argument."""
    arguments = [*positional, *(f"{field}={value}" for field, value in fields.items())]
    whole = f"{name}({', '.join(arguments)})"
    if len(whole) <= _WIDTH and "\n" not in whole:
        return [whole]
    return [f"{name}(", *textwrap.indent(",\n".join(arguments) + ",", "    ").split("\n"), ")"]


def _wrapped(start: str, words: list[str], end: str) -> list[str]:
    return [start, *(f"    {word}," for word in words), end]
