"""What a function uses."""

from __future__ import annotations

import pytest

from tests.evidence.asking import answer, found, plan
from tests.evidence.relations.stacks_of import (
    QUEUE,
    USES,
    allow,
    document,
    names,
    of_f,
    of_role,
    plain,
    resource,
    role,
    wired,
    with_resources,
)

TABLE = resource("T", "AWS::DynamoDB::Table")
BUCKET = resource("B", "AWS::S3::Bucket")
STREAM = resource("S", "AWS::Kinesis::Stream")
SECRET = resource("S", "AWS::SecretsManager::Secret", "Name: slack/signing")
SCAN = allow("dynamodb:Scan", "!GetAtt T.Arn")


@pytest.mark.parametrize(
    ("statement", "reads", "writes"),
    [
        (allow("dynamodb:GetItem", "!GetAtt T.Arn"), ["T"], []),
        (allow("dynamodb:PutItem", "!GetAtt T.Arn"), [], ["T"]),
        (allow("dynamodb:*", "!GetAtt T.Arn"), ["T"], ["T"]),
        (allow("dynamodb:DescribeTable", "!GetAtt T.Arn"), [], []),
        (allow("dynamodb:GetRecords", "!GetAtt T.StreamArn"), [], []),
        (allow("dynamodb:CreateItem", "!GetAtt T.Arn"), [], []),  # no such action
        (allow("[dynamodb:GetItem, s3:PutObject]", "[!GetAtt T.Arn, !Sub '${B.Arn}/*']"), ["T"], ["B"]),
        (allow("s3:GetObject", "!Sub '${B.Arn}/in/*'"), ["B"], []),
        (
            allow("dynamodb:*", "!GetAtt T.Arn") + ", {Effect: Deny, Action: dynamodb:PutItem, Resource: '*'}",
            ["T"],
            ["T"],
        ),
        (allow("dynamodb:PutItem", "!GetAtt T.Arn") + ", {Effect: Deny, Action: dynamodb:Put*, Resource: '*'}", [], []),
    ],
)
def test_grants_by_level(statement: str, reads: list[str], writes: list[str]) -> None:
    relations = of_role(statement, TABLE, BUCKET)
    assert names(relations, "reads") == reads
    assert names(relations, "writes") == writes
    assert relations.unknown == {}


@pytest.mark.parametrize(
    ("statement", "relation", "why"),
    [
        (allow("dynamodb:GetItem", "'*'"), "reads", "its role may read every table"),
        (allow("dynamodb:PutItem", "'arn:aws:dynamodb:*:*:table/*'"), "writes", "its role may write every table"),
        (allow("s3:GetObject", "'arn:aws:s3:::*/*'"), "reads", "its role may read every bucket"),
        (allow("sqs:*", "!GetAZs ''"), "sends", "its role may send to a queue that is not in this file"),
        (allow("events:PutEvents", "'*'"), "sends", "its role may send to every event bus"),
        (allow("!Ref P", "!GetAtt T.Arn"), "writes", "the parameter 'P' has no default"),
        ("!If [C, {Effect: Allow}, !Ref AWS::NoValue]", "reads", "it depends on the condition 'C'"),
        ("{Effect: Allow, NotAction: 'iam:*', Resource: '*'}", "secrets", "its role may read every"),
    ],
)
def test_what_may_be_used_elsewhere_leaves_the_list_open(statement: str, relation: str, why: str) -> None:
    sections = {"Parameters": "{P: {Type: String}}", "Conditions": "{C: !Equals [!Ref P, x]}"}
    relations = of_role(statement, TABLE, **sections)
    assert relations.unknown[relation].why.startswith(why)
    assert names(relations, relation) == []


@pytest.mark.parametrize(
    ("statement", "relation", "name", "sure"),
    [
        (allow("s3:GetObject", "'arn:aws:s3:::other/*'"), "reads", "aws:s3:other", True),
        (allow("s3:GetObject", "!Ref P"), "reads", "aws:s3:P", False),
        (allow("dynamodb:PutItem", "!Sub 'arn:aws:dynamodb:*:*:table/${P}'"), "writes", "aws:dynamodb:P", False),
        (allow("ssm:GetParameter", "'arn:aws:ssm:*:*:parameter/shop/*'"), "secrets", "aws:ssm:shop", False),
        (
            allow("secretsmanager:GetSecretValue", "'arn:aws:secretsmanager:*:*:secret:slack/bot-*'"),
            "secrets",
            "aws:secretsmanager:slack/bot",
            True,
        ),
        (
            allow("lambda:InvokeFunction", "'arn:aws:lambda:*:*:function:billing:live'"),
            "invokes",
            "aws:lambda:billing",
            True,
        ),
        (allow("bedrock:InvokeModel", "'*'"), "calls", "aws:bedrock:", True),
        (allow("states:StartExecution", "'arn:aws:states:*:*:stateMachine:flow'"), "calls", "aws:states:flow", True),
        (allow("ses:*", "'*'"), "calls", "aws:ses:", True),
    ],
)
def test_what_another_stack_holds_is_used_by_name(statement: str, relation: str, name: str, *, sure: bool) -> None:
    """One name is one member; what a parameter says or a path covers may be more."""
    relations = of_role(statement, TABLE, Parameters="{P: {Type: String}}")
    assert names(relations, relation) == [name]
    assert (relation in relations.unknown) is (not sure)
    assert relations.lists["calls"] == () or relation == "calls"


def test_a_name_that_one_of_the_file_may_have_is_no_other_stacks() -> None:
    table = resource("U", "AWS::DynamoDB::Table", "TableName: !Ref P")
    relations = of_role(
        allow("dynamodb:GetItem", "'arn:aws:dynamodb:*:*:table/orders'"), table, Parameters="{P: {Type: String}}"
    )
    assert names(relations, "reads") == []
    assert "reads" in relations.unknown


def test_the_logs_and_a_jobs_whole_outfit_are_no_calls() -> None:
    managed = "ManagedPolicyArns: ['arn:aws:iam::aws:policy/ReadOnlyAccess']"
    function = resource("F", "AWS::Lambda::Function", "Role: !GetAtt R.Arn")
    found = with_resources("\n".join((function, resource("R", "AWS::IAM::Role", managed))))["F"]
    assert found.lists["calls"] == ()
    assert of_role(allow("[logs:PutLogEvents, 'xray:*', kms:Decrypt]", "'*'"), TABLE).lists["calls"] == ()


@pytest.mark.parametrize(
    ("policy", "calls"),
    [
        ("CloudWatchLogsFullAccess", []),
        ("AmazonTranscribeFullAccess", ["transcribe"]),
        ("TranslateFullAccess", ["translate"]),
        ("AWSLambdaVPCAccessExecutionRole", []),
    ],
)
def test_a_policy_of_aws_is_for_what_it_is_called_after(policy: str, calls: list[str]) -> None:
    managed = f"ManagedPolicyArns: ['arn:aws:iam::aws:policy/{policy}']"
    function = resource("F", "AWS::Lambda::Function", "Role: !GetAtt R.Arn")
    found = with_resources("\n".join((function, resource("R", "AWS::IAM::Role", managed))))["F"]
    assert [use.resource for use in found.lists["calls"]] == [f"aws:{one}:" for one in calls]


@pytest.mark.parametrize(
    ("action", "calls"),
    [
        ("ec2:*", ["aws:ec2:"]),
        ("ec2:Start*", ["aws:ec2:"]),
        ("ec2:StartInstances", ["aws:ec2:"]),
        ("ec2:DescribeNetworkInterfaces", []),
        ("logs:*", []),
        ("xray:*", []),
    ],
)
def test_a_whole_service_is_called_unless_it_is_the_platforms(action: str, calls: list[str]) -> None:
    assert [use.resource for use in of_role(allow(f"['{action}']", "'*'")).lists["calls"]] == calls


def test_a_wildcard_leaves_a_list_open_and_keeps_what_is_named() -> None:
    others = (TABLE, resource("U", "AWS::DynamoDB::Table"), resource("V", "AWS::DynamoDB::Table"))
    relations = of_role(f"{SCAN}, {allow('dynamodb:*', chr(39) + '*' + chr(39))}", *others, environment="X: !Ref U")
    assert names(relations, "reads") == ["T", "U"]  # U is named by the environment, V by nothing
    assert names(relations, "writes") == ["U"]
    assert relations.unknown.keys() == {"reads", "writes"}


def test_actions_that_need_a_wildcard_leave_nothing_open() -> None:
    relations = of_role(allow("[s3:ListAllMyBuckets, ssm:DescribeParameters, logs:*, 'ec2:*NetworkInterface*']", "'*'"))
    assert relations.unknown == {}


def test_polling_is_no_reading() -> None:
    stream = "{Type: Kinesis, Properties: {Stream: !GetAtt S.Arn, StartingPosition: LATEST}}"
    queue = "{Type: SQS, Properties: {Queue: !GetAtt Q.Arn}}"
    relations = of_f(f"Events: {{A: {stream}, B: {queue}}}", STREAM, QUEUE)
    assert [start[:3] for start in relations.triggers] == [("queue", "", "S"), ("queue", "", "Q")]
    assert relations.unknown == {}
    assert relations.unused == ()
    polls = of_f("Policies: [KinesisStreamReadPolicy: {StreamName: !Ref S}]", STREAM)
    assert names(polls, "reads") == ["S"]  # nothing polls for it: its code reads


def test_a_role_that_functions_share_is_counted_for_each() -> None:
    found = with_resources("\n".join((plain("F"), plain("G"), role(SCAN), TABLE)))
    assert [names(relations, "reads") for relations in found.values()] == [["T"], ["T"]]


@pytest.mark.parametrize(
    ("arn", "why"),
    [
        ("arn:aws:iam::123456789012:role/r", "its role is not in this file"),
        ("!ImportValue r", "it is imported from another stack as 'r'"),
        ("!Ref P", "the parameter 'P' has no default"),
    ],
)
def test_a_role_elsewhere_leaves_everything_open(arn: str, why: str) -> None:
    relations = of_f(f"Role: {arn}, Environment: {{Variables: {{X: !Ref T}}}}", TABLE, Parameters="{P: {Type: String}}")
    assert {relations.unknown[relation].why for relation in USES} == {why}
    assert relations.ungranted == ()  # nobody can tell


def attached(to: str, more: str = "") -> str:
    return resource("A", "AWS::IAM::Policy", f"Roles: [{to}], {document(SCAN)}", more)


def test_a_policy_that_may_be_attached_to_the_role() -> None:
    why = of_f("Handler: a.b", attached("!ImportValue x"), TABLE).unknown["reads"].why
    assert why.startswith("'A' may be attached to its role: ")
    made_up = of_f("Handler: a.b", attached("!Ref P"), TABLE, Parameters="{P: {Type: String}}")
    assert made_up.unknown == {}  # nobody can give the name that AWS makes up for its role
    assert names(of_f("Handler: a.b", attached("!Ref FRole"), TABLE), "reads") == ["T"]


def test_a_policy_under_a_condition() -> None:
    sections = {"Parameters": "{P: {Type: String}}", "Conditions": "{C: !Equals [!Ref P, x]}"}
    relations = of_f("Handler: a.b", attached("!Ref FRole", "Condition: C, "), TABLE, **sections)
    assert relations.unknown["reads"].why.startswith("it exists only under the condition 'C'")


@pytest.mark.parametrize(
    ("kind", "about", "action", "relation"),
    [
        ("AWS::SQS::QueuePolicy", "Queues: [!Ref Q]", "sqs:SendMessage", "sends"),
        ("AWS::S3::BucketPolicy", "Bucket: !Ref B", "s3:GetObject", "reads"),
    ],
)
def test_a_policy_of_the_resource_grants_too(kind: str, about: str, action: str, relation: str) -> None:
    statement = allow(action, "'*'", ", Principal: {AWS: !GetAtt FRole.Arn}")
    relations = of_f("Handler: a.b", QUEUE, BUCKET, resource("P", kind, f"{about}, {document(statement)}"))
    assert len(names(relations, relation)) == 1
    assert relations.unknown == {}


def test_grants_and_uses_without_counterpart() -> None:
    relations = of_role(SCAN, TABLE, QUEUE, BUCKET, environment="A: !Ref Q, B: !GetAtt B.Arn")
    assert names(relations, "unused") == ["T"]
    assert names(relations, "ungranted") == ["Q", "B"]
    assert all(use.how == ("environment",) and use.places for use in relations.ungranted)


def test_what_cannot_be_seen_is_neither_unused_nor_ungranted() -> None:
    sections = {"Parameters": "{P: {Type: String}}", "Conditions": "{C: !Equals [!Ref P, x]}"}
    blind = of_role(SCAN, TABLE, environment="A: !If [C, !Ref T, x]", **sections)
    assert blind.unused == ()
    hidden = of_role("!If [C, {Effect: Allow}, !Ref AWS::NoValue]", TABLE, environment="A: !Ref T", **sections)
    assert hidden.ungranted == ()
    received = of_role(allow("sqs:ReceiveMessage", "!GetAtt Q.Arn"), QUEUE, environment="A: !Ref Q")
    assert received.ungranted == ()


def test_a_secret_put_into_the_environment_is_a_use() -> None:
    by_link = of_role("", SECRET, environment="A: !Sub '{{resolve:secretsmanager:${S}:SecretString}}'")
    by_name = of_role("", SECRET, environment="A: '{{resolve:secretsmanager:slack/signing:SecretString}}'")
    for relations in (by_link, by_name):
        assert [(use.resource, use.how) for use in relations.lists["secrets"]] == [("S", ("environment",))]
        assert relations.ungranted == ()


def test_a_secret_behind_its_attachment() -> None:
    behind = resource("A", "AWS::SecretsManager::SecretTargetAttachment", "SecretId: !Ref S")
    relations = of_role(allow("secretsmanager:GetSecretValue", "!Ref A"), SECRET, behind)
    assert names(relations, "secrets") == ["S"]
    assert relations.unknown == {}


def test_a_database_is_reached_without_a_grant() -> None:
    relations = of_role("", resource("D", "AWS::RDS::DBInstance"), environment="HOST: !GetAtt D.Endpoint.Address")
    assert relations.unknown.keys() == {"reads", "writes"}
    assert relations.unknown["reads"].why == "it receives the address of 'D', which can be used without a grant"
    assert relations.ungranted == ()


def test_hosts_but_never_values() -> None:
    relations = of_f(
        "Environment: {Variables: {A: 'https://u:planted@Example.org/planted?planted', B: 'planted', C: !Ref P, "
        "D: 'https://sqs.eu-west-1.amazonaws.com/planted', E: 'wss://a.example.net:8443/x'}}",
        Parameters="{P: {Type: String, Default: 'https://planted.example.com'}}",
    )
    assert relations.externals == ("example.org", "a.example.net")
    assert "planted" not in repr(relations)


def test_names_by_text() -> None:
    others = (
        resource("Q", "AWS::SQS::Queue", "QueueName: jobs"),
        resource("T", "AWS::DynamoDB::Table", "TableName: !Sub '${P}-orders'"),
    )
    statements = ", ".join([
        allow("sqs:SendMessage", "'arn:aws:sqs:eu-west-1:123456789012:jobs'"),
        allow("dynamodb:GetItem", "!Sub 'arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${P}-orders'"),
    ])  # fmt: skip
    relations = of_role(
        statements, *others, environment="A: jobs, B: !Sub '${P}-orders'", Parameters="{P: {Type: String}}"
    )
    assert [(use.resource, use.how) for use in (*relations.lists["sends"], *relations.lists["reads"])] == [
        ("Q", ("grant", "environment")),
        ("T", ("grant", "environment")),
    ]
    assert relations.unknown == {}


PLAN = """\
aws_iam_role.run: {name: shop-run}
aws_lambda_function.bot: {function_name: bot, role: "${aws_iam_role.run.arn}"}
aws_dynamodb_table.orders: {name: orders, arn: "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"}
aws_iam_policy.own:
  name: own
  policy: '{"Statement": [{"Effect": "Allow", "Action": ["dynamodb:PutItem", "iam:PutRolePolicy"], "Resource": "*"}]}'
"""


@pytest.mark.slow
@pytest.mark.parametrize("role", ["${aws_iam_role.run.name}", "shop-run"])
@pytest.mark.parametrize("policy", ["${aws_iam_policy.own.arn}", "arn:aws:iam::aws:policy/AdministratorAccess"])
def test_all_managed_policies_of_a_role_at_once(role: str, policy: str) -> None:
    """Terraform's resource that keeps a role to some managed policies attaches them."""
    text = f'{PLAN}aws_iam_role_policy_attachments_exclusive.run: {{role_name: "{role}", policy_arns: ["{policy}"]}}\n'
    stack = plan(text)
    assert answer(found(stack, "function", "role_can_escalate")) is True
    assert "writes" in wired(stack)["aws_lambda_function.bot"].unknown


def test_a_queue_that_it_receives_from_and_is_not_started_by_leaves_open_what_it_reads() -> None:
    receive = allow("[sqs:ReceiveMessage, sqs:DeleteMessage]", "!GetAtt Q.Arn")
    assert of_role(receive, QUEUE).unknown["reads"].why == (
        "its role may receive from the queue 'Q', which triggers no function"
    )
    mapping = resource("M", "AWS::Lambda::EventSourceMapping", "FunctionName: !Ref F, EventSourceArn: !GetAtt Q.Arn")
    assert "reads" not in of_role(receive, QUEUE, mapping).unknown
    assert "reads" not in of_role(allow("sqs:SendMessage", "!GetAtt Q.Arn"), QUEUE).unknown
    for_another = mapping.replace("!Ref F", "!Ref G")
    sharing = "\n".join((plain("F"), plain("G"), role(receive), QUEUE, for_another))
    assert "reads" not in with_resources(sharing)["F"].unknown  # with a role that another function needs it for


def test_what_calls_back_a_durable_function_calls_it() -> None:
    other = resource("G", "AWS::Lambda::Function", "Handler: a.b, Role: !GetAtt R.Arn, FunctionName: shop-pay")
    callback = allow(
        "lambda:SendDurableExecutionCallbackSuccess",
        "!Sub 'arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:shop-pay*'",
    )
    assert "G" in names(of_role(callback, other), "invokes")
    checkpoint = allow("lambda:CheckpointDurableExecution", "!GetAtt G.Arn")
    assert names(of_role(checkpoint, other), "invokes") == []


def test_a_policy_of_aws_about_a_service_and_its_companion_names_no_call() -> None:
    assert names(of_f("Policies: [AmazonS3FullAccess]"), "calls") == []


@pytest.mark.parametrize(
    ("properties", "secret"),
    [
        ("Type: String, Name: /shop/api/url, Value: https://example.org/orders", False),
        ("Type: StringList, Name: /shop/regions, Value: 'eu-west-1,eu-central-1'", False),
        ("Type: StringList, Name: /shop/stages, Value: 'dev,prod'", True),
        ("Type: String, Name: /shop/signing-secret, Value: x", True),
        ("Type: String, Name: /shop/api, Value: xoxb-1234567890-abcdefghij", True),
        ("Type: String, Name: /shop/api, Value: !Ref Given", True),
        ("Type: !Ref Given, Name: /shop/api/url, Value: https://example.org/orders", True),
        ("Type: SecureString, Name: /shop/api/url, Value: https://example.org/orders", True),
    ],
)
def test_a_setting_in_the_parameter_store_is_no_secret(properties: str, *, secret: bool) -> None:
    setting = resource("S", "AWS::SSM::Parameter", properties)
    grant = allow("ssm:GetParameter", "!Sub 'arn:aws:ssm:${AWS::Region}:${AWS::AccountId}:parameter${S}'")
    relations = of_role(grant, setting, Parameters="{Given: {Type: String}}")
    assert names(relations, "secrets") == (["S"] if secret else [])
    assert names(relations, "calls") == ([] if secret else ["aws:ssm:"])
    assert not relations.beyond


@pytest.mark.parametrize(
    ("arn", "open_"),
    [
        ("arn:aws:s3:::EXAMPLE/a/${P}/*", False),
        ("arn:aws:s3:::shop*", True),
        ("arn:aws:s3:::${P}", True),
    ],
)
def test_a_name_that_aws_makes_up_is_none_that_is_written_out(arn: str, *, open_: bool) -> None:
    """What is unknown stands below the bucket's name: it cannot be the bucket of this file, and the other is named."""
    grant = allow("s3:PutObject", f"!Sub '{arn}'")
    relations = of_role(grant, resource("S", "AWS::S3::Bucket"), Parameters="{P: {Type: String, Default: x}}")
    assert ("writes" in relations.unknown) is open_
    assert open_ or names(relations, "writes") == ["aws:s3:EXAMPLE"]


BY_R = "{Effect: Allow, Principal: {AWS: !GetAtt R.Arn}, Action: sts:AssumeRole}"


def assumable(trust: str, statement: str, name: str = "W") -> str:
    return resource(
        name,
        "AWS::IAM::Role",
        f"AssumeRolePolicyDocument: {{Statement: [{trust}]}}, Policies: [{{PolicyName: p, {document(statement)}}}]",
    )


@pytest.mark.parametrize(
    ("trust", "sure"),
    [
        (BY_R, True),
        (BY_R.replace("!GetAtt R.Arn", "!Sub 'arn:aws:iam::${AWS::AccountId}:root'"), True),
        (BY_R.replace("!GetAtt R.Arn", "arn:aws:iam::111122223333:root"), False),
        (BY_R.replace("AWS: !GetAtt R.Arn", "Service: lambda.amazonaws.com"), False),
        (BY_R[:-1] + ", Condition: {StringEquals: {sts:ExternalId: x}}}", False),
    ],
)
def test_what_an_assumed_role_may_do_is_used(trust: str, *, sure: bool) -> None:
    """By a role that names it: where its trust policy may not admit that, every list is open."""
    assumes, reads = allow("sts:AssumeRole", "!GetAtt W.Arn"), allow("s3:GetObject", "!Sub '${B.Arn}/*'")
    denied = allow("dynamodb:PutItem", "!GetAtt T.Arn") + ", {Effect: Deny, Action: s3:*, Resource: '*'}"
    relations = of_role(f"{assumes}, {reads}", TABLE, BUCKET, assumable(trust, denied))
    assert names(relations, "writes") == (["T"] if sure else [])
    assert names(relations, "reads") == ["B"]
    assert ("writes" in relations.unknown) is not sure


def test_what_an_assumed_role_calls_is_called() -> None:
    assumes = allow("sts:AssumeRole", "!GetAtt W.Arn")
    mails = allow("ses:SendEmail", "'*'")
    assert "aws:ses:" in names(of_role(assumes, assumable(BY_R, mails)), "calls")
    assert "aws:ses:" not in names(of_role(assumes, assumable(BY_R.replace("!GetAtt R.Arn", "'1'"), mails)), "calls")


def test_a_role_outside_the_file_is_called_by_its_name() -> None:
    for arn, wanted in (
        ("arn:aws:iam::111122223333:role/teams/deployer", ["aws:sts:deployer"]),
        ("arn:aws:iam::111122223333:role/deployer", ["aws:sts:deployer"]),
        ("arn:aws:iam::111122223333:role/audit-*", []),
        ("*", []),
    ):
        assert names(of_role(allow("sts:AssumeRole", f"'{arn}'")), "calls") == wanted


def test_a_role_is_assumed_by_its_own_policy_or_by_name() -> None:
    """An account that is trusted as a whole decides by the policies of its roles."""
    writes = allow("dynamodb:PutItem", "!GetAtt T.Arn")
    account = BY_R.replace("!GetAtt R.Arn", "!Ref AWS::AccountId")
    assert names(of_role(SCAN, TABLE, assumable(BY_R, writes)), "writes") == ["T"]
    nothing = of_role(SCAN, TABLE, assumable(account, writes))
    assert (names(nothing, "writes"), nothing.unknown) == ([], {})


def test_a_plan_shows_what_an_assumed_role_may_do() -> None:
    def policy(action: str, more: str) -> str:
        return f'{{"Statement": [{{"Effect": "Allow", "Action": "{action}", {more}}}]}}'

    trust = policy("sts:AssumeRole", '"Principal": {"AWS": "${aws_iam_role.r.arn}"}')
    assumes = policy("sts:AssumeRole", '"Resource": "${aws_iam_role.w.arn}"')
    writes = policy("dynamodb:PutItem", '"Resource": "${aws_dynamodb_table.t.arn}"')
    stack = plan(f"""
aws_lambda_function.f: {{function_name: f, role: "${{aws_iam_role.r.arn}}"}}
aws_dynamodb_table.t: {{name: t}}
aws_iam_role.r: {{name: r}}
aws_iam_role.w: {{name: w, assume_role_policy: '{trust}'}}
aws_iam_role_policy.r: {{role: "${{aws_iam_role.r.name}}", policy: '{assumes}'}}
aws_iam_role_policy.w: {{role: "${{aws_iam_role.w.name}}", policy: '{writes}'}}
""")
    assert names(wired(stack)["aws_lambda_function.f"], "writes") == ["aws_dynamodb_table.t"]


def test_roles_that_assume_each_other_end() -> None:
    """What is reached by way of another role counts, too."""
    back = allow("sts:AssumeRole", "!GetAtt R.Arn") + ", " + allow("sts:AssumeRole", "!GetAtt X.Arn")
    last = assumable(BY_R.replace("R.Arn", "W.Arn"), allow("dynamodb:PutItem", "!GetAtt T.Arn"), "X")
    relations = of_role(allow("sts:AssumeRole", "!GetAtt W.Arn"), TABLE, assumable(BY_R, back), last)
    assert names(relations, "writes") == ["T"]
