"""The classes of pytm with the facts of a model as declared attributes: a typo raises, `--describe Lambda` lists them.

Four surprises of pytm 1.4.0 are left out: `check()` overwrites what was set on a flow, equality walks the whole model,
names break out of diagrams, and stores are pictures at a path of the machine that wrote the DOT.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

import pytm
from pydantic import AfterValidator, Field, StrictBool, StrictInt, StrictStr, create_model

from threatmodel.library.entries import Library
from threatmodel.model.vocabulary import FACTS, KINDS, FactRow
from threatmodel.pytm_model.terms import CLASSES, PARTIES, attribute
from threatmodel.reading.grouping import grouped
from threatmodel.reading.problems import quoted, suggestion
from threatmodel.reading.shape import Flag, Number, Word
from threatmodel.render.text import dot, html, one_line, plantuml

_LABEL_WIDTH = 18


def _sparing(plain: Callable[[Any, str, object], None]) -> Callable[[Any, str, object], None]:
    """The method by which `check()` sets defaults, sparing what was set before; what it sets it may set again."""

    def _safeset(self: Any, attr: str, value: object) -> None:
        if attr not in self.model_fields_set:
            plain(self, attr, value)
            self.model_fields_set.discard(attr)

    return _safeset


class _Kept:
    """An element that keeps what was set, equals only itself, and whose name stays a name in DOT and PlantUML."""

    _safeset = _sparing(pytm.Element._safeset)  # noqa: SLF001 - there is no public way to keep what was set

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self: Any) -> int:
        return hash(self.uuid)

    def display_name(self: Any) -> str:
        """The name as a sequence diagram writes it, with the flow's number."""
        return _number(self) + plantuml(self.name)

    def _label(self: Any) -> str:
        lines: list[str] = textwrap.wrap(_number(self) + one_line(self.name), _LABEL_WIDTH)
        if isinstance(self, pytm.Lambda | pytm.Boundary):
            return "<br/>".join(html(line) for line in lines)
        return "\\n".join(dot(line) for line in lines)


class _Cylinder(_Kept):
    """A store drawn by Graphviz: pytm's is a picture at a place on the machine that wrote the DOT."""

    _dfd_template = pytm.Element._dfd_template  # noqa: SLF001 - that of elements without a picture

    def _shape(self) -> str:
        return "cylinder"


def _number(element: Any) -> str:
    order = getattr(element, "order", -1)
    return "" if order == -1 else f"({order}) "


class _Controls(pytm.Controls):
    """Controls that keep what was set, too."""

    _safeset = _sparing(pytm.Controls._safeset)  # noqa: SLF001 - as above


def _attributes(kinds: Iterable[str]) -> dict[str, Any]:
    """The facts of these kinds as fields of a class: None until they are set."""
    rows = grouped((row.name, row) for kind in kinds for row in FACTS[kind].values())
    return {name: (_type(found) | None, Field(None, description=_meaning(found))) for name, found in rows.items()}


def _type(rows: list[FactRow]) -> Any:
    """The type of a fact that one or more kinds have."""
    words = [row.shape for row in rows if isinstance(row.shape, Word)]
    if words:
        return Annotated[StrictStr, AfterValidator(_word_of(words))]
    types = {Flag: StrictBool, Number: StrictInt}
    return types[type(rows[0].shape)]


def _word_of(shapes: list[Word]) -> Callable[[str], str]:
    def checked(word: str) -> str:
        if any(shape.takes(word) for shape in shapes):
            return word
        known = [known for shape in shapes for known in shape.words]
        raise ValueError(f"{quoted(word)} is not one of {', '.join(known)} {suggestion(word, known)}".rstrip())

    return checked


def _meaning(rows: list[FactRow]) -> str:
    if len(rows) == 1:
        return f"{rows[0].meaning} ({rows[0].type})"
    return "\n".join(f"{row.kind}: {row.meaning} ({row.type})" for row in rows)


def _class(name: str) -> Any:
    """The class of pytm of that name, with our facts as attributes.  The name stays: pytm prints it."""
    kinds = [kind for kind in KINDS if CLASSES[kind] == name]
    whose = f" ({', '.join(kinds)})" if kinds else ""
    return create_model(
        name,
        __base__=(_Cylinder if name == "Datastore" else _Kept, getattr(pytm, name)),
        __module__=__name__,
        __doc__=f"pytm's {name}{whose} with the facts of the model as attributes.",
        __cls_kwargs__={"extra": "forbid", "use_attribute_docstrings": False},
        element_id=(StrictStr, Field("", description="its id in the model: findings are threat@id")),
        element_kind=(StrictStr, Field("", description="its kind in the model, or nothing")),
        **_attributes(kinds),
    )


ELEMENTS: Mapping[str, Any] = {name: _class(name) for name in dict.fromkeys([*CLASSES.values(), *PARTIES.values()])}
"""The classes of a model's elements and flows, by pytm's name."""


def controls_class(library: Library) -> Any:
    """The class of `controls` for a library: an attribute for each of its controls that says in what state it is."""
    fields: dict[str, Any] = {
        attribute(control.id): (StrictStr, Field("", description=f"{control.title} (its state, or nothing)"))
        for control in library.controls.values()
    }
    forbid = {"extra": "forbid"}
    return create_model("Controls", __base__=_Controls, __module__=__name__, __cls_kwargs__=forbid, **fields)
