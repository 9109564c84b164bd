"""Weakenings of a CloudFormation or SAM template: every row of the table at every place, in every form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from scripts.mutation.bases import Base, proven
from scripts.mutation.forms import BY_SETTING, SOME_REGION, Form, Needs, forms, never, some_forms
from scripts.mutation.judging import Mutant
from scripts.mutation.table import NO_VALUE, Row, Weak, applied, filled, table
from scripts.mutation.trees import AGAIN, GONE, Path, at, changed

SECTIONS = ("Parameters", "Conditions", "Mappings", "Resources")


class Place(NamedTuple):
    """A property of a resource: its path, and the good value (GONE if there is none)."""

    resource: str
    path: Path
    good: Any
    inherited: bool = False


class Maker:
    """Makes the mutants of one template; `excluded` counts what would weaken nothing, by reason."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self.number = 0
        self.excluded: Counter[str] = Counter()
        self.resources: Mapping[str, Any] = at(base.tree, root_of(base))

    def mutants(self) -> Iterator[Mutant]:
        """All of them."""
        yield from self._properties()
        yield from self._existence()
        yield from self._additions()
        yield from self._unread()

    # --- properties

    def _properties(self) -> Iterator[Mutant]:
        found: dict[tuple[Path, Row], tuple[Place, list[str]]] = {}
        for name, resource in self.resources.items():
            for row in table().rows.get(resource["Type"], ()):
                carried = proven(self.base, row.rests, name)
                for place in self._places(name, resource["Type"], row):
                    if carried:
                        found.setdefault((place.path, row), (place, []))[1].extend(carried)
                    else:
                        self.excluded["no proof depends on it"] += 1
        for (_, row), (place, weakens) in found.items():
            yield from self._of(row, place, tuple(dict.fromkeys(weakens)))

    def _places(self, name: str, kind: str, row: Row) -> Iterator[Place]:
        """The property of the resource, and the default of its type that gives it, where it has none itself."""
        steps: Path = tuple(int(step) if step.isdigit() else step for step in row.path.split("."))
        path = (*root_of(self.base), name, "Properties", *steps)
        own = at(self.base.tree, path)
        defaults = self.base.defaults.get(kind)
        default = (*defaults.split("."), *steps) if defaults else ()
        inherited = at(self.base.tree, default) if defaults else GONE
        if own is not GONE or (row.add and inherited is GONE):
            yield Place(name, path, own)
        elif inherited is not GONE:
            yield Place(name, path, inherited, inherited=True)
            yield Place(name, default, inherited)

    def _of(self, row: Row, place: Place, weakens: tuple[str, ...]) -> Iterator[Mutant]:
        self.number += 1
        names = self._names(place.resource)
        worse = [
            Weak(
                value=filled(applied(one.value, place.good), names),
                weakening=one.weakening,
                needs=filled(one.needs, names),
            )
            for one in row.weak
        ]
        for number, one in enumerate(worse):
            yield self._made(place, Form(one.weakening, f"value-{number + 1}", one.value, one.needs), weakens)
        if row.settled:
            self.excluded[row.settled] += 1
            return
        if row.left_out or row.add:
            self.excluded[row.left_out or "it is missing already"] += 1
        else:
            yield from self._removed(place, weakens, plain=row.plain)
        first = worse[0] if worse else Weak(value=NO_VALUE, weakening="remove", needs={})
        if worse or not row.left_out:
            yield from self._hidden(row, place, first, weakens)

    def _removed(self, place: Place, weakens: tuple[str, ...], *, plain: bool) -> Iterator[Mutant]:
        if not place.inherited:
            yield self._made(place, Form("remove", "removed", GONE, {}), weakens)
        if not plain:
            yield self._made(place, Form("shadowed", "no-value", NO_VALUE, {}), weakens)

    def _hidden(self, row: Row, place: Place, first: Weak, weakens: tuple[str, ...]) -> Iterator[Mutant]:
        good = NO_VALUE if place.good is GONE else place.good
        if row.plain:
            self.excluded["the language allows no functions there"] += 1
        else:
            every = forms if self.base.thorough else some_forms
            for form in every(good, first.value, self.number):
                yield self._made(place, _with(form, first.needs), weakens)
        if place.good is not GONE and not place.inherited:
            yield self._made(place, Form("shadowed", "later-key", first.value, first.needs), weakens, again=True)
            yield self._shadowed_resource(place, first, weakens)

    def _shadowed_resource(self, place: Place, first: Weak, weakens: tuple[str, ...]) -> Mutant:
        """Return the mutant that has the resource again, weaker, after the good one."""
        root = root_of(self.base)
        depth = len(root) + 1
        tree = self._with_needs(self.base.tree, first.needs)
        if place.path[: len(root)] != root:  # in Globals: the whole section again
            section = place.path[0]
            weaker = changed(tree, place.path, first.value)[section]
            tree = changed(tree, (f"{section}{AGAIN}",), weaker)
        else:
            weaker = at(changed(tree, place.path, first.value), place.path[:depth])
            tree = changed(tree, (*root, f"{place.resource}{AGAIN}"), weaker)
        return self._mutant("shadowed", place, "later-resource", tree, weakens)

    def _made(self, place: Place, form: Form, weakens: tuple[str, ...], *, again: bool = False) -> Mutant:
        tree = self._with_needs(self.base.tree, form.needs)
        path = (
            (*place.path[:-1], f"{place.path[-1]}{AGAIN}") if again and isinstance(place.path[-1], str) else place.path
        )
        value = {} if form.value is GONE and place.good is GONE else form.value
        return self._mutant(form.weakening, place, form.name, changed(tree, path, value), weakens)

    # --- whole resources

    def _existence(self) -> Iterator[Mutant]:
        root = root_of(self.base)
        for name, resource in self.resources.items():
            weakens = proven(self.base, tuple(table().resources.get(resource["Type"], ())), name)
            if not weakens:
                continue
            self.number += 1
            place = Place(name, (*root, name), resource)
            turn, needs = never(self.number)
            yield self._conditional(place, f"never-{turn}", "condition-never", "Never", needs, weakens)
            yield self._conditional(place, "in-one-region", "wrong-region", "InOneRegion", SOME_REGION, weakens)
            yield self._conditional(place, "by-setting", "condition-open", "IsGood", BY_SETTING, weakens)
            if not self._is_element(name):
                yield self._mutant("remove", place, "removed", changed(self.base.tree, (*root, name), GONE), weakens)
            other = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
            tree = changed(self.base.tree, (*root, f"{name}{AGAIN}"), other)
            yield self._mutant("shadowed", place, "later-resource", tree, weakens)

    def _conditional(  # noqa: PLR0913, PLR0917 - a condition, and all that names the mutant
        self, place: Place, name: str, weakening: str, condition: str, needs: Needs, weakens: tuple[str, ...]
    ) -> Mutant:
        tree = self._with_needs(self.base.tree, needs)
        return self._mutant(weakening, place, name, changed(tree, (*place.path, "Condition"), condition), weakens)

    def _is_element(self, name: str) -> bool:
        """Return whether it is an element of the model."""
        return self.resources[name]["Type"] in ELEMENTS

    # --- resources next to an element

    def _additions(self) -> Iterator[Mutant]:
        for name, resource in self.resources.items():
            kind = KINDS.get(resource["Type"], "")
            for row in table().additions.get(kind, ()):
                weakens = proven(self.base, tuple(row["rests"]), name)
                if not weakens or resource["Type"] not in row.get("types", (resource["Type"],)):
                    continue
                self.number += 1
                for number, added in enumerate(row["each"]):
                    if not self.base.thorough and number % 2 != self.number % 2:
                        continue  # over all elements, each of them comes up
                    yield self._added(name, row, number, added, weakens)

    def _added(
        self, name: str, row: Mapping[str, Any], number: int, added: Mapping[str, Any], weakens: tuple[str, ...]
    ) -> Mutant:
        names = {**self._names(name), "added": "Added"}
        resources = {"Added": {key: value for key, value in added.items() if key != "and"}}
        if "and" in added:
            resources["AddedToo"] = added["and"]
        needs = {
            "Parameters": row.get("parameters", {}),
            "Conditions": row.get("conditions", {}),
            "Resources": filled(resources, names),
        }
        place = Place(name, (*root_of(self.base), name), None)
        tree = self._with_needs(self.base.tree, needs)
        kind = added["Type"].rpartition("::")[2]
        return self._mutant(row["as"], place, f"beside-{row['rests'][0]}-{kind}-{number + 1}", tree, weakens)

    # --- parts that are not read

    def _unread(self) -> Iterator[Mutant]:
        every: list[str] = []
        for name, resource in self.resources.items():
            kind = KINDS.get(resource["Type"], "")
            rests = {control for row in table().rows.get(resource["Type"], ()) for control in row.rests}
            rests |= set(table().resources.get(resource["Type"], ())) | set(table().beside.get(kind, ()))
            everything = proven(self.base, tuple(sorted(rests)), name)
            every += everything
            opened = proven(self.base, tuple(table().beside.get(kind, ())), name)
            self.number += 1
            for number, part in enumerate(parts(name, self.base.kind)):
                if not self.base.thorough and number % 3 != self.number % 3:
                    continue  # over all resources, every kind of part comes up
                weakens = opened if part.adds else everything
                if weakens:
                    tree = self._with_needs(self.base.tree, {"Resources": part.resources})
                    place = Place(name, (*root_of(self.base), name), None)
                    yield self._mutant("unread", place, part.name, tree, weakens)
        yield from self._macros(tuple(dict.fromkeys(every)))

    def _macros(self, weakens: tuple[str, ...]) -> Iterator[Mutant]:
        if self.base.kind != "template":
            return
        whole = Place("", (), None)
        transforms = at(self.base.tree, ("Transform",))
        known = [] if transforms is GONE else [transforms] if isinstance(transforms, str) else transforms
        for name, transform in (
            ("macro", "TeamDefaults"),
            ("include", {"Name": "AWS::Include", "Parameters": {"Location": "s3://shared/x.yaml"}}),
        ):
            tree = changed(self.base.tree, ("Transform",), [transform, *known])
            yield self._mutant("unread", whole, f"{name}-first", tree, weakens)
            tree = changed(self.base.tree, ("Transform",), [*known, transform])
            yield self._mutant("unread", whole, f"{name}-last", tree, weakens)
        include = {"Name": "AWS::Include", "Parameters": {"Location": "s3://shared/x.yaml"}}
        tree = changed(self.base.tree, ("Fn::Transform",), include)
        yield self._mutant("unread", whole, "include-on-top", tree, weakens)
        tree = changed(self.base.tree, (*root_of(self.base), "Fn::Transform"), include)
        yield self._mutant("unread", whole, "include-in-resources", tree, weakens)
        for name, resource in self.resources.items():
            rests = {control for row in table().rows.get(resource["Type"], ()) for control in row.rests if not row.add}
            if own := proven(self.base, tuple(sorted(rests)), name):
                path = (*root_of(self.base), name, "Properties", "Fn::Transform")
                tree = changed(self.base.tree, path, include)
                yield self._mutant("unread", Place(name, path, None), "include-in-properties", tree, own)

    # --- helpers

    def _names(self, name: str) -> dict[str, str]:
        return {"self": name, "role": self.base.roles.get(name, name)}

    def _with_needs(self, tree: Any, needs: Needs) -> Any:
        for section in SECTIONS:
            for name, value in needs.get(section, {}).items():
                where = root_of(self.base) if section == "Resources" else section_of(self.base, section)
                tree = changed(tree, (*where, name), value)
        return tree

    def _mutant(self, weakening: str, place: Place, name: str, tree: Any, weakens: tuple[str, ...]) -> Mutant:
        where = ".".join(str(step) for step in place.path if step not in {"Resources", "Properties", "resources"})
        return self.base.mutant(weakening, where or "the whole file", name, tree, weakens)


KINDS: Mapping[str, str] = {
    "AWS::Serverless::Function": "function",
    "AWS::Lambda::Function": "function",
    "AWS::IAM::Role": "role",
    "AWS::Serverless::Api": "api",
    "AWS::ApiGateway::RestApi": "api",
    "AWS::ApiGatewayV2::Api": "api",
    "AWS::SQS::Queue": "queue",
}
"""What an element or part of one a type is, for what is put beside it."""
ELEMENTS = frozenset({*KINDS, "AWS::DynamoDB::Table", "AWS::SecretsManager::Secret"})


class Part(NamedTuple):
    """A part that is not read and gets a resource: its name, its resources, whether it only adds."""

    name: str
    resources: Mapping[str, Any]
    adds: bool


def parts(name: str, kind: str) -> Iterator[Part]:
    """Every kind of part that may reach a resource which it is handed."""
    ref, token = {"Ref": name}, "arn:aws:lambda:eu-west-1:111122223333:function:custom"
    url = "https://s3.amazonaws.com/shared/more.yaml"

    def one(what: str, kind_of: str, properties: Mapping[str, Any], *, adds: bool) -> Part:
        return Part(what, {"Part": {"Type": kind_of, "Properties": properties}}, adds)

    yield one("nested-stack", "AWS::CloudFormation::Stack", {"TemplateURL": url, "Parameters": {"Of": ref}}, adds=True)
    yield one("custom-resource", "AWS::CloudFormation::CustomResource", {"ServiceToken": token, "Of": ref}, adds=False)
    yield one("custom-type", "Custom::Change", {"ServiceToken": token, "Name": {"Fn::Sub": f"${{{name}}}"}}, adds=False)
    yield one("private-type", "Acme::Cloud::Setting", {"Of": {"Fn::GetAtt": [name, "Arn"]}}, adds=False)
    yield one("module", "Acme::Setting::Thing::MODULE", {"Of": ref}, adds=True)
    body = {"Fn::Sub": f'{{"Resources": {{"P": {{"Type": "AWS::Any", "Properties": {{"Of": "${{{name}}}"}}}}}}}}'}
    group = [{"DeploymentTargets": {"Accounts": [{"Ref": "AWS::AccountId"}]}, "Regions": [{"Ref": "AWS::Region"}]}]
    stack_set = {
        "StackSetName": "more",
        "PermissionModel": "SELF_MANAGED",
        "TemplateBody": body,
        "StackInstancesGroup": group,
    }
    yield one("stack-set", "AWS::CloudFormation::StackSet", stack_set, adds=True)
    if kind == "template":
        yield one(
            "application", "AWS::Serverless::Application", {"Location": url, "Parameters": {"Of": ref}}, adds=True
        )
        loop = {
            "Fn::ForEach::Loop": ["Each", ["A"], {"P${Each}": {"Type": "AWS::Any::Thing", "Properties": {"Of": ref}}}]
        }
        yield Part("for-each", loop, adds=True)


def root_of(base: Base) -> Path:
    """Where the resources stand."""
    return ("resources", "Resources") if base.kind == "serverless" else ("Resources",)


def section_of(base: Base, section: str) -> Path:
    """Where parameters, conditions and mappings stand."""
    return ("resources", section) if base.kind == "serverless" else (section,)


def _with(form: Form, needs: Needs) -> Form:
    every = {section: {**form.needs.get(section, {}), **needs.get(section, {})} for section in SECTIONS}
    return form._replace(needs={section: names for section, names in every.items() if names})
