"""Several files of one environment: what one says of a resource of another counts, and nothing is guessed."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from tests.evidence.side_by_side import ARN, BOT, FILES, HEAD, ORDERS, TABLE, fact, graph, permission
from threatmodel.render.contract.described import facts_data


def test_alone_the_function_is_proven_closed() -> None:
    found = graph(FILES)
    assert fact(found, "invocable_by_anyone") is False
    assert fact(found, "role_wildcard_action") is False


@pytest.mark.parametrize(
    "function",
    [
        "the-bot",
        ARN,
        f"{ARN}:live",
        "!Sub 'arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:the-bot'",
        "'123456789012:function:the-bot'",
        "!Sub '${AWS::AccountId}:the-bot'",
        "!Sub '${AWS::AccountId}:function:the-bot:live'",
        "!ImportValue bot-arn",
        "!ImportValue {'Fn::Sub': bot-arn}",
    ],
)
def test_a_permission_in_another_file_opens_it(function: str) -> None:
    """By its name, its ARN or its export."""
    assert fact(graph({**FILES, "open.yaml": permission(function)}), "invocable_by_anyone") is True


def test_a_permission_in_a_plan_opens_it() -> None:
    values = {"function_name": "the-bot", "action": "lambda:InvokeFunction", "principal": "*", "statement_id": "x"}
    plan = plan_of("aws_lambda_permission.open", values)
    assert fact(graph({**FILES, "plan.json": plan}), "invocable_by_anyone") is True


def plan_of(address: str, values: Mapping[str, object]) -> str:
    """A plan of one resource whose values are all known."""
    kind, name = address.split(".")
    resource = {"address": address, "mode": "managed", "type": kind, "name": name}
    change = {"actions": ["create"], "after_unknown": {}, "after": values}
    return json.dumps(
        {
            "format_version": "1.2",
            "timestamp": "2026-01-01T00:00:00Z",
            "planned_values": {"root_module": {"resources": [{**resource, "values": values}]}},
            "resource_changes": [{**resource, "change": change}],
            "configuration": {"root_module": {"resources": [{"address": address, "expressions": {}}]}},
        }
    )


def test_what_a_plan_attaches_to_a_role_of_a_template_is_its() -> None:
    """In place and in full: a plan writes each attachment as a resource, and a template as the role's own."""
    attached = {"role": "bot-role", "policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    plan = plan_of("aws_iam_role_policy_attachment.wide", attached)
    found = graph({**FILES, "plan.json": plan})
    assert fact(found, "role_broad_policy") is True
    assert found.evidence[1].extra == ()
    other = plan_of("aws_iam_role_policy_attachment.wide", {**attached, "role": "another-role"})
    assert fact(graph({**FILES, "plan.json": other}), "role_broad_policy") is False
    unnamed = BOT.replace("      RoleName: bot-role\n", "")
    assert fact(graph({"bot.yaml": unnamed, "plan.json": plan}), "role_broad_policy") is None


def test_what_two_files_set_of_one_resource_is_unknown() -> None:
    """And not what the one says that is read last."""
    reserved = BOT.replace("CodeUri: src/", "CodeUri: src/\n      RuntimeManagementConfig: {UpdateRuntimeOn: Auto}")
    plan = plan_of(
        "aws_lambda_runtime_management_config.bot",
        {"function_name": "the-bot", "update_runtime_on": "FunctionUpdate"},
    )
    assert fact(graph({"bot.yaml": reserved}), "runtime_updates") == "auto"
    assert fact(graph({**FILES, "plan.json": plan}), "runtime_updates") == "function-update"
    assert fact(graph({"bot.yaml": reserved, "plan.json": plan}), "runtime_updates") is None


@pytest.mark.parametrize(
    "function",
    [
        "!ImportValue other-arn",
        "!Ref Name",
        "!ImportValue {'Fn::Sub': '${Stage}-arn'}",
        "!Sub 'arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:${Name}'",
    ],
)
def test_what_nothing_resolves_may_be_any_function(function: str) -> None:
    found = graph({**FILES, "open.yaml": HEAD + permission(function)})
    assert fact(found, "invocable_by_anyone") is None


def test_a_permission_of_another_function_leaves_it_closed() -> None:
    assert fact(graph({**FILES, "open.yaml": permission("another-bot")}), "invocable_by_anyone") is False


POLICY = """\
Resources:
  Wide:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: wide
      Roles: [%s]
      PolicyDocument: {Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}
"""


@pytest.mark.parametrize("role", ["bot-role", "!ImportValue bot-role-name"])
def test_a_policy_in_another_file_widens_the_role(role: str) -> None:
    assert fact(graph({**FILES, "wide.yaml": POLICY % role}), "role_wildcard_action") is True


@pytest.mark.parametrize("role", ["!ImportValue other", "!Ref Name"])
def test_a_policy_of_an_unknown_role_may_be_this_one(role: str) -> None:
    assert fact(graph({**FILES, "wide.yaml": HEAD + POLICY % role}), "role_wildcard_action") is None


CONDITIONAL = """\
Parameters: {Stage: {Type: String, Default: test, AllowedValues: [test, prod]}}
Conditions: {IsProd: !Equals [!Ref Stage, prod]}
Resources:
  Open:
    Type: AWS::Lambda::Permission
    Condition: IsProd
    Properties: {FunctionName: the-bot, Action: lambda:InvokeFunction, Principal: "*"}
"""

DECIDES = "Conditions: {IsProd: !Equals [a, b]}\nParameters: {Stage: {Type: String, Default: test}}\n"


def test_a_condition_of_another_file_is_decided_both_ways() -> None:
    """Also where the first file has a condition and a parameter of the same names, which decide nothing there."""
    for first in (BOT, DECIDES + BOT):
        assert fact(graph({"bot.yaml": first, "open.yaml": CONDITIONAL}), "invocable_by_anyone") is not False


def test_a_deployment_gives_the_parameters_of_its_own_file() -> None:
    files = {"bot.yaml": DECIDES + BOT, "open.yaml": CONDITIONAL, "prod.json": '{"Stage": "prod"}'}
    open_ = "{template: open.yaml, parameters: prod.json}"
    assert fact(graph(files, f"{{template: bot.yaml}}, {open_}"), "invocable_by_anyone") is True
    own = "{template: bot.yaml, parameters: prod.json}"
    assert fact(graph(files, f"{own}, {{template: open.yaml}}"), "invocable_by_anyone") is not False


def test_another_environment_does_not_open_it() -> None:
    files = {**FILES, "open.yaml": permission("the-bot")}
    found = graph(files, "{template: bot.yaml}, {template: open.yaml, environment: test}")
    assert fact(found, "invocable_by_anyone") is False


RESERVED = BOT.replace("CodeUri: src/", "CodeUri: src/\n      ReservedConcurrentExecutions: %s")

PARAMETER = "Parameters: {Reserve: {Type: Number}}\n"

CUSTOM = "  Tuned: {Type: 'Custom::Tuner', Properties: {ServiceToken: x, Function: !Ref Bot}}\nOutputs:"


@pytest.mark.parametrize(
    ("other", "value", "claimed"),
    [
        (RESERVED % 5, 5, None),
        (PARAMETER + RESERVED % "!Ref Reserve", None, None),
        (PARAMETER.replace("Number", "Number, Default: 5") + RESERVED % "!Ref Reserve", None, 5),
        (RESERVED.replace("Outputs:", CUSTOM) % 5, None, None),
        (RESERVED % 900, None, None),
    ],
    ids=["the same", "unknown", "by a default", "in doubt", "another value"],
)
def test_a_proof_is_one_of_every_environment(other: str, value: object, claimed: object) -> None:
    """What another environment leaves open, claims or states otherwise is proven in none."""
    files = {"test.yaml": RESERVED % 5, "prod.yaml": other}
    entries = ["{template: test.yaml, environment: test}", "{template: prod.yaml, environment: prod}"]
    for order in (entries, entries[::-1]):
        found = graph(files, ", ".join(order))
        firm = found.elements["bot"].facts["reserved_concurrency"].firm
        assert fact(found, "reserved_concurrency") == value
        assert (firm.value if firm is not None else None) == claimed


def test_what_is_bad_in_one_environment_stays_bad() -> None:
    wide = BOT.replace("service-role/AWSLambdaBasicExecutionRole", "AdministratorAccess")
    entries = "{template: bot.yaml, environment: test}, {template: prod.yaml, environment: prod}"
    found = graph({"bot.yaml": BOT, "prod.yaml": wide}, entries)
    assert fact(found, "role_can_escalate") is True
    assert [one.value for one in found.elements["bot"].facts["role_can_escalate"].against] == [False]


USER = """\
Resources:
  Bot:
    Type: AWS::Lambda::Function
    Properties:
      Handler: app.handler
      Runtime: python3.13
      Code: {S3Bucket: code, S3Key: bot.zip}
      Role: !GetAtt Role.Arn
      Environment: {Variables: {TABLE: %s}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: table
          PolicyDocument: {Statement: [{Effect: Allow, Action: "dynamodb:PutItem", Resource: %s}]}
"""


@pytest.mark.parametrize(
    ("name", "arn"),
    [
        ("!ImportValue orders-table", "!ImportValue orders-table-arn"),
        ("orders", "arn:aws:dynamodb:eu-central-1:123456789012:table/orders"),
    ],
)
def test_a_store_of_another_file_is_used(name: str, arn: str) -> None:
    found = graph({"storage.yaml": TABLE, "bot.yaml": USER % (name, arn)}, rest=ORDERS)
    assert found.lists["bot"]["writes"].items == ("orders",)
    assert [one.missing for one in found.evidence] == [(), ()]
    assert [one.extra for one in found.evidence] == [(), ()]
    assert [dict(one.elements) for one in found.evidence] == [{"orders": "Orders"}, {"bot": "Bot"}]


def test_exports_by_the_stack_s_name_are_found_where_samconfig_names_it() -> None:
    """Else an import may be any resource: which stack exports it is not guessed."""
    own = "Name: !Sub '${AWS::StackName}-table"
    table = TABLE.replace("Name: orders-table-arn", f"{own}-arn'").replace("Name: orders-table}", f"{own}'}}")
    imported = ["!ImportValue {'Fn::Sub': '${Storage}-table'}", "!ImportValue {'Fn::Sub': '${Storage}-table-arn'}"]
    bot = "Parameters: {Storage: {Type: String}}\n" + USER % (imported[0], imported[1])
    overrides = 'parameter_overrides = "Storage=shop-storage"'
    configs = {
        "storage.toml": '[default.deploy.parameters]\nstack_name = "shop-storage"\n',
        "bot.toml": f'[default.deploy.parameters]\nstack_name = "shop-bot"\n{overrides}\n',
    }
    files = {"storage.yaml": table, "bot.yaml": bot, **configs}
    bot_entry = "{template: bot.yaml, parameters: bot.toml}"
    found = graph(files, f"{{template: storage.yaml, parameters: storage.toml}}, {bot_entry}", ORDERS)
    assert found.lists["bot"]["writes"].items == ("orders",)
    assert "writes" not in graph(files, f"{{template: storage.yaml}}, {bot_entry}", ORDERS).lists["bot"]
    assert "writes" not in graph(files, f"{bot_entry}, {{template: storage.yaml}}", ORDERS).lists["bot"]
    other = {**files, "storage.toml": configs["storage.toml"].replace("shop-storage", "another")}
    wrong = graph(other, f"{{template: storage.yaml, parameters: storage.toml}}, {bot_entry}", ORDERS)
    assert "writes" not in wrong.lists["bot"]


def test_one_logical_id_in_two_files_is_two_resources() -> None:
    first = TABLE.replace("orders", "archive").replace("Table, P", "Table, DeletionPolicy: Retain, P")
    files = {"a.yaml": first, "b.yaml": TABLE, "bot.yaml": USER % ("!ImportValue orders-table", "'*'")}
    evidence = "{template: a.yaml, resources: {archive: Orders}}, {template: b.yaml, resources: {orders: Orders}}"
    stores = "functions: {bot: {}}\nstores: {orders: {kind: dynamodb}, archive: {kind: dynamodb}}\n"
    found = graph(files, f"{evidence}, {{template: bot.yaml}}", stores)
    assert [dict(one.elements) for one in found.evidence] == [
        {"archive": "Orders"},
        {"orders": "Orders"},
        {"bot": "Bot"},
    ]


def test_the_stacks_names_of_two_files_are_not_one_name() -> None:
    """Each file has its own ${AWS::StackName}: a policy for that of one does not name the other's table."""
    table = TABLE.replace("TableName: orders", "TableName: !Sub '${AWS::StackName}-orders'")
    arn = "!Sub 'arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${AWS::StackName}-orders'"
    found = graph({"storage.yaml": table, "bot.yaml": USER % ("x", arn)}, rest=ORDERS)
    assert "writes" not in found.lists["bot"]


def test_all_functions_of_one_file_bring_what_they_meet_in_another() -> None:
    files = {"storage.yaml": TABLE, "bot.yaml": USER % ("!ImportValue orders-table", "!ImportValue orders-table-arn")}
    found = graph(files, "{template: storage.yaml}, {template: bot.yaml, functions: all}", "")
    assert {name: one.kind for name, one in found.elements.items() if name in {"bot", "orders"}} == {
        "bot": "function",
        "orders": "store",
    }


WORK = "Resources: {Work: {Type: AWS::%s, Properties: {%s: work}}}\n"


@pytest.mark.parametrize("value", ["'{{resolve:ssm:/any}}'", "!Sub 'lambda:{{resolve:ssm:/any}}'"])
def test_what_is_read_at_deployment_may_be_anything(value: str) -> None:
    """A dynamic reference in a statement is no text: a Principal may be everyone, an Action every one."""
    if not value.startswith("!"):
        assert fact(graph({**FILES, "open.yaml": permission("the-bot", value)}), "invocable_by_anyone") is None
    wide = POLICY.replace('Action: "*"', f"Action: {value}") % "bot-role"
    assert value in wide
    assert fact(graph({**FILES, "wide.yaml": wide}), "role_wildcard_action") is None


@pytest.mark.parametrize(
    ("key", "active"),
    [("{UserName: x}", True), ("{UserName: x, Status: Active}", True), ("{UserName: x, Status: Inactive}", None)],
)
def test_an_access_key_in_a_file_is_one_of_the_account(key: str, *, active: bool | None) -> None:
    files = {**FILES, "user.yaml": f"Resources: {{Key: {{Type: AWS::IAM::AccessKey, Properties: {key}}}}}\n"}
    found = fact(graph(files, rest="account: {}\nfunctions: {bot: {}}\n"), "long_lived_access_keys", "account")
    assert found is active


RESOURCE_POLICY = (
    "Resources: {{P: {{Type: AWS::{}Policy, Properties: {{{}: [{}], PolicyDocument: "
    "{{Statement: [{{Effect: Allow, Principal: '*', Action: '{}', Resource: '*'}}]}}}}}}}}\n"
)

OF_QUEUE = ("SQS::Queue", "QueueName", "Queues")

OF_TOPIC = ("SNS::Topic", "TopicName", "Topics")


@pytest.mark.parametrize(
    ("kind", "named", "action", "falls"),
    [
        (
            OF_QUEUE,
            "!Sub 'https://sqs.${AWS::Region}.amazonaws.com/${AWS::AccountId}/work'",
            "sqs:*",
            "senders_restricted",
        ),
        (OF_QUEUE, "https://sqs.eu-west-1.amazonaws.com/123456789012/work", "sqs:PurgeQueue", "readers_restricted"),
        (OF_QUEUE, "https://sqs.eu-west-1.amazonaws.com/123456789012/other", "sqs:*", ""),
        (
            OF_TOPIC,
            "!Sub 'arn:aws:sns:${AWS::Region}:${AWS::AccountId}:work'",
            "sns:Subscribe",
            "subscribers_restricted",
        ),
        (OF_TOPIC, "!Sub 'arn:aws:sns:${AWS::Region}:${AWS::AccountId}:work'", "sns:Publish", "senders_restricted"),
    ],
)
def test_a_policy_in_another_file_opens_a_queue_or_topic(
    kind: tuple[str, str, str], named: str, action: str, falls: str
) -> None:
    """A queue's policy names it by its URL alone."""
    type_, own, by = kind
    files = {"work.yaml": WORK % (type_, own), "open.yaml": RESOURCE_POLICY.format(type_, by, named, action)}
    found = graph(files, rest=f"queues: {{work: {{kind: {type_[:3].lower()}}}}}\n")
    about = ("senders_restricted", "readers_restricted", "subscribers_restricted")
    fallen = {name for name in about if fact(found, name, "work") is False}
    assert falls in fallen if falls else not fallen


SECRETS = """\
Resources:
  Bot:
    Type: AWS::Lambda::Function
    Properties:
      Handler: a.b
      Runtime: python3.13
      Code: {S3Bucket: b, S3Key: k}
      Role: !GetAtt Role.Arn
      Environment: {Variables: {SECRET_ARN: !Ref Own}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: secret
          PolicyDocument:
            Statement: [{Effect: Allow, Action: "secretsmanager:GetSecretValue", Resource: !Ref Own}]
  Own: {Type: AWS::SecretsManager::Secret, Properties: {KmsKeyId: alias/own, GenerateSecretString: {}}}
  Other: {Type: AWS::SecretsManager::Secret, Properties: {KmsKeyId: alias/own, GenerateSecretString: {}}}
"""


@pytest.mark.parametrize(("name", "known"), [("Own", "secrets-manager"), ("Other", None)])
def test_a_model_cannot_name_the_wrong_secret(name: str, known: str | None) -> None:
    """The function that uses it, by the model, uses another one in the file."""
    rest = "functions: {bot: {secrets: [slack-token]}}\nsecrets: {slack-token: {}}\n"
    found = graph({"bot.yaml": SECRETS}, f"{{template: bot.yaml, resources: {{slack-token: {name}}}}}", rest)
    assert fact(found, "kept_in", "slack-token") == known


def test_json_says_what_each_fact_relies_on() -> None:
    """Evidence; a statement of the model; a parameter's default."""
    parameter = "Parameters: {Seconds: {Type: Number, Default: 5}}\n"
    bot = parameter + BOT.replace("CodeUri: src/", "CodeUri: src/\n      Timeout: !Ref Seconds")
    found = graph({"bot.yaml": bot}, rest="functions: {bot: {validates_input: true}}\n")
    relied = {name: facts_data([(name, one)])[0]["relies_on"] for name, one in found.elements["bot"].facts.items()}
    assert relied["runtime_supported"] == "evidence"
    assert relied["validates_input"] == "statement"
    assert relied["timeout_seconds"] == "default"
