"""One library file to a threat or a control: its conditions compiled, its examples and mutants run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from threatmodel.library import examples as pins
from threatmodel.library.condition import And, Condition, ConditionError, Not, compile_condition
from threatmodel.library.contradiction import can_hold
from threatmodel.library.entries import EFFECTS, Control, ControlEffect, ControlLink, Move, Need, Threat, Weaker
from threatmodel.model.current import current_condition
from threatmodel.model.vocabulary import FACTS, FORMER_FACTS, Kind
from threatmodel.reading.problems import article, listed, quoted, suggestion
from threatmodel.reading.reader import INVALID, Entry, Fields, Reader, Value


def threat_of(reader: Reader, entries: Fields) -> Threat:
    """The threat in a file's entries; what is wrong with it becomes a note of the reader."""
    targets = plain(entries["targets"].value)
    applies = {
        kind: c for kind in targets if (c := _condition(reader, entries["applies"], kind, reassures=False)) is not None
    }
    for condition in applies.values():
        answer = pins.threat_answer(condition)
        _check_examples(reader, entries["examples"], condition.kind, answer, pins.threat_mutants(condition))
    base = (entries["likelihood"].value, entries["impact"].value)
    lowers = tuple(_moves(reader, entries, "lowers", targets, base))
    least = (  # a rule may raise again what another one has lowered
        min([base[0], *(move.likelihood for move in lowers if move.likelihood)]),
        min([base[1], *(move.impact for move in lowers if move.impact)]),
    )
    return Threat(
        id=entries["id"].value,
        title=entries["title"].value,
        do=entries["do"].value if "do" in entries else "",
        aliases=entries.several("aliases"),
        scenario=entries["scenario"].value,
        targets=targets,
        applies=applies,
        everywhere=entries["everywhere"].value if "everywhere" in entries else "",
        stride=plain(entries["stride"].value),
        likelihood=entries["likelihood"].value,
        impact=entries["impact"].value,
        why=entries["why"].value.strip(),
        links=tuple(_links(reader, entries, applies)),
        reaches=entries["reaches"].value if "reaches" in entries else "",
        by_provider="treated_by" in entries,
        first="comes" in entries,
        maps=_maps(entries["maps"].value),
        references=plain(entries["references"].value),
        place=entries["id"].key,
        raises=tuple(_moves(reader, entries, "raises", targets, least)),
        lowers=lowers,
        formerly=entries.several("formerly"),
        took_in=entries.several("took_in"),
    )


def _moves(
    reader: Reader, entries: Fields, name: str, targets: Sequence[Kind], base: tuple[int, int]
) -> Iterator[Move]:
    """The rules under 'raises' or 'lowers': each moves something its way, and the examples pin its condition."""
    sign = 1 if name == "raises" else -1
    for rule in entries[name].value if name in entries else ():
        given = {axis: rule.value[axis].value if axis in rule.value else None for axis in ("likelihood", "impact")}
        moves = [sign * (new - old) for new, old in zip(given.values(), base, strict=True) if new is not None]
        if not moves or min(moves) < 0 or not any(moves):
            now = f"likelihood {base[0]}, impact {base[1]}"
            message = f"this rule {name} nothing: the threat has {now}"
            reader.note("no-move", rule.place, message, f"state what it {name}")
            continue
        if not {"if", "because"} <= rule.value.keys():
            continue
        found: dict[str, Condition] = {
            kind: c
            for kind in targets
            if (c := _condition(reader, rule.value["if"], kind, reassures=name == "lowers")) is not None
        }
        for condition in found.values():
            _pin_move(reader, entries["examples"], condition)
        yield Move(conditions=found, because=rule.value["because"].value, **given)


def _pin_move(reader: Reader, entry: Entry, condition: Condition) -> None:
    """Asks of each mutant of a rule's condition whether one of the file's examples tells it from the original."""
    answer = pins.threat_answer(condition)
    examples = [(answer(facts), facts, place) for _, facts, place in _examples(reader, entry, condition.kind)]
    for what in pins.survivors(pins.threat_mutants(condition), examples):
        message = (
            f"no example of {article(condition.kind)} distinguishes the condition of this rule from a mutant: {what}"
        )
        reader.note("unpinned-condition", entry.key, message, "add an example whose answer changes")


def _links(reader: Reader, entries: Fields, applies: Mapping[Kind, Condition]) -> Iterator[ControlLink]:
    for control, entry in entries["controls"].value.items():
        stated = (
            {} if isinstance(entry.value, str) else {name: one for name, one in entry.value.items() if name in EFFECTS}
        )
        if isinstance(entry.value, str):
            plainly: ControlEffect = entry.value  # type: ignore[assignment]  # the shape takes no other word
            if plainly == "stops":
                message = f"'{control}' stops this threat, but there is no reason"
                reader.note("no-reason", entry.place, message, "write {stops: because ...}")
            yield ControlLink(control=control, effect=plainly, because="", place=entry.key, conditions={})
        elif len(stated) == 1:
            (effect, because), *_ = stated.items()
            found = _link_conditions(reader, entries, entry.value["if"], applies) if "if" in entry.value else {}
            yield ControlLink(
                control=control,
                effect=effect,
                because=because.value,
                place=entry.key,
                conditions=found,
                looks_at=entry.value["looks_at"].value if "looks_at" in entry.value else "",
            )
        else:
            reader.note("wrong-type", entry.place, f"'{control}' has {len(stated)} effects; expected one")


def _link_conditions(
    reader: Reader, entries: Fields, entry: Entry, applies: Mapping[Kind, Condition]
) -> dict[str, Condition]:
    """The condition of a link for each target kind, which must split the elements that the threat applies to."""
    found: dict[str, Condition] = {}
    for kind, exposed in applies.items():
        condition = _condition(reader, entry, kind)
        if condition is None:
            continue
        found[kind] = condition
        if not can_hold(And((exposed.tree, condition.tree)), kind):
            message = f"this is never true of {article(kind)} that the threat applies to: {exposed.text}"
            reader.note("contradicting-condition", entry.place, message, "correct the condition, or remove the link")
        elif not can_hold(And((exposed.tree, Not(condition.tree))), kind):
            message = f"this is true of every {kind} that the threat applies to: {exposed.text}"
            reader.note("needless-condition", entry.place, message, "remove the condition")
        else:
            _pin_move(reader, entries["examples"], condition)
    return found


def control_of(reader: Reader, entries: Fields) -> Control:
    """The control in a file's entries; what is wrong with it becomes a note of the reader."""
    scope = entries["scope"].value
    in_place = _condition(reader, entries["in_place"], scope) if "in_place" in entries else None
    needs = [
        Need(condition=condition, reason=need.value["else"].value)
        for need in (entries["needs"].value if "needs" in entries else ())
        if {"if", "else"} <= need.value.keys()
        if (condition := _condition(reader, need.value["if"], scope, reassures=False)) is not None
    ]
    conditions = [need.condition for need in needs]
    if in_place is not None or needs:
        if "examples" not in entries:
            reader.note("missing-key", entries["id"].key, "a control with a condition has no 'examples'", "add them")
        else:
            answer = pins.control_answer(in_place, conditions)
            variants = pins.control_mutants(in_place, conditions)
            _check_examples(reader, entries["examples"], scope, answer, variants)
    weaker = tuple(_weaker(reader, entries["weaker"], scope)) if "weaker" in entries else ()
    _check_weaker(reader, weaker, pins.control_answer(in_place, conditions))
    return Control(
        id=entries["id"].value,
        title=entries["title"].value,
        do=entries.get("do", entries["title"]).value,
        aliases=entries.several("aliases"),
        mitigation=entries["mitigation"].value,
        kind=entries["kind"].value,
        owner=entries["owner"].value,
        scope=scope,
        in_place=in_place,
        requires=entries.several("requires"),
        required_at=tuple(item.place for item in entries["requires"].value) if "requires" in entries else (),
        keeps_out="public" in entries,
        needs=tuple(needs),
        why=entries["why"].value.strip(),
        how={name: how.value.strip() for name, how in entries["how"].value.items()},
        maps=_maps(entries["maps"].value),
        references=plain(entries["references"].value),
        place=entries["id"].key,
        formerly=entries.several("formerly"),
        took_in=entries.several("took_in"),
        weaker=weaker,
    )


def _weaker(reader: Reader, entry: Entry, kind: Kind) -> Iterator[Weaker]:
    """What looks like a control and is not."""
    for one in entry.value:
        facts = _facts(reader, one.value["facts"].value, kind) if "facts" in one.value else {}
        if "says" in one.value and facts is not None:
            template = one.value["template"].value if "template" in one.value else ""
            yield Weaker(says=one.value["says"].value, facts=facts, template=template, place=one.place)


def _check_weaker(reader: Reader, weaker: Sequence[Weaker], answer: pins.Evaluation) -> None:
    """Check that facts that are not enough do not count as enough; templates are checked where evidence is read."""
    for one in weaker:
        if one.facts and answer(pins.facts_of(one.facts, one.place)) == "in_place":
            message = "these facts are not enough, but the condition gives 'in_place'"
            reader.note("wrong-example", one.place, message)


def _condition(reader: Reader, entry: Entry, kind: Kind, *, reassures: bool = True) -> Condition | None:
    """The condition in an entry, or None with its problem noted: at its column where the text is on one line."""
    text = current_condition(reader, entry, kind)
    try:
        return compile_condition(text, kind, reassures=reassures)
    except ConditionError as error:
        line = reader.document.text.split("\n")[entry.place.line - 1]
        start = entry.place.column - 1
        start += line[start : start + 1] in {"'", '"'}
        as_written = line.startswith(text, start)
        place = entry.place._replace(column=start + 1 + error.column) if as_written else entry.place
        reader.note(error.code, place, error.message, error.hint)
        return None


def _check_examples(
    reader: Reader,
    entry: Entry,
    kind: Kind,
    answer: pins.Evaluation,
    variants: Iterator[tuple[str, pins.Evaluation]],
) -> None:
    """Runs a file's examples, then asks of each mutant whether an example tells it from the original."""
    before = len(reader.problems)
    examples = list(_examples(reader, entry, kind))
    for (stated, _, place), found in pins.wrong_answers(answer, examples):
        reader.note("wrong-example", place, f"this example expects '{stated}', but the condition gives '{found}'")
    if len(reader.problems) > before:
        return
    for what in pins.survivors(variants, examples):
        message = f"no example of {article(kind)} distinguishes the condition from a mutant: {what}"
        reader.note("unpinned-condition", entry.key, message, "add an example whose answer changes")


def _examples(reader: Reader, entry: Entry, kind: Kind) -> Iterator[pins.Example]:
    for name, group in entry.value.items():
        for example in group.value:
            values = _facts(reader, example.value, kind)
            if values is not None:
                yield name, pins.facts_of(values, example.place), example.place


def _facts(reader: Reader, table: Fields, kind: Kind) -> dict[str, Any] | None:
    """The facts of an example by name, None where one of them is none: its problem is noted."""
    values: dict[str, Any] = {}
    for name, stated in table.items():
        fact = reader.current(name, FORMER_FACTS[kind], stated.key)
        if fact in values or (fact != name and fact in table):
            reader.both(name, fact, stated.key, table[fact].key if fact in table else stated.key)
            continue
        row = FACTS[kind].get(fact)
        if row is None:
            hint = suggestion(fact, FACTS[kind]) or f"known: {listed(FACTS[kind], 40)}"
            message = f"{quoted(fact)} is not a fact of {article(kind)}"
            reader.note("unknown-fact", stated.key, message, hint)
            values[fact] = INVALID
        elif stated.value is None:
            values[fact] = None
        else:
            mark = reader.document.mark_of(stated.place)
            values[fact] = reader.read(row.shape, stated.value, mark, f"'{fact}'")
    return None if INVALID in values.values() else values


def plain(values: Sequence[Value]) -> tuple[Any, ...]:
    """The values of a list without their places."""
    return tuple(item.value for item in values)


def _maps(entries: Fields) -> dict[str, tuple[str, ...]]:
    return {name: plain(entry.value) for name, entry in entries.items()}
