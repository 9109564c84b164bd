"""Each fact that a file shows is shown in both directions, or ONE_WAY says why one of them cannot be seen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.evidence.mappings.every_place import MAPPINGS
from tests.support import HOME
from threatmodel.evidence.mappings.format import FactMapping, Mappings
from threatmodel.library.directions import Directions, directions
from threatmodel.library.load import load_library
from threatmodel.model.vocabulary import FACTS
from threatmodel.reading.files import Files

ONE_WAY = {
    "account.long_lived_access_keys": "people and other files make keys too",
    "account.runs_microvms": "other files may run them too",
    "account.runs_managed_instances": "other files may have functions that do",
    "workspace.operational_traffic": "people may talk of operations where no alarm is sent",
    "function.keeps_workflow_state": "a workflow of another file may wait for it",
    "api.behind_cdn": "a distribution of another file may have it as its origin",
    "api.api_key_required": "an OpenAPI definition elsewhere may require a key",
    "store.retention_days": "an item of a table states its own expiry, which no file shows",
    "flow.encrypted": "whether the client verifies the certificate of a cache is in its code",
}
"""The facts of which a file can show one direction alone, and why."""
NOT_LISTED = "*"
"""Stands for whatever a property or an analysis may give."""


def values(place: FactMapping) -> set[object]:
    """The values that a place can give."""
    if place.analysis or place.value:
        return {NOT_LISTED}
    said = {place.says} if place.predicate in {"says", "otherwise"} else set()
    return {*said, *place.words.values(), *place.left_out}


def is_constant(place: FactMapping) -> bool:
    """Whether a place says the same of every resource of its types: AWS gives no choice."""
    return place.predicate in {"says", "otherwise"} and not place.source.at and not place.source.steps


def one_way(places: Mappings, ways: Directions) -> Iterator[tuple[str, str, str]]:
    """The facts that a type of resource shows in one direction alone, each as kind, name and type."""
    for kind, facts in places.facts.items():
        for name, found in facts.items():
            for type_ in places.elements.get(kind, ("",)):
                own = [one for one in found if not one.source.types or not type_ or type_ in one.source.types]
                given = {value for one in own for value in values(one)}
                if FACTS[kind][name].denied_by or NOT_LISTED in given or not own or is_constant(own[0]):
                    continue
                good = [value for value in given if ways.reassured(kind, name, value)]
                bad = [value for value in given if ways.alarms(kind, name, value)]
                if bool(good) != bool(bad) and (kind, name) in ways.tests:
                    yield kind, name, type_


@pytest.fixture(scope="module")
def ways() -> Directions:
    return directions(load_library(HOME / "threatlib", Files()))


def test_each_fact_is_seen_in_both_directions_or_says_why_not(ways: Directions) -> None:
    assert {f"{kind}.{fact}" for kind, fact, _ in one_way(MAPPINGS, ways)} == ONE_WAY.keys()


def test_a_database_that_is_only_seen_to_be_private_would_be_found(ways: Directions) -> None:
    places = MAPPINGS
    store = dict(places.facts["store"])
    words = FactMapping(store["public_address"][2].source, "words", words={"false": False})
    store["public_address"] = (words,)
    broken = Mappings(elements=places.elements, facts={"store": store}, gathered={}, answered_by={})
    assert ("store", "public_address", "AWS::RDS::DBInstance") in set(one_way(broken, ways))
