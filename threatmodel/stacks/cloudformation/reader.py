"""CloudFormation and SAM templates to stacks: resources with their properties looked up, as far as the text tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from threatmodel.reading.problems import InputError, Place, Problem, note, quoted
from threatmodel.reading.values import replace
from threatmodel.stacks.assumed import DEFAULTS, Assumed
from threatmodel.stacks.cloudformation import document
from threatmodel.stacks.cloudformation.conditions import LOOP, Loops, choices, decided
from threatmodel.stacks.cloudformation.deployments import with_stages
from threatmodel.stacks.cloudformation.file import is_deployed, kind_of, root_of, template_in
from threatmodel.stacks.cloudformation.including import INCLUDE, Including, with_included
from threatmodel.stacks.cloudformation.intrinsics import Scope, made_by
from threatmodel.stacks.cloudformation.names import ConditionValue
from threatmodel.stacks.cloudformation.nesting import NESTED, STACKS, Nesting, elsewhere, is_local, template_of
from threatmodel.stacks.cloudformation.parameters import parameter, unfit, unknown
from threatmodel.stacks.stack import Export, Parameter, Resource, Stack, Unread
from threatmodel.stacks.values import (
    ALWAYS,
    List,
    Node,
    Scalar,
    Table,
    Unknown,
    both,
    choices_of,
    entries,
    get,
    items,
    tables,
    text,
)
from threatmodel.stacks.work import Work

_READ_TRANSFORMS = frozenset(("AWS::Serverless-2016-10-31", "AWS::LanguageExtensions"))
_MODULE = "::MODULE"
_OWN_KEYS = frozenset(("Type", "Properties", "Condition"))
_NOTHING: Mapping[str, Node] = {}


def read(
    text: str,
    file: str,
    assumed: Assumed = DEFAULTS,
    nesting: Nesting | None = None,
    including: Including | None = None,
) -> tuple[Stack, Table | None]:
    """The stack that a template describes, and its `Globals`, looked up as well.

    `including` gives what files hold that it includes.  With `nesting`, outputs of nested stacks whose templates are
    files become links to them.  Resources of SAM's own types are written as they are: neither are `Globals` merged nor
    is anything made of them.  Raises InputError where the text is no YAML or JSON, or no template; lesser mistakes are
    in the stack's `problems`.
    """
    whole = document.parse(text, file)
    raw = template_in(whole, file)
    root = root_of(raw, file)
    taken_in = with_included(root, including) if including is not None and INCLUDE in text else root
    described = taken_in if isinstance(taken_in, Table) else root
    stack, globals_ = _Template(file, described, list(raw.problems), assumed, nesting).stack()
    resources, deployed = with_stages(stack.resources), is_deployed(whole.root, root)
    return replace(stack, resources=resources, deployed=deployed, beside=(*stack.beside, *whole.comments)), globals_


def stack_of(
    root: Table, file: str, problems: Iterable[Problem], assumed: Assumed = DEFAULTS
) -> tuple[Stack, Table | None]:
    """The same for a template that another reader puts together; `problems` are what it found before."""
    return _Template(file, root, list(problems), assumed).stack()


class _Template:
    """One template while it is read."""

    def __init__(
        self, file: str, root: Table, problems: list[Problem], assumed: Assumed, nesting: Nesting | None = None
    ) -> None:
        self.file = file
        self.nesting = nesting
        self.assumed = assumed
        self.root = root
        self.problems = problems
        self.unread: list[Unread] = []
        self.resources = self.section("Resources")
        self.loops: Mapping[str, Unknown] = {}
        self.types: dict[str, str] = {}
        if any(key.startswith(LOOP) for one in tables(root) for key in one.entries):
            self.write_loops_out()

    def write_loops_out(self) -> None:
        """Puts what loops make in their place, where their collections are known."""
        known = Scope(
            parameters=self.parameters,
            mappings=self.section("Mappings"),
            types={},
            unread=frozenset(),
            more=LOOP,
            problems=[],
            work=self.assumed.work or Work(),
        )
        loops = Loops(known.node, known.work)
        self.resources, self.loops = loops.table(self.resources)
        others = {name: loops.node(node, {}) for name, node in self.root.entries.items() if name != "Resources"}
        self.root = self.root._replace(entries={**self.root.entries, **others})

    @cached_property
    def parameters(self) -> Mapping[str, Parameter]:
        """The parameters with their values."""
        section = self.section("Parameters")
        return {
            name: parameter(name, self.declared(name, node), section.keys[name], self.assumed, self.nesting)
            for name, node in section.entries.items()
        }

    def section(self, name: str) -> Table:
        """A section, empty where it is left out."""
        node = self.root.entries.get(name)
        if node is not None and not isinstance(node, Table):
            self.wrong(node.place, f"{quoted(name)} is {kind_of(node)}; expected a mapping")
        return node if isinstance(node, Table) else Table({}, self.root.place)

    def wrong(self, place: Place, message: str, hint: str = "") -> None:
        """Notes that something is of the wrong type."""
        found = Problem(code="wrong-type", place=place, message=message, hint=hint)
        if found not in self.problems:  # a section is read again once its loops are written out
            note(self.problems, found)

    def stack(self) -> tuple[Stack, Table | None]:
        self.note_macros()
        bodies = {name: body for name in self.resources.entries if (body := self.body(name)) is not None}
        scope = self.scope()
        existing = {name: body for name, body in bodies.items() if not _never(body.entries.get("Condition"), scope)}
        self.unread = [one for one in self.unread if one.name not in bodies or one.name in existing]
        resources = {name: self.resource(name, body, scope) for name, body in existing.items()}
        globals_ = self.globals(scope)
        found = Stack(
            file=self.file,
            kind="cloudformation",
            resources=resources,
            description=self.root.entries.get("Description"),
            unread=tuple(self.unread),
            problems=tuple(self.problems),
            parameters=scope.parameters,
            undecided=tuple(choices(self.section("Conditions"), scope)),
            exports=tuple(self.exports(scope)),
            outputs=dict(self.outputs(scope)),
            beside=tuple(node for name, node in self.root.entries.items() if name != "Resources"),
        )
        return found, globals_

    def exports(self, scope: Scope) -> Iterator[Export]:
        """The outputs that other stacks may import."""
        outputs = self.root.entries.get("Outputs")
        for output in entries(outputs).values():
            if isinstance(output, Table) and {"Export", "Value"} <= output.entries.keys():
                value, name = scope.node(output.entries["Value"]), get(output.entries["Export"], "Name")
                condition = output.entries.get("Condition")
                if value is not None and not _never(condition, scope):
                    yield Export(None if name is None else scope.node(name), value, _doubt(condition, scope))

    def outputs(self, scope: Scope) -> Iterator[tuple[str, Node]]:
        """The outputs by name, for the template that nests this one."""
        found = self.root.entries.get("Outputs")
        for name, output in found.entries.items() if isinstance(found, Table) and self.nesting is not None else ():
            value = output.entries.get("Value") if isinstance(output, Table) else None
            doubt = _doubt(output.entries.get("Condition"), scope) if isinstance(output, Table) else None
            resolved = doubt or (scope.node(value) if value is not None else None)
            if resolved is not None:
                yield name, resolved

    def followed(self) -> Iterator[str]:
        """The nested stacks whose templates are files, as far as the template writes so."""
        for name, node in self.resources.entries.items() if self.nesting is not None else ():
            kind = self.types.get(name, "")
            about = entries(node)
            if kind in NESTED and is_local(template_of(kind, about.get("Properties"), about.get("Metadata"))):
                yield name

    def scope(self) -> Scope:
        """What names mean here."""
        makers = [one.name for one in self.unread if one.name not in self.resources.entries or one.name[:4] == "Fn::"]
        makers += [name for name, kind in self.types.items() if kind.endswith(_MODULE)]
        declared = [self.section(name) for name in ("Parameters", "Mappings", "Conditions")]
        own = self.nesting is None or self.nesting.handed is None
        stated = {name: node for name, node in declared[0].entries.items() if isinstance(node, Table)}
        tried = (*(unfit(name, node, self.assumed) for name, node in stated.items()), *unknown(stated, self.assumed))
        if own and (wrong := [one for one in tried if one is not None]):
            raise InputError(wrong)
        makers += [name for section in declared for name in section.entries if name[:4] == "Fn::"]
        scope = Scope(
            parameters=self.parameters,
            mappings=declared[1],
            types=self.types,
            unread=frozenset(self.resources.entries.keys() - self.types.keys()),
            more=makers[0] if makers else "",
            problems=self.problems,
            followed=frozenset(self.followed()),
            within=self.nesting.name if self.nesting is not None else "",
            stack_name=self.assumed.names.get("", "") if own else "",
            fixed=None if self.assumed.usual else frozenset(self.assumed.values),
            work=self.assumed.work or Work(),
        )
        scope.conditions = decided(declared[2], scope, self.assumed.conditions)
        return scope

    def declared(self, name: str, node: Node) -> Table:
        """What a parameter is declared as."""
        if isinstance(node, Table):
            return node
        self.wrong(node.place, f"the parameter {quoted(name)} is {kind_of(node)}; expected a mapping")
        return Table({}, node.place)

    # --- what may make other resources

    def note_macros(self) -> None:
        """Notes the macros that may change all of the template."""
        for node in items(self.root.entries.get("Transform")):
            macro = text(node.entries.get("Name")) if isinstance(node, Table) else text(node)
            if macro not in _READ_TRANSFORMS:
                self.not_read(macro or "Transform", "a macro may change all of the template", node.place)
        for name, node in self.root.entries.items():
            if name[:4] == "Fn::":
                self.not_read(name, made_by(name), node.place)
            elif name == "Modules":
                self.not_read(name, "modules make resources that stand elsewhere", node.place)

    def not_read(self, name: str, why: str, place: Place) -> None:
        """Notes something that may make resources."""
        self.unread.append(Unread(name=name, why=why, place=place))

    # --- resources

    def body(self, name: str) -> Table | None:
        """A resource as it is written, None where it cannot be read; what it says of other resources is noted."""
        node, place = self.resources.entries[name], self.resources.keys[name]
        maker = _maker(name, node)
        if maker:
            self.not_read(name, made_by(maker), place)
            return None
        if not isinstance(node, Table):
            self.wrong(node.place, f"the resource {quoted(name)} is {kind_of(node)}; expected a mapping")
        elif self.is_resource(name, node):
            kind = self.types[name] = text(node.entries["Type"]) or ""
            if kind in STACKS:
                self.not_read(name, elsewhere(kind, node), place)
            elif kind.endswith(_MODULE):
                self.not_read(name, "what a module makes is elsewhere", place)
            return node
        self.not_read(name, "it is not written as a resource is", place)
        return None

    def is_resource(self, name: str, node: Table) -> bool:
        """Whether a mapping has a type and properties; a problem where it has not."""
        kind, properties = node.entries.get("Type"), node.entries.get("Properties")
        if kind is None:
            hint = "write a type such as AWS::Lambda::Function"
            self.wrong(self.resources.keys[name], f"the resource {quoted(name)} has no 'Type'", hint)
        elif not text(kind):
            self.wrong(kind.place, f"the 'Type' of {quoted(name)} is {kind_of(kind)}; expected a text")
        elif isinstance(properties, List) or (isinstance(properties, Scalar) and properties.value is not None):
            self.wrong(
                properties.place, f"the properties of {quoted(name)} are {kind_of(properties)}; expected a mapping"
            )
        else:
            return True
        return False

    def resource(self, name: str, body: Table, scope: Scope) -> Resource:
        place = self.resources.keys[name]
        scope.read.clear()
        scope.keeps_nothing = name in scope.sam
        properties, opaque = _properties(body, place, scope)
        scope.keeps_nothing = False
        if any(key[:4] == "Fn::" for key in body.entries):
            opaque = Unknown("a macro adds to it", place, choices=ALWAYS)
        about = {
            key: found
            for key, node in body.entries.items()
            if key not in _OWN_KEYS and key[:4] != "Fn::" and (found := scope.node(node)) is not None
        }
        return Resource(
            name=name,
            type=self.types[name],
            properties=properties,
            place=place,
            doubt=both(_doubt(body.entries.get("Condition"), scope), self.loops.get(name)),
            opaque=opaque,
            about=about or None,
        )

    def globals(self, scope: Scope) -> Table | None:
        node = self.section("Globals")
        found = scope.node(node) if node.entries else None
        if isinstance(found, Unknown):
            self.not_read("Globals", found.why, found.place)
        return found if isinstance(found, Table) else None


def _never(condition: Node | None, scope: Scope) -> bool:
    """Whether a condition is decided, and does not hold."""
    conditions = scope.conditions or {}
    return conditions.get(text(condition) or "", ConditionValue()).sure is False


def _maker(name: str, node: Node) -> str:
    """The loop or macro in place of a resource, or ''."""
    if name[:4] == "Fn::":
        return name
    if not isinstance(node, Table) or "Type" in node.entries:
        return ""
    return next((key for key in node.entries if key[:4] == "Fn::"), "")


def _properties(body: Table, place: Place, scope: Scope) -> tuple[Table, Unknown | None]:
    """A resource's properties, and why there may be others."""
    raw = body.entries.get("Properties")
    nothing = Table(_NOTHING, place)
    if not isinstance(raw, Table):
        return nothing, raw if isinstance(raw, Unknown) else None
    adding = [name for name in raw.entries if name[:4] == "Fn::"]
    if len(raw.entries) == 1 and adding not in ([], ["Fn::Transform"]):
        found = scope.node(raw)
        if isinstance(found, Table) or found is None:
            return found or nothing, None
        other = Unknown("its type is not in this file", found.place, choices=choices_of(found))
        return nothing, found if isinstance(found, Unknown) else other
    if adding:
        known = Table({name: node for name, node in raw.entries.items() if name not in adding}, raw.place, raw.keys)
        opaque = Unknown(made_by(adding[0]), raw.keys[adding[0]], choices=ALWAYS)
    else:
        known, opaque = raw, None
    found = scope.mapping(known)
    return (found if isinstance(found, Table) else nothing), opaque


def _doubt(condition: Node | None, scope: Scope) -> Unknown | None:
    """What the existence of a resource depends on."""
    if condition is None:
        return None
    name = text(condition)
    if name is None:
        return Unknown("it exists under a condition that is not written out", condition.place, choices=ALWAYS)
    truth = scope.truth(name, condition.place)
    if truth.sure:
        return None
    usual = None if truth.usual is None else Scalar(truth.usual, condition.place)
    why = f"it exists only under the condition {quoted(name)}, which may be true or false"
    return Unknown(why, condition.place, usual, choices=truth.choices)
