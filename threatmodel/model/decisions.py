"""What people decided: statements about controls, accepted risks, ratings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from threatmodel.model.entries import table_of, value_of
from threatmodel.model.ids import Ids
from threatmodel.model.system import (
    Acceptance,
    ControlStatement,
    Exemption,
    Invariant,
    Rating,
)
from threatmodel.model.vocabulary import PLANES
from threatmodel.reading.problems import Place, Problem
from threatmodel.reading.reader import Fields


def control_statements(ids: Ids, every: list[Fields]) -> Iterator[ControlStatement]:
    """The statements about controls of all files, each control of an element once."""
    places: dict[tuple[str, str], Place] = {}
    for entries in every:
        for statement in _controls(ids, entries):
            element = "" if statement.element in PLANES else statement.element
            first = places.setdefault((statement.control, element), statement.place)
            if first is not statement.place:
                message = f"'{statement.control}' is already stated at {first}"
                ids.note("stated-twice", statement.place, message, "keep one")
            yield statement


def _controls(ids: Ids, entries: Fields) -> Iterator[ControlStatement]:
    for name, entry in table_of(entries, "controls").items():
        fields: Fields = entry.value
        attested = fields.given("attested_by")
        missing = [key for key in ("on", "expires") if attested and not fields.given(key)]
        if missing:
            message = f"the attestation of '{name}' has no {' and no '.join(missing)}"
            ids.note("missing-key", entry.key, message, "state the day it was given and the day it ends")
        if not any(fields.given(key) for key in ("attested_by", "planned_for", "ticket", "due", "owner")):
            message = f"'{name}' says neither who attests it nor for when it is planned"
            hint = "add attested_by, on and expires, or planned_for, or whose work it is: owner, ticket, due"
            ids.note("missing-key", entry.key, message, hint)
        on, expires = value_of(fields, "on", None), value_of(fields, "expires", None)
        if on is not None and expires is not None and expires < on:
            message = f"the attestation of '{name}' ends on {expires}, before it was given on {on}"
            ids.note("wrong-period", fields["expires"].place, message, "correct one of the two dates")
        control, _, element = name.partition("@")
        yield ControlStatement(
            control=control,
            element=element,
            attested_by=value_of(fields, "attested_by"),
            on=value_of(fields, "on", None),
            expires=value_of(fields, "expires", None),
            planned_for=value_of(fields, "planned_for", None),
            note=value_of(fields, "note"),
            place=entry.key,
            owner=value_of(fields, "owner"),
            ticket=value_of(fields, "ticket"),
            due=value_of(fields, "due", None),
        )


def acceptances(ids: Ids) -> Iterator[Acceptance]:
    """Return the accepted risks."""
    for name, entry in table_of(ids.entries, "accepted_risks").items():
        fields = entry.value
        if not {"risk", "reason", "owner", "expires"} <= fields.keys():
            continue  # already noted
        threat, _, element = name.partition("@")
        values = {key: fields[key].value for key in ("risk", "reason", "owner", "expires")}
        yield Acceptance(
            threat=threat,
            element=element,
            place=entry.key,
            ticket=value_of(fields, "ticket"),
            due=value_of(fields, "due", None),
            **values,
        )


def ratings(ids: Ids) -> Iterator[Rating]:
    """Return the risks with their own ratings."""
    for name, entry in table_of(ids.entries, "ratings").items():
        fields: Fields = entry.value
        threat, _, element = name.partition("@")
        if not fields.given("likelihood") and not fields.given("impact"):
            ids.note("missing-key", entry.key, f"the rating of '{name}' rates nothing", "add likelihood or impact")
        yield Rating(
            threat=threat,
            element=element,
            likelihood=value_of(fields, "likelihood", None),
            impact=value_of(fields, "impact", None),
            reason=value_of(fields, "reason"),
            place=entry.key,
        )


def invariants(every: Sequence[Fields]) -> Iterator[Invariant]:
    """The rules of the team's own in these files, twice named ones too; what one lacks is noted already."""
    for name, entry in ((name, entry) for entries in every for name, entry in table_of(entries, "invariants").items()):
        fields: Fields = entry.value
        if not {"of", "holds", "severity", "message"} <= fields.keys():
            continue
        holds, given = fields["holds"], fields.get("if")
        yield Invariant(
            id=name,
            kind=fields["of"].value,
            applies=given.value if given is not None else "",
            applies_at=given.place if given is not None else entry.key,
            holds=holds.value,
            holds_at=holds.place,
            severity=fields["severity"].value,
            message=fields["message"].value,
            place=entry.key,
        )


def named_twice(rules: Iterable[Invariant]) -> Iterator[Problem]:
    """The invariants that bear the name of one before them: neither may hide the other, nor take its exemptions."""
    first: dict[str, Invariant] = {}
    for one in rules:
        if first.setdefault(one.id, one) is not one:
            message = f"'{one.id}' is already an invariant, at {first[one.id].place}"
            yield Problem(code="duplicate-id", place=one.place, message=message, hint="choose another id")


def exemptions(ids: Ids) -> Iterator[Exemption]:
    """Return the elements that are exempted from an invariant for a limited time."""
    for name, entry in table_of(ids.entries, "exemptions").items():
        fields: Fields = entry.value
        if {"reason", "owner", "expires"} <= fields.keys():  # what is missing is noted already
            invariant, _, element = name.partition("@")
            values = {key: fields[key].value for key in ("reason", "owner", "expires")}
            ticket = value_of(fields, "ticket")
            yield Exemption(invariant=invariant, element=element, place=entry.key, ticket=ticket, **values)
