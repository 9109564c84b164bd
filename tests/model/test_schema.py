"""The JSON Schema of model files: current, valid, and of one mind with the loader."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.model.test_load import MODELS
from tests.refusals import marked
from tests.support import HOME
from threatmodel.command.main import main
from threatmodel.graph.building import build
from threatmodel.model.file import MODEL, PLATFORM, model_schema
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError
from threatmodel.reading.reader import Reader
from threatmodel.reading.schema import json_schema
from threatmodel.reading.shape import Date, Either, Flag, Items, NamedItems, Number, Raw, Record, Shape, Text, Word
from threatmodel.reading.source import parse, read_text

SCHEMA = Draft202012Validator(model_schema())


def plain(text: str) -> Any:
    """A YAML text as a validator takes it."""
    return json.loads(json.dumps(parse(text, "f").root, default=str))


def test_file_is_what_the_command_prints(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["schema", "model"]) == 0
    assert capsysbinary.readouterr().out == (HOME / "models" / "model.schema.json").read_bytes()


def test_schema_is_valid() -> None:
    Draft202012Validator.check_schema(model_schema())


@pytest.mark.parametrize("path", sorted((HOME / "models").glob("*.yaml")), ids=lambda path: path.stem)
def test_models_are_accepted(path: Path) -> None:
    root = plain(read_text(path, path.name))
    shape = MODEL if "functions" in root else PLATFORM
    assert list(Draft202012Validator(json_schema(shape)).iter_errors(root)) == []


BEYOND_A_SCHEMA = {
    "ambiguity of apis": {"no-api", "two-apis"},
    "references": {
        "dangling-references",
        "wrong-kind-of-reference",
        "unknown-boundary",
        "unknown-flow",
        "circular-boundaries",
        "boundaries-too-deep",
    },
    "ids": {"one-id-twice", "reserved-ids"},
    "what belongs together": {
        "trigger-with-two-sources",
        "criticality-without-reason",
        "attestation-incomplete",
        "attestation-ends-before-it-begins",
        "rating-of-nothing",
        "statement-twice",
        "no-function",
        "stage-of-a-template",
        "evidence-twice",
    },
}
"""Bad models that only the loader can refuse, by what it takes to see it."""


@pytest.mark.parametrize("name", MODELS)
def test_bad_models_are_refused_by_the_editor_too(name: str) -> None:
    text, _ = marked(MODELS[name])
    errors = list(SCHEMA.iter_errors(plain(text)))
    assert bool(errors) is not any(name in names for names in BEYOND_A_SCHEMA.values())


# --- data at random, of the schema's own keys

WRONG = st.sampled_from(
    [None, True, False, 0, -1, 1.5, 10**9, "", " ", "x", "a b", "2027-03-31", [], ["x"], {}, {"x": 1}]
)


@st.composite
def values(draw: st.DrawFn, shape: Shape) -> Any:  # noqa: C901 - one case a shape
    """A value that mostly fits a shape."""
    if draw(st.integers(0, 19)) == 0:
        return draw(WRONG)
    match shape:
        case Flag():
            return draw(st.booleans())
        case Number(low, high):
            return draw(st.sampled_from([low, high, low - 1, high + 1, low + 1]))
        case Word(words):
            return draw(st.sampled_from([*words, "other"]))
        case Date():
            return draw(st.sampled_from(["2027-03-31", "2027-3-31", "31.3.2027", "2027-03-31T00:00"]))
        case Text():
            return draw(st.sampled_from(["order", "orders", "work", "x" * 121, "Größe \u202e <b>"]))
        case Items(of):
            return draw(st.lists(values(of), max_size=2))
        case Either(word, whole):
            return draw(values(draw(st.sampled_from([word, whole]))))
        case NamedItems(of):
            ids = st.sampled_from(
                ["order", "orders", "work", "threat@order", "order:orders:read", "Wrong", "slack", "a--b"]
            )
            return draw(st.dictionaries(ids, values(of), max_size=3))
        case Record():
            return draw(records(shape))
        case Raw():
            return None


@st.composite
def records(draw: st.DrawFn, shape: Record) -> dict[str, Any]:
    """A mapping with some of a record's keys, mostly the required ones among them."""
    names = {key.name for key in shape.keys if key.required and draw(st.integers(0, 9))}
    names |= set(draw(st.lists(st.sampled_from(sorted(shape.index)), max_size=3)))
    found = {name: draw(values(shape.index[name].shape)) for name in sorted(names)}
    return found | ({"unknown": 1} if draw(st.integers(0, 29)) == 0 else {})


@pytest.mark.slow
@given(records(MODEL))
@settings(max_examples=300)
def test_schema_and_reader_agree(data: dict[str, Any]) -> None:
    reader = Reader(parse(json.dumps(data), "f"))
    reader.whole(MODEL)
    assert bool(reader.problems) is not SCHEMA.is_valid(data)


@pytest.mark.slow
@given(records(MODEL))
@settings(max_examples=300)
def test_any_data_is_a_model_or_refused(tmp_path: Path, data: dict[str, Any]) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(json.dumps(data), encoding="utf-8")
    load_and_build(path)


@given(st.one_of(st.binary(), st.text().map(lambda text: text.encode(errors="surrogatepass"))))
def test_any_bytes_are_a_model_or_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "model.yaml"
    path.write_bytes(data)
    load_and_build(path)


TEXT = (HOME / "models" / "slack-lambda.yaml").read_text(encoding="utf-8").replace("uses: [platform.yaml]\n", "")


@pytest.mark.slow
@given(
    st.integers(0, len(TEXT)),
    st.integers(0, 30),
    st.sampled_from(["", " ", "\n", "[", "{}", "null", "- a", "a: ", "order-bot", "'", "#", "slack"]),
)
@settings(max_examples=200)
def test_any_mutant_of_a_model_is_a_model_or_refused(tmp_path: Path, at: int, removed: int, piece: str) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(TEXT[:at] + piece + TEXT[at + removed :], encoding="utf-8")
    load_and_build(path)


def load_and_build(path: Path) -> None:
    with contextlib.suppress(InputError):
        build(load_model(Files(), path))
