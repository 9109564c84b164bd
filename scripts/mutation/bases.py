"""The systems that are attacked: a model, a file of infrastructure code, and what its resources bear on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml

from scripts.mutation import trees
from scripts.mutation.judging import HOME, Judgement, Mutant, Texts, judged

_SHOP = """\
name: shop
evidence:
  - {kind}: {file}
    resources: {resources}
apis: {{http: {{}}, rest: {{}}}}
stores: {{orders: {{}}}}
queues: {{jobs: {{}}, dead: {{}}}}
secrets: {{token: {{}}}}
functions:
  bot: {{}}
  list: {{}}
  worker: {{}}
account: {{}}
pipeline: {{}}
"""
_RESOURCES = {
    "template": "{http: Http, rest: Rest}",
    "serverless": "{http: HttpApi, rest: ApiGatewayRestApi}",
    "plan": "{http: aws_apigatewayv2_api.http, rest: aws_api_gateway_rest_api.shop}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """One system: `tree` is its file as data, `model` the model's path, `texts` replaces files."""

    name: str
    kind: str
    file: str
    tree: Any
    model: str
    texts: Mapping[str, str]
    about: Mapping[str, tuple[str, ...]]
    roles: Mapping[str, str]
    defaults: Mapping[str, str]
    thorough: bool

    def text(self, tree: Any) -> str:
        """The text of a file that holds a tree."""
        return json.dumps(tree, indent=1) if self.kind == "plan" else trees.written(tree)

    def files(self, tree: Any) -> dict[str, str]:
        """The files of the system, with another tree in its file of infrastructure code."""
        return {**self.texts, self.file: self.text(tree)}

    def mutant(self, weakening: str, where: str, name: str, tree: Any, weakens: tuple[str, ...]) -> Mutant:
        """The system with another tree in its file, weakened at a place by a named method."""
        return replace(self.other(weakening, where, name, partial(self.files, tree), weakens), tree=tree)

    def other(  # noqa: PLR0913, PLR0917 - what a mutant is made of
        self,
        weakening: str,
        where: str,
        name: str,
        written: Callable[[], Texts],
        weakens: tuple[str, ...] = (),
        reported: tuple[str, ...] = (),
    ) -> Mutant:
        """The system with other files, which weaken one place by a named method."""
        return Mutant(
            id=f"{self.name}/{weakening}/{where}/{name}",
            base=self.name,
            weakening=weakening,
            says=f"{where}: {name.replace('-', ' ')}",
            model=self.model,
            written=written,
            weakens=weakens,
            reported=reported,
        )


@cache
def bases() -> Mapping[str, Base]:
    """The systems by name."""
    rows = yaml.safe_load(Path(__file__).with_name("bases.yaml").read_text(encoding="utf-8"))
    return {name: _base(name, row) for name, row in rows.items()}


def _base(name: str, row: Mapping[str, Any]) -> Base:
    file, kind = row["file"], row["kind"]
    text = (HOME / file).read_text(encoding="utf-8")
    tree = json.loads(text) if kind == "plan" else trees.read(text)
    model = row.get("model", f"{Path(file).parent}/{name}.model.yaml")
    reported = _SHOP.format(kind=kind, file=Path(file).name, resources=_RESOURCES[kind])
    if beside := row.get("beside"):
        reported = (HOME / model).read_text(encoding="utf-8").replace(file, beside["file"])
        tree = trees.changed(tree, ("Globals", "Function", "CodeUri"), beside["code"])
        file = beside["file"]
    return Base(
        name=name,
        kind=kind,
        file=file,
        tree=tree,
        model=model,
        texts={model: reported},
        about={resource: tuple(elements) for resource, elements in row["about"].items()},
        roles=row.get("roles", {}),
        defaults=row.get("defaults", {}),
        thorough=row.get("thorough", False),
    )


@cache
def before(name: str) -> Judgement:
    """Return the result of a system without a change."""
    base = bases()[name]
    return judged(base.model, base.files(base.tree), reported=True)


def proven(base: Base, controls: Iterable[str], resource: str) -> tuple[str, ...]:
    """Of some controls, those that are proven on the elements on which a resource bears."""
    states = before(base.name).states
    names = (f"{control}@{element}" for control in controls for element in base.about.get(resource, ()))
    return tuple(name for name in names if states.get(name) == "proven")
