"""A genuine pytm model: what is set survives, names stay names, and pytm's command line works on it."""

from __future__ import annotations

import ast
import json
import random
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydantic
import pytest
import pytm
import pytm.pytm
from hypothesis import given
from hypothesis import strategies as st

from tests.command.test_cli import interrupted
from tests.pytm_told import told
from tests.support import ARTICLE, HOME, TODAY, assessed, control, graph_of, library_of, threat
from threatmodel.graph.elements import Graph
from threatmodel.library.condition import compile_condition
from threatmodel.library.format import Library
from threatmodel.model.facts import Fact, Statement
from threatmodel.model.vocabulary import FACTS, KINDS
from threatmodel.pytm_model.elements import ELEMENTS
from threatmodel.pytm_model.model import ThreatModel, to_pytm
from threatmodel.pytm_model.script import _text as literal
from threatmodel.pytm_model.script import pytm_script
from threatmodel.pytm_model.terms import CLASSES, attribute, terms
from threatmodel.render.draw import draw

MODEL = """\
name: Orders
data: {order: {classification: confidential, personal: true}, code: {name: order, classification: secret}}
apis: {gate: {kind: http}}
stores: {orders: {kind: dynamodb, holds: [order, code]}}
secrets: {pin: {kept_in: secrets-manager}}
functions:
  bot: {triggers: [{slack: events, api: gate}], writes: [orders], secrets: [pin], verifies_signature: true}
  old: {triggers: [], out_of_scope: it goes next week}
flows:
  "internet:gate:request": {transport: http, tcp_port: 80, encrypted: false}
"""

HOSTILE = [
    'say "hi"',
    "R&D <prod>",
    "C:\\",
    "'''; import os; os.abort() #",
    '"""); import os; os.abort()',
    "line\nimport os; os.abort()",
    "coding: utf-7",
    "+AAo-import os",
    'x"; URL="javascript:alert(1)',
    "\u202eright to left\u2066",
    "{0} {x} %s %getenv(PATH)",
    "!include /etc/passwd",
    "</i>>]; }",
    "</td><script>",
    "📦 ümläut",
    "\\N\\G\\",
    "<U+000A> ${x} #{y}",
    "a\u2028b\x85c",
    "]]>&amp;&bogus;",
]


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    return graph_of(tmp_path, MODEL)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return library_of(tmp_path, *FILES)


FILES = (
    threat("forged", "{verified: {stops: nobody else can sign}, trained: hinders}"),
    threat("anything", "{verified: hinders}", target="function", applies="true"),
    threat("eavesdropped", "{verified: contains}", target="flow", applies="target.encrypted"),
    threat("read", "{verified: contains}", target="store, queue", applies="true"),
    threat("root", "{trained: hinders}", target="account", applies="target.console_users"),
    control("verified", "target.verifies_signature"),
    control("trained", scope="organisation"),
)


def element(model: ThreatModel, name: str) -> Any:
    with model.active():
        return next(e for e in pytm.TM._elements if e.element_id == name)  # noqa: SLF001 - pytm's only list


def flows(model: ThreatModel) -> list[Any]:
    with model.active():
        return list(pytm.TM._flows)  # noqa: SLF001 - as above


def found(model: ThreatModel) -> set[tuple[str, str]]:
    model.check()
    model.resolve()
    return {(finding.threat_id, finding.element.element_id) for finding in model.findings}


# --- what it is made of


def test_elements_are_of_pytms_own_classes(graph: Graph, library: Library) -> None:
    model = to_pytm(graph, library)
    assert isinstance(model, pytm.TM)
    expected = {
        "bot": pytm.Lambda,
        "gate": pytm.Server,
        "orders": pytm.Datastore,
        "pin": pytm.Datastore,
        "account": pytm.Boundary,
        "pipeline": pytm.Process,
        "slack": pytm.ExternalEntity,
        "slack-user": pytm.Actor,
    }
    for name, cls in expected.items():
        assert type(element(model, name)).__name__ == cls.__name__
        assert isinstance(element(model, name), cls)
    assert all(isinstance(flow, pytm.Dataflow) for flow in flows(model))


def test_boundaries_nest_as_zones(graph: Graph, library: Library) -> None:
    bot = element(to_pytm(graph, library), "bot")
    assert bot.inBoundary.element_id == "execution"
    assert [b.element_id for b in bot.inBoundary.parents()] == ["account"]


def test_facts_are_attributes_and_what_is_not_known_is_none(graph: Graph, library: Library) -> None:
    bot = element(to_pytm(graph, library), "bot")
    assert bot.verifies_signature is True
    assert bot.slack_facing is True
    assert bot.in_vpc is None
    assert not element(to_pytm(graph, library), "old").inScope


def test_a_typo_or_a_wrong_value_raises(graph: Graph, library: Library) -> None:
    bot = element(to_pytm(graph, library), "bot")
    for name, value in (("verifies_signatur", True), ("verifies_signature", "yes"), ("code_signing", "enforced")):
        with pytest.raises(pydantic.ValidationError):
            setattr(bot, name, value)
    with pytest.raises(pydantic.ValidationError):
        bot.controls.verifiedd = "proven"
    bot.runtime = "python4.0"  # runtimes are an open list


def test_facts_have_no_names_of_pytms_own() -> None:
    for name in dict.fromkeys(CLASSES.values()):
        cls = getattr(pytm, name)
        taken = {*dir(cls), *cls.model_fields, "element_id", "element_kind"}
        rows = [row for kind in KINDS if CLASSES[kind] == name for row in FACTS[kind].values()]
        assert not taken & {row.name for row in rows}
        shapes = {(row.name, type(row.shape)) for row in rows}
        assert len(shapes) == len({row.name for row in rows}), "one attribute would need two types"


def test_controls_have_no_names_of_pytms_own() -> None:
    names = {attribute(path.stem) for path in (HOME / "threatlib" / "controls").glob("*/*.yaml")}
    assert names
    assert not names & {*dir(pytm.Controls), *pytm.Controls.model_fields}


def test_data_of_one_name_stay_two(graph: Graph, library: Library) -> None:
    model = to_pytm(graph, library)
    (write,) = [flow for flow in flows(model) if flow.element_id == "bot:orders:write"]
    model.check()
    assert sorted(item.description for item in write.data) == ["code", "order"]
    assert {(item.name, item.classification.name, item.isPII) for item in write.data} == {
        ("order", "SENSITIVE", True),
        ("order", "SECRET", False),
    }
    token = [item for flow in flows(model) for item in flow.data if item.description == "slack:signing-secret"]
    assert token
    assert all(item.isCredentials for item in token)


# --- checking and resolving


def test_protocol_port_and_encryption_survive_check(graph: Graph, library: Library) -> None:
    model = to_pytm(graph, library)
    lines = [(f.element_id, f.protocol, f.dstPort, f.controls.isEncrypted, f.levels) for f in flows(model)]
    stated = {name: line for name, *line, _ in lines}
    assert stated["internet:gate:request"] == ["HTTP", 80, False]
    assert stated["slack:gate:events"] == ["HTTPS", 443, True]
    assert stated["bot:bot.environment:use"] == ["in-process", -1, False]
    for _ in range(2):
        model.check()
        after = [(f.element_id, f.protocol, f.dstPort, f.controls.isEncrypted, f.levels) for f in flows(model)]
        assert after == lines


def test_what_a_user_sets_survives_and_what_nobody_set_follows_the_receiver(graph: Graph, library: Library) -> None:
    model = to_pytm(graph, library)
    flow = flows(model)[0]
    flow.controls.authenticatesDestination = True
    flow.protocol = "gRPC"
    flow.source.controls.checksDestinationRevocation = True
    model.check()
    assert flow.controls.authenticatesDestination
    assert flow.protocol == "gRPC"
    assert flow.controls.checksDestinationRevocation
    flow.source.controls.checksDestinationRevocation = False
    model.check()
    assert not flow.controls.checksDestinationRevocation


def test_threats_apply_as_the_facts_say(graph: Graph, library: Library) -> None:
    model = to_pytm(graph, library)
    encrypted = {("eavesdropped", f.element_id) for f in flows(model) if f.encrypted and f.inScope}
    assert found(model) == {("forged", "bot"), ("anything", "bot"), ("read", "orders"), *encrypted}


def test_what_is_out_of_scope_has_no_findings(graph: Graph, library: Library) -> None:
    model = to_pytm(graph, library)
    found(model)
    assert element(model, "old").findings == []
    assert [finding.threat_id for finding in element(model, "bot").findings] == ["anything", "forged"]


def test_a_second_run_finds_the_same(graph: Graph, library: Library) -> None:
    model = to_pytm(graph, library)
    assert found(model) == found(model)
    element(model, "bot").slack_facing = False
    assert ("forged", "bot") not in found(model)


def test_our_verdict_is_the_response_and_states_are_controls(tmp_path: Path, library: Library) -> None:
    assessment = assessed(tmp_path, MODEL, library, today=TODAY)
    model = to_pytm(assessment.graph, library, assessment)
    found(model)
    verdicts = {finding.id: finding.verdict for finding in assessment.findings}
    responses = {f"{f.threat_id}@{f.element.element_id}": f.response for f in model.findings}
    assert verdicts
    assert responses == verdicts
    assert element(model, "bot").controls.verified == "claimed"
    assert element(model, "organisation").controls.trained == "unknown"
    assert not element(model, "gate").controls.verified


def test_a_finding_that_waits_for_an_answer_says_so(tmp_path: Path, library: Library) -> None:
    """pytm takes what nobody stated for a no."""
    applies = {"function": compile_condition("not target.in_vpc", "function")}
    asking = replace(library, threats={"forged": replace(library.threats["forged"], applies=applies)})
    assessment = assessed(tmp_path, MODEL, asking, today=TODAY)
    model = to_pytm(assessment.graph, asking, assessment)
    assert found(model) == {("forged", "bot")}
    assert [finding.response for finding in model.findings] == ["undetermined"]


# --- one process, several models


def test_two_models_do_not_mix(graph: Graph, library: Library, tmp_path: Path) -> None:
    other = graph_of(tmp_path, "name: y\nfunctions: {alone: {triggers: []}}")
    first, second = to_pytm(graph, library), to_pytm(other, library)
    assert {name for _, name in found(second)} >= {"alone"}
    assert "alone" not in {name for _, name in found(first)}
    assert "alone" in second.dfd()
    assert "alone" not in first.dfd()
    assert pytm.TM._elements == []  # noqa: SLF001 - the registry of everybody else
    assert pytm.TM._threats == []  # noqa: SLF001 - as above
    with first.active():
        pytm.Server("cache")
    assert "cache" in first.dfd()
    assert pytm.TM._elements == []  # noqa: SLF001 - as above


def test_making_a_model_leaves_everybodys_random_numbers_alone(graph: Graph, library: Library) -> None:
    before = random.getstate()
    to_pytm(graph, library).check()
    assert random.getstate() == before


def test_the_same_model_gives_the_same_text(graph: Graph, library: Library) -> None:
    first, second = to_pytm(graph, library), to_pytm(graph, library)
    for model in (first, second):
        model.check()
    assert first.dfd() == first.dfd() == second.dfd()
    assert first.seq() == second.seq()


def test_a_threats_file_of_the_users_is_read(graph: Graph, library: Library, tmp_path: Path) -> None:
    model = to_pytm(graph, library)
    rules = [{"SID": "MINE", "target": ["Lambda"], "condition": "target.onAWS", "severity": "Low"}]
    (tmp_path / "mine.json").write_text(json.dumps(rules), encoding="utf-8")
    model.threatsFile = str(tmp_path / "mine.json")
    assert found(model) == {("MINE", "bot")}


# --- names that are not what they seem


def hostile(tmp_path: Path) -> Graph:
    lines = [f"name: {json.dumps(HOSTILE[3])}", f"assumptions: [{', '.join(map(quoted, HOSTILE))}]"]
    for section, facts in (("stores", ""), ("functions", ", triggers: [], reads: [s-0]"), ("apis", "")):
        lines.append(f"{section}:")
        lines += [f"  {section[0]}-{n}: {{name: {quoted(name)}{facts}}}" for n, name in enumerate(HOSTILE)]
    lines.append("data:")
    lines += [f"  d-{n}: {{name: {quoted(name)}, classification: public}}" for n, name in enumerate(HOSTILE)]
    lines.append("boundaries:")
    lines += [f"  b-{n}: {{name: {quoted(name)}, inside: account}}" for n, name in enumerate(HOSTILE)]
    lines.append("externals:")
    lines += [f"  e-{n}: {{name: {quoted(name)}, boundary: b-{n}}}" for n, name in enumerate(HOSTILE)]
    return graph_of(tmp_path, "\n".join(lines))


def quoted(name: str) -> str:
    """As YAML's double quotes have it."""
    return json.dumps(name, ensure_ascii=False).replace("\x85", "\\x85").replace("\u2028", "\\u2028")


def test_pytms_diagram_is_dot_whatever_the_names_are(tmp_path: Path, library: Library) -> None:
    model = to_pytm(hostile(tmp_path), library)
    model.check()
    svg = draw(model.dfd(), "svg").decode()
    assert "javascript:" not in re.sub(r"<text.*?</text>", "", svg, flags=re.DOTALL)
    assert "R&amp;D &lt;prod&gt;" in svg


def test_pytms_sequence_diagram_keeps_to_its_lines(tmp_path: Path, library: Library) -> None:
    model = to_pytm(hostile(tmp_path), library)
    model.check()
    for line in model.seq().splitlines():
        assert re.fullmatch(r'@\w+||(actor|database|entity) \w+ as "[^"%!$]*"|\w+ -> \w+: [^"%!$\[]*', line), line


def test_names_are_whole_in_json(tmp_path: Path, library: Library) -> None:
    model = to_pytm(hostile(tmp_path), library)
    model.check()
    model.resolve()
    with model.active():
        dumped = json.loads(json.dumps(model, default=pytm.pytm.to_serializable))
    names = {each["name"] for each in dumped["elements"]}
    assert names >= set(HOSTILE)


# --- pytm's command line


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a model and library of its own around the script."""
    home = tmp_path_factory.mktemp("project")
    (home / "threatmodel").symlink_to(HOME / "threatmodel")
    (home / "templates").symlink_to(HOME / "templates")
    (home / "models").mkdir()
    shutil.copy(HOME / "models" / "slack_lambda.py", home / "models")
    (home / "models" / "slack-lambda.yaml").write_text(MODEL, encoding="utf-8")
    for name, text in (("article.yaml", ARTICLE), *FILES):
        path = home / "threatlib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return home


def run(project: Path, *arguments: str, code: int = 0) -> str:
    """What the script prints, run from another folder."""
    done = subprocess.run(
        [sys.executable, str(project / "models" / "slack_lambda.py"), *arguments],
        cwd=project.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("flags", [[], ["--colormap"], ["--levels", "0", "1"]], ids=str)
def test_dfd(project: Path, flags: list[str]) -> None:
    dot = run(project, "--dfd", *flags)
    assert b"bot" in draw(dot, "svg")
    assert ("Detection" in dot) is ("--levels" not in flags)


def test_seq(project: Path) -> None:
    assert run(project, "--seq").startswith("@startuml\n")


def test_list(project: Path) -> None:
    lines = run(project, "--list").splitlines()
    assert "forged - Something bad happens to forged" in lines
    assert len(lines) == 5


@pytest.mark.slow
def test_json(project: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    assert run(project, "--json", str(path)) == ""
    data = json.loads(path.read_text(encoding="utf-8"))
    assert ("forged", "bot", "unproven") in {(f["threat_id"], f["target"], f["response"]) for f in data["findings"]}
    assert {"Lambda", "Server", "Datastore"} <= {each["__class__"] for each in data["elements"]}


def test_json_to_a_folder_that_does_not_exist(project: Path, tmp_path: Path) -> None:
    assert "No such file" in run(project, "--json", str(tmp_path / "no" / "out.json"), code=2)


def test_describe_lists_the_facts(project: Path) -> None:
    text = run(project, "--describe", "Lambda Datastore")
    assert re.search(r"^  reserved_concurrency +executions reserved for it", text, re.MULTILINE)
    assert "usesEnvironmentVariables" in text
    assert "store: " in text
    assert pytm.pytm._CLASS_REGISTRY["Lambda"] is pytm.Lambda  # noqa: SLF001 - what --describe looks up


@pytest.mark.slow
def test_exclude(project: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    run(project, "--json", str(path), "--exclude", "forged,read")
    threats = {finding["threat_id"] for finding in json.loads(path.read_text(encoding="utf-8"))["findings"]}
    assert "anything" in threats
    assert not threats & {"forged", "read"}


@pytest.mark.slow
def test_report_leaves_out_what_is_excluded(project: Path) -> None:
    text = run(project, "--exclude", "forged", "--report", "md")
    assert "forged@bot" not in text
    assert re.search(r"^- Not looked for: Something bad happens to forged \(`forged`\)$", text, re.MULTILINE)
    assert "there is no threat 'nope'" in run(project, "--exclude", "nope", "--report", "md", code=2)


@pytest.mark.slow
def test_output_is_utf8_everywhere(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    other = project.parent / "utf8"
    shutil.copytree(project, other, symlinks=True)
    (other / "models" / "slack-lambda.yaml").write_text(MODEL.replace("Orders", "Größe 📦"), encoding="utf-8")
    script = str(other / "models" / "slack_lambda.py")
    done = subprocess.run([sys.executable, script, "--report", "md"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "Größe" in done.stdout.decode()
    assert "forged" in done.stdout.decode()


@pytest.mark.slow
def test_json_does_not_replace_the_model(project: Path) -> None:
    model = project / "models" / "slack-lambda.yaml"
    assert "this run reads it" in run(project, "--json", str(model), code=2)
    assert model.read_text(encoding="utf-8") == MODEL


@pytest.mark.slow
def test_an_interrupt_ends_quietly(project: Path, tmp_path: Path) -> None:
    other = shutil.copytree(project, tmp_path / "waiting", symlinks=True)
    (other / "models" / "slack-lambda.yaml").unlink()
    pipe = other / "models" / "slack-lambda.yaml"
    assert interrupted(other / "models" / "slack_lambda.py", pipe, "--dfd") == (130, b"", b"")


def test_report_without_one_is_pytms_error(graph: Graph, library: Library) -> None:
    with pytest.raises(pytm.pytm.UIError) as raised:
        to_pytm(graph, library).report("x")
    assert "without a report" in str(raised.value.error)
    assert to_pytm(graph, library, report=str.upper).report("md") == "MD"


def test_a_mistake_in_the_model_is_told_with_its_place(project: Path, tmp_path: Path) -> None:
    wrong = shutil.copytree(project, tmp_path / "wrong", symlinks=True)
    (wrong / "models" / "slack-lambda.yaml").write_text("name: x\nfunctons: {}\n", encoding="utf-8")
    message = run(wrong, "--dfd", code=2)
    assert "slack-lambda.yaml:2:1: unknown-key: 'functons'" in message
    assert "^^^" in message


# --- the plain script


def told_by_script(script: str, folder: Path) -> Any:
    path = folder / "script.py"
    path.write_text(script, encoding="utf-8")
    command = [sys.executable, str(HOME / "tests" / "pytm_told.py"), str(path)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("ours") == []
    return found


def told_by_model(graph: Graph, library: Library) -> dict[str, Any]:
    model = to_pytm(graph, library)
    with model.active():
        return told(model)


def test_the_script_is_the_same_model(graph: Graph, library: Library, tmp_path: Path) -> None:
    told = told_by_script(pytm_script(graph, library), tmp_path)
    assert told == told_by_model(graph, library)
    assert ["HTTP", 80, False] in [flow[3:6] for flow in told["flows"]]
    assert told["findings"]


def test_the_script_is_the_same_model_where_statements_differ(graph: Graph, library: Library, tmp_path: Path) -> None:
    """A fact that is stated twice, differently, is not known."""
    said = Statement(True, "model", None)
    bot = graph.elements["bot"]
    facts = {**bot.facts, "slack_facing": Fact(None, 0, said, (said._replace(value=False),))}
    changed = replace_element(graph, "bot", facts)
    told = told_by_script(pytm_script(changed, library), tmp_path)
    assert told == told_by_model(changed, library)
    assert "slack_facing=None" in pytm_script(changed, library)


def replace_element(graph: Graph, name: str, facts: dict[str, Fact]) -> Graph:
    return replace(graph, elements={**graph.elements, name: replace(graph.elements[name], facts=facts)})


def test_the_script_runs_with_pytms_options(graph: Graph, library: Library, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(pytm_script(graph, library), encoding="utf-8")
    done = subprocess.run([sys.executable, str(path), "--list"], capture_output=True, text=True, check=True)
    assert "forged - Something bad happens to forged" in done.stdout


def test_the_script_says_what_belongs_to_what(graph: Graph, library: Library) -> None:
    text = pytm_script(graph, library)
    assert "    # 4. Exploited vulnerability: " in text
    assert "bot.controls.verified = True  # verified is in place" in text
    assert text == pytm_script(graph, library)


@pytest.mark.slow
def test_names_stay_literals_in_the_script(tmp_path: Path, library: Library) -> None:
    graph = hostile(tmp_path)
    script = pytm_script(graph, library)
    tree = ast.parse(script)
    calls = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert {ast.unparse(call) for call in calls} <= {*ELEMENTS, "TM", "Data", "Threat", "ExactFlow", "tm.process"} | {
        "super",
        "super().check",
    }
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node).split()[1] for node in imports] == ["pytm"]
    assert not any("coding" in line for line in script.splitlines()[:2])
    told = told_by_script(script, tmp_path)
    assert told == told_by_model(graph, library)
    assert {name for _, name, *_ in told["elements"]} >= set(HOSTILE)


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(HOSTILE))
def test_any_text_is_a_literal_in_the_script(text: str) -> None:
    assert ast.literal_eval(literal(text)) == text
    assert literal(text).isprintable() or literal(text).replace("\n", "").isprintable()


@pytest.mark.parametrize("names", [["lambda", "def", "tm", "print"], ["bot", "bot-logs", "bot-environment"]], ids=str)
def test_ids_become_names_of_their_own(names: list[str], library: Library, tmp_path: Path) -> None:
    functions = "".join(f"  {name}: {{triggers: []}}\n" for name in names)
    graph = graph_of(
        tmp_path, f"name: x\ndata: {{bot-configuration: {{classification: public}}}}\nfunctions:\n{functions}"
    )
    assert told_by_script(pytm_script(graph, library), tmp_path) == told_by_model(graph, library)


def test_printing_the_script_needs_no_pytm() -> None:
    code = "import sys, threatmodel.pytm_model.script; sys.exit('pytm' in sys.modules or 'pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=HOME, check=False).returncode == 0


def test_terms_hold_every_element_and_flow(graph: Graph, library: Library) -> None:
    said = terms(graph, library)
    assert {part.id for part in said.parts} == {*graph.elements, *graph.zones}
    assert [stream.id for stream in said.streams] == list(graph.flows)
    assert [rule.id for rule in said.rules] == list(library.threats)
