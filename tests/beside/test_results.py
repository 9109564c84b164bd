"""Results of other tools as evidence: what alarms, what reassures, and what shows nothing, at the command line.

The results are of runs of the tools on the files that `project` writes: bandit 1.9, semgrep 1.185 with one own rule,
zizmor 1.32, checkov 3.3 and pip-audit 2.10.  Those of tools that are not at hand are written after their schemas.
"""

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.beside.tool_results import RESULT, TEMPLATE, project, reads  # noqa: F401 - a fixture
from tests.evidence.at_the_command_line import modeled, run, saved
from threatmodel.evidence.beside.results import NOTHING, table
from threatmodel.model.vocabulary import FACTS
from threatmodel.model.vocabulary.row import FactRow
from threatmodel.reading.shape import Flag, Number, Word

SAMPLES = Path(__file__).parent / "results"
CANARY = "CANARY"
CONTROLLED = "results: result.json, control: app/planted.py"


def sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


# --- what alarms


@pytest.mark.parametrize("name", ["semgrep.json", "semgrep.sarif"])
def test_a_fault_in_the_code_of_a_function_is_evidence(name: str) -> None:
    saved("result.json", sample(name))
    read, found = reads()
    said = found["bot", "input_reaches_interpreter"]
    assert (said.value, said.size, str(said.place)) == (True, 2, "app/app.py:7:1")
    assert read.stale == ""
    (finding,) = (
        one for one in json.loads(run("-m", "model.yaml", "--json")[1])["findings"] if one["id"] == _INJECTION
    )
    assert "input_reaches_interpreter" in json.dumps(finding["why"])


_INJECTION = "event-injection@bot"


def test_a_fault_that_decides_nothing_is_a_sign() -> None:
    saved("result.json", sample("bandit.json"))
    read, found = reads()
    assert not found
    assert [(one.name, one.why) for one in read.left_open] == [
        ("input_reaches_interpreter", "bandit B602: a shell is started")
    ]


@pytest.mark.parametrize("name", ["zizmor.json", "zizmor.sarif"])
def test_a_fault_of_a_workflow_is_the_pipelines(name: str) -> None:
    saved("result.json", sample(name))
    _, found = reads()
    said = found["pipeline", "actions_pinned"]
    assert (said.value, said.size, str(said.place)) == (False, 2, ".github/workflows/deploy.yml:8:1")


def test_a_resource_of_a_template_is_found_by_its_name() -> None:
    saved("result.json", sample("checkov.json"))
    read, _ = reads()
    assert read.elements.keys() == {"bot", "orders"}


def test_rules_that_are_not_in_the_table_are_counted_and_named() -> None:
    saved("result.json", sample("bandit.json"))
    modeled("template: template.yaml", RESULT)
    out = run("-m", "model.yaml", "--report", "full")[1]
    assert "not mapped to a fact: B404 (1) of bandit" in out


def test_paths_of_the_machine_where_a_tool_ran_are_found_again() -> None:
    elsewhere = json.loads(json.dumps(sample("semgrep.json")).replace('"app/', '"/github/workspace/app/'))
    saved("result.json", elsewhere)
    assert ("bot", "input_reaches_interpreter") in reads()[1]


# --- Prowler


def prowler(*checks: tuple[str, str, str], account: str = "111122223333", day: str = "2026-11-20") -> list[Any]:
    """OCSF as Prowler writes it: check, status and ARN of each finding."""
    return [
        {
            "message": f"{CANARY} in plain words",
            "metadata": {"event_code": check, "product": {"name": "Prowler", "version": "5.14.0"}, "version": "1.5.0"},
            "status": "New",
            "status_code": status,
            "time_dt": f"{day}T10:00:00",
            "cloud": {"account": {"uid": account}, "region": "eu-west-1", "provider": "aws"},
            "resources": [{"uid": arn, "name": "x", "type": "AwsLambdaFunction"}],
        }
        for check, status, arn in checks
    ]


BOT_ARN = "arn:aws:lambda:eu-west-1:111122223333:function:shop-bot"
PUBLIC = "awslambda_function_not_publicly_accessible"


STARTS = {
    "{triggers: [{schedule: rate(1 day)}]}": True,
    "{triggers: [{http: GET, api: door}]}": True,
    "{triggers: [{http: GET, api: url}]}": None,
    "{}": None,
}
"""Whether a public permission lets anyone invoke it directly: those of a function URL name everyone too."""
APIS = "apis: {door: {kind: rest}, url: {kind: function-url}}"


@pytest.mark.parametrize("tool", ["prowler", "checkov"])
@pytest.mark.parametrize(("bot", "decides"), STARTS.items())
def test_a_failed_check_counts_for_the_function_that_it_names(bot: str, decides: bool | None, tool: str) -> None:
    of_checkov = checkov(("CKV_AWS_301", "template.yaml", "failed"), resource="AWS::Serverless::Function.Bot")
    saved("result.json", prowler((PUBLIC, "FAIL", BOT_ARN)) if tool == "prowler" else of_checkov)
    read, found = reads(rest=APIS, bot=bot)
    said = found.get(("bot", "invocable_by_anyone"))
    assert (said and (said.value, said.size)) == (decides and (True, 2))
    assert [one.name for one in read.left_open] == ([] if decides else ["invocable_by_anyone"])


@pytest.mark.parametrize(("region", "decides"), [("eu-west-1", True), ("sa-east-1", None)])
def test_a_check_of_a_region_decides_where_an_element_is(region: str, decides: bool | None) -> None:
    rows = prowler(("other_check", "PASS", BOT_ARN), ("guardduty_is_enabled", "FAIL", "arn:aws:guardduty:x"))
    rows[1]["cloud"]["region"] = region
    saved("result.json", rows)
    read, found = reads()
    said = found.get(("account", "guardduty"))
    assert (said and (said.value, said.size)) == (decides and (False, 2))
    assert [one.name for one in read.left_open] == ([] if decides else ["guardduty"])


def test_an_explicit_pass_is_a_statement() -> None:
    arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"
    saved("result.json", prowler(("dynamodb_tables_pitr_enabled", "PASS", arn)))
    said = reads()[1]["orders", "recovery"]
    assert (said.value, said.size) == (True, 1)


@pytest.mark.parametrize(
    "check", [("other_check", "PASS", BOT_ARN), (PUBLIC, "MANUAL", BOT_ARN), (PUBLIC, "PASS", "arn:x")]
)
def test_nothing_else_of_prowler_reassures(check: tuple[str, str, str]) -> None:
    saved("result.json", prowler(check))
    assert not reads()[1]


@pytest.mark.parametrize(
    ("check", "arn", "fact", "value"),
    [
        ("iam_no_root_access_key", "iam::111122223333:root", "root_access_key", True),
        ("iam_no_root_access_key", "iam::111122223333:root", "root_credentials", True),
        ("iam_role_cross_service_confused_deputy_prevention", "iam::111122223333:role/x", "other_roles_restricted",
         False),
        ("cloudwatch_log_group_not_publicly_accessible", "logs:eu-west-1:111122223333:log-group:x",
         "log_readers_restricted", False),
    ],
)  # fmt: skip
def test_a_check_of_the_account_is_of_the_account(check: str, arn: str, fact: str, value: bool) -> None:
    saved("result.json", prowler((check, "FAIL", f"arn:aws:{arn}")))
    assert reads()[1]["account", fact].value is value


# --- what reassures


CLEARING = [row.rule for row in table()["semgrep"] if row.clear is not NOTHING]
"""The rules that together cover what input may reach."""


def without_fault(*rules: str) -> dict[str, Any]:
    """The result of semgrep where only planted faults are found: one for each of some rules."""
    found: dict[str, Any] = sample("semgrep.json")
    (planted,) = [one for one in found["results"] if one["path"] == "app/planted.py"]
    found["results"] = [{**planted, "check_id": f"rules.{one}"} for one in rules or CLEARING]
    return found


def test_with_a_control_and_all_source_read_it_is_a_statement_that_nothing_was_found() -> None:
    saved("result.json", without_fault())
    said = reads(CONTROLLED)[1]["bot", "input_reaches_interpreter"]
    assert (said.value, said.size) == (False, 1)


def test_a_rule_that_found_no_planted_fault_keeps_the_others_from_reassuring() -> None:
    saved("result.json", without_fault(*CLEARING[1:]))
    assert not reads(CONTROLLED)[1]


def test_without_a_control_nothing_is_stated() -> None:
    saved("result.json", without_fault() | {"results": []})
    read, found = reads()
    assert not found
    assert any("the entry names no file with a planted fault (control:)" in why for _, why, _ in read.unread)
    read, found = reads(CONTROLLED)
    assert not found
    assert any("did not find the planted fault" in why for _, why, _ in read.unread)


def test_a_file_that_the_tool_did_not_read_keeps_it_from_reassuring() -> None:
    saved("result.json", without_fault())
    saved("app/more.py", "x = 1\n")
    assert not reads(CONTROLLED)[1]


def test_a_file_that_the_tool_could_not_read_keeps_it_from_reassuring() -> None:
    saved("result.json", without_fault() | {"errors": [{"path": "app/app.py", "message": CANARY}]})
    read, found = reads(CONTROLLED)
    assert not found
    assert ("app/app.py", "semgrep could not read it; what it did not find there proves nothing") in [
        one[:2] for one in read.unread
    ]


def checkov(*checks: tuple[str, str, str], resource: str = "AWS::DynamoDB::Table.Orders") -> dict[str, Any]:
    """The JSON of checkov: check, file and result of each."""
    found: dict[str, list[Any]] = {"passed": [], "failed": []}
    for check, file, result in checks:
        row = {"check_id": check, "repo_file_path": f"/{file}", "file_line_range": [6, 8]}
        found[result].append({**row, "resource": resource})
    summary = {"passed": len(found["passed"]), "failed": len(found["failed"]), "parsing_errors": 0, "resource_count": 2}
    results = {"passed_checks": found["passed"], "failed_checks": found["failed"], "parsing_errors": []}
    return {"check_type": "cloudformation", "results": results, "summary": summary}


def test_a_pass_that_a_tool_states_needs_a_control() -> None:
    saved("planted.yaml", TEMPLATE)
    saved("result.json", checkov(("CKV_AWS_28", "template.yaml", "passed"), ("CKV_AWS_28", "planted.yaml", "failed")))
    assert not reads()[1]
    said = reads("results: result.json, control: planted.yaml")[1]["orders", "recovery"]
    assert (said.value, said.size) == (True, 1)


# --- bad input


def edited() -> dict[str, Any]:
    found: dict[str, Any] = sample("bandit.json")
    found["results"] = found["results"][:1]
    return found


def of(name: str, **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = copy.deepcopy(sample(name))
    found["runs"][0] |= changes
    return found


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (edited(), "its own count says 3 findings, and it has 1"),
        (sample("checkov-broken.json"), "checkov found no resource"),
        ([], "it is an empty list, which does not say which tool wrote it"),
        ({**sample("semgrep.sarif"), "version": "3.0"}, "nothing is known of this version of SARIF"),
        ({"version": "2.1.0", "runs": []}, "it has no run"),
        (of("semgrep.sarif", results=None), "it was not finished"),
        (of("semgrep.sarif", invocations=[{"executionSuccessful": False}]), "the tool says that its run failed"),
        (of("semgrep.sarif", invocations=[{"endTimeUtc": "2027-01-01T00:00:00Z"}]), "in the future"),
        (of("semgrep.sarif", invocations=[{"endTimeUtc": "2026-01-01T00:00:00Z"}]), "330 days old"),
        (prowler((PUBLIC, "FAIL", BOT_ARN), day="2026-12-01"), "in the future"),
    ],
)
def test_a_result_that_does_not_count_says_why(content: Any, why: str) -> None:
    saved("result.json", content)
    read, found = reads()
    assert why in read.stale
    assert all(said.size == 1 for said in found.values())
    out = run("check", "-m", "model.yaml")[1]
    assert "stale" in out


def test_a_result_of_another_commit_counts_as_a_statement() -> None:
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "one"]):
        who = ("-c", "user.name=a", "-c", "user.email=a@b.example")
        subprocess.run(["git", *who, *arguments], check=True, capture_output=True)
    provenance = [{"repositoryUri": "https://example.com/x", "revisionId": "0" * 40}]
    saved("result.json", of("semgrep.sarif", versionControlProvenance=provenance))
    read, found = reads()
    assert "another commit" in read.stale
    assert found["bot", "input_reaches_interpreter"].size == 1


@pytest.mark.parametrize(
    "content", ["", '{"results": [', "{}", '{"a": 1}', "[1]", '"text"', '{"results": [1], "results": []}']
)
def test_what_is_no_result_is_refused(content: str) -> None:
    saved("result.json", content)
    modeled("template: template.yaml", RESULT)
    code, _, err = run("check", "-m", "model.yaml")
    assert (code, "not-a-result" in err, "run the tool again" in err) == (2, True, True)


def test_secrets_in_results_are_never_shown() -> None:
    leak = {"RuleID": "slack-bot-token", "File": "app/app.py", "StartLine": 7, "Secret": CANARY, "Match": f"x={CANARY}"}
    saved("result.json", [{**leak, "Description": CANARY, "Author": CANARY, "Commit": "", "Fingerprint": CANARY}])
    modeled("template: template.yaml", RESULT)
    said = [
        "".join(run(*arguments, "-m", "model.yaml")[1:])
        for arguments in (("check", "-v"), ("--json",), ("--report", "full"), ("ask",), ("--pytm",), ("--dfd",))
    ]
    assert "app/app.py:7:1: open: committed-secret@pipeline" in said[0]
    assert CANARY not in "".join(said)


def test_what_detect_secrets_found_is_a_sign_and_no_warning() -> None:
    row = {"type": "Hex High Entropy String", "filename": "app/app.py", "hashed_secret": CANARY, "line_number": 7}
    whole = {"version": "1.5.0", "plugins_used": [], "results": {"app/app.py": [row]}}
    saved("result.json", {**whole, "generated_at": "2026-11-26T10:00:00Z"})
    read, found = reads()
    assert ([one.name for one in read.left_open], read.notes, found) == (["history_scanned"], (), {})


# --- dependencies


def test_a_vulnerable_package_is_a_sign() -> None:
    audited = {
        "dependencies": [{"name": "jinja2", "version": "2.10", "vulns": [{"id": "PYSEC-2019-217"}]}],
        "fixes": [],
    }
    npm = {
        "auditReportVersion": 2,
        "vulnerabilities": {"lodash": {"name": "lodash", "severity": "critical"}},
        "metadata": {"vulnerabilities": {"total": 1}, "dependencies": {"total": 1}},
    }
    package = {"package": {"name": "jinja2", "version": "2.10"}, "vulnerabilities": [{"id": "GHSA-462w-v97r-4m45"}]}
    osv = {"results": [{"source": {"path": "requirements.txt"}, "packages": [package]}], "experimental_config": {}}
    for content in (audited, npm, osv):
        saved("result.json", content)
        read, _ = reads()
        assert [one.name for one in read.left_open] == ["dependency_scanning"], content
        assert not read.stale


def test_a_package_that_was_skipped_is_named() -> None:
    saved("result.json", sample("pip-audit.json"))
    assert any(name == "jinja2" and "skipped" in why for name, why, _ in reads()[0].unread)


# --- the table


def _fits(fact: FactRow, value: object) -> bool:
    match fact.shape:
        case Flag():
            return isinstance(value, bool)
        case Number():
            return isinstance(value, int) or (value is None and fact.nullable)
        case Word(words):
            return value in words


def test_every_row_of_the_table_is_of_a_fact_and_a_value_that_it_can_have() -> None:
    for tool, rows in table().items():
        for row in rows:
            fact = FACTS[row.of][row.fact]
            values = [one for one in (row.fails, row.passes, row.clear) if one is not NOTHING]
            assert not fact.derived, (tool, row.rule)
            assert values or row.sign, (tool, row.rule)
            assert row.sign or not row.only, (tool, row.rule)
            assert all(_fits(fact, one) for one in values), (tool, row.rule)
        assert len({(one.rule, one.of, one.fact) for one in rows}) == len(rows), tool
