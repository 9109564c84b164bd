"""How variables are supplied: which of them hold a secret, and that no value ever comes out again."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evidence.asking import UNKNOWN, answer, template
from tests.evidence.asking import found as asked_of
from tests.support import working_at_most
from threatmodel.evidence.analyses.secret_texts import meaning
from threatmodel.evidence.analyses.secrets import HOW, Supply, supplied
from threatmodel.reading.problems import Place
from threatmodel.stacks.cloudformation.reader import read
from threatmodel.stacks.stack import Parameter, Resource, Stack
from threatmodel.stacks.terraform import reader as terraform
from threatmodel.stacks.values import Link, Node, Scalar, Table, Unknown, get

AT = Place("template.yaml", 3, 5)
HEX = "8f742231b10e8888abcd99f0a1b2c3d4"
RANDOM = "wJalrXUtnFEMIzK7MDENGbPxRfiCYz9q"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"
NOTHING = Stack(file="template.yaml", kind="cloudformation", resources={})

TEMPLATE = """\
Parameters:
  SlackToken: {Type: String, NoEcho: true}
  Filled: {Type: String, NoEcho: true, Default: planted-default-1}
  TokenSsmName: {Type: String, NoEcho: true}
  DbPassword: {Type: String, NoEcho: true, Default: planted-default-2}
  Stage: {Type: String, Default: dev}
  PlainToken: {Type: String}
  Team: {Type: String}
  StoredToken: {Type: "AWS::SSM::Parameter::Value<String>", Default: /slack/token}
  Committed: {Type: String, Default: xoxb-123456789012-planted}
Conditions:
  Dev: !Equals [!Ref Stage, dev]
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  Secret: {Type: AWS::SecretsManager::Secret}
  Stored: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: planted-stored}}
  Key: {Type: AWS::IAM::AccessKey, Properties: {UserName: bot}}
  Client: {Type: AWS::Cognito::UserPoolClient}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Environment:
        Variables:
"""


def decided(variable: str, value: str) -> Supply:
    stack, _ = read(f"{TEMPLATE}          {variable}: {value}\n", "template.yaml")
    node = get(stack.resources["Function"].properties, "Environment", "Variables", variable)
    assert node is not None
    return supplied(variable, node, stack)


@pytest.mark.parametrize(
    ("variable", "value", "how", "secret"),
    [
        # the look of a value
        ("ANYTHING", "xoxb-123456789012-1234567890123-abcDEF", "literal-secret", True),
        ("ANYTHING_NAME", "xoxp-123456789012-abcdef", "literal-secret", True),
        ("ANYTHING", "xapp-1-A0123456789-1234567890123-abcdef", "literal-secret", True),
        ("ANYTHING", "xoxe.xoxp-1-Mi0yLTEyMzQ1Njc4OTA", "literal-secret", True),
        ("ANYTHING", "AKIAIOSFODNN7ABCDEFG", "literal-secret", True),
        ("ACCESS_KEY_ID", "ASIAIOSFODNN7ABCDEFG", "literal-secret", True),
        ("PEM", '"-----BEGIN RSA PRIVATE KEY-----\\nMIIE"', "literal-secret", True),
        ("PEM", '"-----BEGIN PUBLIC KEY-----\\nMIIE"', "literal", False),
        ("SESSION", JWT, "literal-secret", True),
        ("HOOK_URL", "https://hooks.slack.com/services/T01234567/B01234567/abcdefghijkl", "literal-secret", True),
        ("DATABASE_URL", "postgres://app:hunter22@db.example.com/app", "literal-secret", True),
        ("DATABASE_URL", "postgres://db.example.com:5432/app", "literal", False),
        ("SLACK_BOT_TOKEN", "xoxb-your-token-here", "literal", None),
        ("ANYTHING", "xoxb-your-token-here,xoxb-123456789012-1234567890123-abcDEF", "literal-secret", True),
        ("DATABASE_URL", "mongodb://<user>:<password>@db.example.com/app", "literal", None),
        ("DATABASE_URL", "mongodb://<user>:<hunter22@db.example.com/app", "literal-secret", True),
        ("ANYTHING", "amqp://user:your-password@a amqp://bot:mR4vLq9@b", "literal-secret", True),
        # a random value counts where the name says what it is
        ("SLACK_SIGNING_SECRET", HEX, "literal-secret", True),
        ("SIGNING", HEX, "literal-secret", True),
        ("BUILD", HEX, "literal", None),
        ("SIGNING_SECRET_ID", HEX, "literal", None),
        ("DISCORD_PUBLIC_KEY", HEX + HEX, "literal", False),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYz9qAbCdEf1", "literal-secret", True),
        ("apiKey", RANDOM, "literal-secret", True),
        ("API_KEY", "2f1c8a52-5a2e-4be0-9f7b-2b9a3c4d5e6f", "literal-secret", True),
        ("RELEASE", RANDOM, "literal", None),
        ("CONFIG", """'{"default_results":8,"table":"orders-table-1"}'""", "literal", False),
        ("CONFIG", "'{}'", "literal", False),
        ("CONFIG", f"""'{{"api_token":"{RANDOM}"}}'""", "literal-secret", True),
        ("CONFIG", f"""'{{"release":"{RANDOM}"}}'""", "literal", None),
        ("CONFIG", """'{"pin":1234}'""", "literal", None),
        ("CONFIG", f"""'{{"a":"{RANDOM}","a":1}}'""", "literal", None),
        ("CONFIG", f"""'{{"{RANDOM}":1}}'""", "literal", None),
        ("CONFIG", """'{"rules":[1,2,"abcdefghij0123456789"]}'""", "literal", None),
        ("CONFIG", """'{"rules": [1, 2, "a"], "of": {"size": 3}}'""", "literal", None),
        ("CONFIG", """'{"rules": [1, 2, true], "of": {"size": 3, "path": "/a"}}'""", "literal", False),
        ("CONFIG", f"""'{{"a": {{"b": "{RANDOM}"}}}}'""", "literal", None),
        ("CONFIG", f"""' [{{"a": "{RANDOM}"}}]'""", "literal", None),
        ("CONFIG", f"""'{{"token": ["{RANDOM}"]}}'""", "literal-secret", True),
        ("CONFIG", f"""'{{"a":{{"b":"{RANDOM}"}}}}'""", "literal", None),
        ("DB_SECRET", """'{"default_results":8}'""", "literal-secret", True),
        # a name alone is no secret, and neither is the name of one
        ("SLACK_TOKEN_SSM_NAME", "/slack/bot/token", "literal", False),
        ("SLACK_TOKEN", "/slack/bot/token", "literal", False),
        ("SLACK_TOKEN", "prod/slack/token-2", "literal", None),
        ("SIGNING_SECRET", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:slack-Ab12Cd", "literal", False),
        ("SECRET_TTL", "300", "literal", False),
        ("MAX_TOKENS", "4096", "literal", False),
        ("USE_SECRETS_MANAGER", '"true"', "literal", False),
        ("API_KEY", "changeme", "literal", None),
        ("API_KEY", '""', "literal", None),
        ("DB_PASSWORD", "hunter22x", "literal-secret", True),
        ("DB_PASSWORD", "postgres", "literal-secret", True),
        ("DB_PASSWORD", "your-password-1", "literal", None),
        ("DB_PASSWORD", "tiger", "literal", None),
        ("DATABASE", "postgres", "literal", None),
        ("API_KEY", "hunter22x", "literal", None),
        ("TABLE", "orders", "literal", False),
        ("PARTITION_KEY", "customer1", "literal", False),
        # parameters: NoEcho and both names
        ("SLACK_BOT_TOKEN", "!Ref SlackToken", "hidden-parameter", True),
        ("SLACK_BOT_TOKEN", "!Ref Filled", "hidden-parameter", True),
        ("CONFIG", "!Ref SlackToken", "hidden-parameter", True),
        ("CONFIG", "!Ref Filled", "hidden-parameter", None),
        ("SLACK_TOKEN_SSM_NAME", "!Ref TokenSsmName", "hidden-parameter", None),
        ("SLACK_TOKEN_SSM_NAME", "!Ref SlackToken", "hidden-parameter", None),
        ("SLACK_TOKEN", "!Ref TokenSsmName", "hidden-parameter", None),
        ("DATABASE_URL", '!Sub "postgres://app:${DbPassword}@db.example.com"', "literal-secret", True),
        ("DATABASE_URL", '!Sub "postgres://app:${SlackToken}@db.example.com"', "hidden-parameter", True),
        ("SLACK_TOKEN", "!Ref PlainToken", "parameter", True),
        ("SLACK", "!Ref PlainToken", "parameter", None),
        ("SLACK_TOKEN", "!Ref Stage", "parameter", False),
        ("STAGE", "!Ref Stage", "parameter", False),
        ("TEAM", "!Ref Team", "parameter", False),
        ("SLACK_TOKEN", "!Ref StoredToken", "parameter", True),
        ("SLACK_TOKEN", "!Ref Committed", "literal-secret", True),
        # dynamic references put the value there
        ("SIGNING", '"{{resolve:secretsmanager:slack:SecretString:signing}}"', "secretsmanager-dynamic", True),
        ("SIGNING", '!Sub "{{resolve:secretsmanager:${Secret}}}"', "secretsmanager-dynamic", True),
        ("DB_USER", '"{{resolve:secretsmanager:db:SecretString:username}}"', "secretsmanager-dynamic", None),
        ("ANYTHING", '"{{resolve:ssm-secure:/slack/token:1}}"', "ssm-secure", True),
        ("SLACK_TOKEN", '"{{resolve:ssm:/slack/token:1}}"', "ssm-dynamic", True),
        ("SLACK_TOKEN", '"{{resolve:ssm:/slack/config}}"', "ssm-dynamic", None),
        ("VPC", '"{{resolve:ssm:/network/vpc}}"', "ssm-dynamic", None),
        ("LOG_LEVEL", '"{{resolve:ssm:/app/log-level}}"', "ssm-dynamic", False),
        # references: a name or ARN is no secret, some attributes are
        ("SLACK_TOKEN", "!Ref Secret", "reference", False),
        ("SLACK_TOKEN", "!Ref Stored", "reference", False),
        ("SLACK_TOKEN", "!GetAtt Stored.Value", "link", None),
        ("TABLE", "!GetAtt Bucket.Arn", "link", False),
        ("KEY", "!GetAtt Key.SecretAccessKey", "secret-value", True),
        ("CLIENT", "!GetAtt Client.ClientSecret", "secret-value", True),
        ("TARGET", '!Sub "https://${Bucket}.s3.amazonaws.com"', "text", False),
        ("MIXED", '!Sub "id:${Client.ClientSecret}"', "secret-value", True),
        # what nobody can tell
        ("SLACK_TOKEN", "!ImportValue slack-token", "unknown", None),
        ("ANYTHING", "!ImportValue shared", "unknown", None),
        ("TABLE_NAME", "!ImportValue orders-table", "unknown", False),
        ("ANYTHING", "!If [Dev, xoxb-123456789012-planted, none]", "literal-secret", True),
        ("ANYTHING_URL", "!If [Dev, xoxb-123456789012-planted, none]", "literal-secret", True),
    ],
)
def test_each_way_to_supply_a_value_is_told(variable: str, value: str, how: str, secret: bool | None) -> None:
    supply = decided(variable, value)
    assert (supply.how, supply.secret) == (how, secret), supply
    assert bool(supply.why) is (secret is None)
    assert supply.how in HOW


@pytest.mark.parametrize(
    ("name", "says"),
    [
        *[
            (name, "harmless")
            for name in ("SLACK_TOKEN_SSM_NAME", "tokenArn", "SECRET_PARAMETER", "KEY_PATH", "TOKEN_TTL")
        ],
        *[(name, "harmless") for name in ("SECRET_URL", "KMS_KEY_ID", "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT")],
        *[
            (name, "secret")
            for name in ("SLACK_TOKEN", "slackSigningSecret", "API_KEY", "apikey", "DB_PASSWORD", "mytoken")
        ],
        *[(name, "secret") for name in ("SLACK_TOKEN_2", "TOKEN_PROD", "HMAC_KEY")],
        *[(name, "harmless") for name in ("S3_KEY", "SORT_KEY", "MAX_TOKENS", "PUBLIC_KEY", "TokenParameterKey")],
        *[(name, "neutral") for name in ("", "_", "MONKEYS")],
    ],
)
def test_what_a_name_says(name: str, says: str) -> None:
    assert meaning(name) == (says)


PLANTED = [
    "xoxb-123456789012-planted",
    HEX,
    RANDOM,
    JWT,
    "AKIAPLANTEDPLANTED12",
    "planted pass phrase",
    "postgres://app:planted1@db.example.com",
    "{{resolve:ssm:/planted/path}}",
]


@pytest.mark.parametrize("value", PLANTED)
@pytest.mark.parametrize("name", ["SLACK_TOKEN", "ANYTHING", "SECRET_NAME", "xoxb-123456789012-planted"])
def test_no_value_comes_out_again(name: str, value: str) -> None:
    nodes: list[Node] = [
        Scalar(value, AT),
        Unknown("it depends on a condition", AT, Scalar(value, AT)),
        Scalar(value, AT, ("Gone",)),
    ]
    for node in nodes:
        supply = supplied(name, node, NOTHING)
        shown = f"{supply._replace(name='')!r} {supply.described()} {supply.why}"
        assert value not in shown
        assert "planted" not in shown


def test_a_parameters_default_does_not_come_out() -> None:
    for variable in ("SLACK_TOKEN", "CONFIG", "SECRET_NAME"):
        for parameter in ("Filled", "DbPassword", "Committed", "StoredToken"):
            assert "planted" not in repr(decided(variable, f"!Ref {parameter}"))


def test_attributes_of_a_plan_that_are_the_secret_itself() -> None:
    secure = Resource(
        name="aws_ssm_parameter.token",
        type="AWS::SSM::Parameter",
        properties=Table({"Type": Scalar("SecureString", AT)}, AT),
        place=AT,
    )
    made = {"module.a[0].random_password.x": "random_password"}
    stack = Stack(file="plan.json", kind="terraform", resources={secure.name: secure}, looked_up=made)
    for address, attribute, secret in (
        ("aws_ssm_parameter.token", "value", True),
        ("aws_ssm_parameter.token", "arn", False),
        ("data.aws_secretsmanager_secret_version.slack", "secret_string", True),
        ("module.a[0].random_password.x", "result", True),
        ("aws_secretsmanager_secret.slack", "arn", False),
        ("aws_secretsmanager_secret.slack", "id", False),
        ("aws_iam_access_key.bot", "secret", True),
        ("aws_dynamodb_table.orders", "name", False),
    ):
        assert supplied("CONFIG", Link(address, attribute, AT), stack).secret is secret, (address, attribute)


def test_a_plan_holds_values_in_clear_and_none_comes_out() -> None:
    values = {"SLACK_TOKEN": "planted-value-1", "STAGE": "prod", "COPY": "planted-value-1", "API_KEY": "planted-key-2"}
    address = "aws_lambda_function.bot"
    references = {"environment": [{"variables": {"references": ["var.slack_token", "var.stage"]}}]}
    raw = {
        "format_version": "1.2",
        "timestamp": "2026-01-01T00:00:00Z",
        "variables": {"slack_token": {"value": "planted-value-1"}, "stage": {"value": "prod"}},
        "planned_values": {
            "root_module": {
                "resources": [
                    {
                        "address": address,
                        "mode": "managed",
                        "type": "aws_lambda_function",
                        "name": "bot",
                        "values": {"environment": [{"variables": values}]},
                        "sensitive_values": {"environment": [{"variables": {"API_KEY": True}}]},
                    }
                ]
            }
        },
        "resource_changes": [{"address": address, "change": {"actions": ["create"], "after_unknown": {}}}],
        "configuration": {
            "root_module": {
                "variables": {"slack_token": {"sensitive": True}, "stage": {}},
                "resources": [
                    {
                        "address": address,
                        "mode": "managed",
                        "type": "aws_lambda_function",
                        "name": "bot",
                        "expressions": references,
                    }
                ],
            }
        },
    }
    stack = terraform.read(json.dumps(raw), "plan.json")
    variables = get(stack.resources[address].properties, "Environment", "Variables")
    assert isinstance(variables, Table)
    found = {name: supplied(name, node, stack) for name, node in variables.entries.items()}
    assert found["SLACK_TOKEN"][1:4:2] == ("hidden-parameter", True)
    assert found["COPY"].secret is True
    assert found["STAGE"].secret is False
    assert found["API_KEY"].secret is None
    assert "planted" not in repr(found)


@given(name=st.text(max_size=40), value=st.text(max_size=300) | st.none() | st.integers() | st.booleans() | st.floats())
def test_any_name_and_value_are_decided(name: str, value: str | float | None) -> None:
    supply = supplied(name, Scalar(value, AT), NOTHING)
    assert supply.how in HOW
    assert supply.place == AT


@pytest.mark.parametrize(
    "value",
    [
        "eyJ" * 100_000,
        "://" * 100_000,
        "://a:" + "b" * 300_000,
        "a" * 300_000,
        "{{resolve:ssm:" * 50_000,
        "-" * 300_000,
    ],
)
def test_no_value_takes_long(value: str) -> None:
    with working_at_most(seconds=1):
        supplied("SLACK_TOKEN", Scalar(value, AT), NOTHING)


def test_a_value_that_is_no_text_is_unknown() -> None:
    supply = supplied("SLACK_TOKEN", Table({"a": Scalar("planted", AT)}, AT, {}), NOTHING)
    assert (supply.how, supply.secret) == ("unknown", None)


KEPT = """
Parameters:
  Hidden: {Type: String, NoEcho: true}
  Shown: {Type: String, Default: x}
Resources:
  Token: {Type: AWS::SecretsManager::Secret, Properties: {%s}}
"""
INLINE = "  F: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: \"t = 'xoxb-1234567890-abcdefgh'\"}}}\n"


@pytest.mark.parametrize(
    ("properties", "more", "expected"),
    [
        ("Description: filled by hand", "", "secrets-manager"),
        ("GenerateSecretString: {PasswordLength: 32}", "", "secrets-manager"),
        ("SecretString: some-value-of-it", "", "code"),
        ("SecretString: REPLACE_ME", "", UNKNOWN),
        ("SecretString: !Ref Hidden", "", "secrets-manager"),
        ("SecretString: !Ref Shown", "", UNKNOWN),
        ("SecretString: !ImportValue token", "", UNKNOWN),
        ("SecretString: '{{resolve:ssm-secure:token}}'", "", "secrets-manager"),
        ("Description: filled by hand", INLINE, UNKNOWN),
    ],
)
def test_where_a_secret_is_kept(properties: str, more: str, expected: str) -> None:
    outcome = asked_of(template(KEPT % properties + more), "secret", "kept_in")
    assert answer(outcome) == expected
    assert "some-value-of-it" not in repr(outcome)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("xoxb-123456789012-AbCdEfGhIj", "code"),
        ("hunter2", "code"),
        ("orders", "ssm-string"),
        ("REPLACE_ME", "ssm-string"),
        ("!Ref Shown", "ssm-string"),
    ],
)
def test_a_parameter_of_the_store_whose_value_is_in_the_file_is_kept_there(value: str, expected: str) -> None:
    head = KEPT.partition("  Token:")[0]
    kept = f"  S: {{Type: AWS::SSM::Parameter, Properties: {{Type: String, Name: /bot/token, Value: {value}}}}}\n"
    assert answer(asked_of(template(head + kept), "secret", "kept_in")) == expected


PASSWORDS = ("supersecret99", "hunter2", "P@ssw0rd123", "s3cr3t-value-99", "letmein", "changeme!", "Winter2024!")
WORDS = (
    *("Tada!", "x", "password", "my-secret", "my-secret-2", "dbsecret1", "secret_v2", "password-reset", "Summer2024"),
    *("prod/db/password1", "secretsmanager", "passwordless", "${secret}-password1"),
)


@pytest.mark.parametrize("value", PASSWORDS)
@pytest.mark.parametrize("name", ["ADMIN", "SETTING", "VARIABLE_1", "DATABASE", "DB_PASSWORD"])
def test_a_value_that_says_password_is_one_under_a_neutral_name(name: str, value: str) -> None:
    assert decided(name, f'"{value}"').secret is True


@pytest.mark.parametrize("value", PASSWORDS)
def test_a_value_that_says_password_is_not_harmless_by_its_name(value: str) -> None:
    assert decided("SECRET_NAME", f'"{value}"').secret is None


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("MY_SECRET_ENV_VAR", "thisisasecretvalue", True),
        ("JWT_SECRET", "supersecret", True),
        ("API_TOKEN", "topsecret!", True),
        ("JWT_SECRET", "yoursecrethere", None),
        ("JWT_SECRET", "mysecret", None),
        ("JWT_SECRET", "my-secret-value", None),
        ("JWT_SECRET", "/prod/secretvalue", False),
        ("JWT_SECRET_NAME", "thisisasecretvalue", False),
        ("SETTING", "thisisasecretvalue", None),
        ("APP_SECRET", "The-Secret-Value-1", True),
        ("API_TOKEN", "My Secret Phrase", True),
        ("APP_SECRET", "Prod-Secret", None),
        ("APP_SECRET", "Your-Secret-Here", None),
        ("VARIABLE_1", "The-Secret-Value-1", None),
        ("STAGE", "The-Secret-Value-1", None),
        ("BOT_ID", "my-secret", None),
        ("BOT_ID", "my-bot", False),
        ("SECRET_ID", "The-Secret-Value-1", False),
        ("PUBLIC_KEY", "hunter2", None),
        ("PUBLIC_NAME", "Orders 2", False),
    ],
)
def test_words_run_together_are_a_secret_where_the_name_says_so(name: str, value: str, secret: bool | None) -> None:
    assert decided(name, f'"{value}"').secret is secret


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("MODE", "password", None),
        ("USERNAME", "Secret!", None),
        ("SECRET_NAME", "secret", False),
        ("PASSWORD_FIELD", "password", None),
        ("MODE", "fast", False),
        ("PASS_THROUGH", "admin", None),
        ("PASS_THROUGH", "true", False),
        ("DB_PASS", "admin", True),
        ("dbPass", "admin", True),
    ],
)
def test_a_word_is_judged_by_what_the_name_says_last(name: str, value: str, secret: bool | None) -> None:
    assert decided(name, f'"{value}"').secret is secret


@pytest.mark.parametrize("value", WORDS)
@pytest.mark.parametrize("name", ["ADMIN", "SETTING", "BOT", "DATABASE"])
def test_no_word_is_harmless_because_it_is_short_or_a_word(name: str, value: str) -> None:
    assert decided(name, f'"{value}"').secret is None


@pytest.mark.parametrize(
    "value",
    [
        *("true", "Off", "42", "-1.5", "30s", "512MB", "1.2.3", "DEBUG", "eu-west-1", "us-gov-east-1a", "/opt/bin"),
        *("arn:aws:s3:::orders", "https://api.example.com/v1?limit=5", "db.internal:5432", "10.0.0.0/16", "localhost"),
        *("subnet-0a1b2c3d", "ops@example.com", "application/json", "en_US", "Europe/Berlin", "rate(5 minutes)"),
        *("--enable-source-maps --max-old-space-size=512", "eu-west-1, eu-central-1", ""),
    ],
)
def test_a_form_that_no_secret_has_is_harmless_under_any_name(value: str) -> None:
    assert decided("SETTING", f'"{value}"').secret is False


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALERTS_WEBHOOK_URL", "https://chat.example.com/hooks/ops"),
        ("TARGET", "https://discord.com/api/webhooks/1234/aBcDeF0123456789xYzAbCdEf01234"),
        ("TARGET", "https://api.example.com/v1?code=0123456789abcdef0123"),
        *(
            ("API_URL", f"https://{address}")
            for address in (
                "api.example.com/v1?key=Kj8sQm2Zx9Lp4Vt7Rw1Yb6Nc3",
                "fn.example.net/api/run?code=Zk3_9aQpLw7vX2mN8bT4rY6uE1cD5fG==",
                "api.telegram.org/bot123456789:AAF4abcDEFghiJKLmnoPQRstuVWXyz12345/sendMessage",
                "api.example.com/p/7f9c2ba4e88f827d616045507605853e/hook",
            )
        ),
    ],
)
def test_an_address_may_hold_a_secret(name: str, value: str) -> None:
    assert decided(name, f'"{value}"').secret is None


@pytest.mark.parametrize(
    "value",
    [
        *(
            "/Xk29vQmZ81Lp0aTf3Rw7Yc5Nb6Hd4Je",
            "s3://b/Xk29vQmZ81Lp0aTf3Rw7Yc5Nb6Hd4Je",
            "--token=abcdefgh",
            "-phunter2",
        ),
        *("https://api.example.com/?token=summer", "--verbose --api-key=letmein", "pw", "Summer/Winter"),
    ],
)
def test_the_form_of_a_path_an_address_or_an_option_hides_no_secret(value: str) -> None:
    assert decided("SETTING", f'"{value}"').secret is None


def test_what_serverless_reads_from_the_parameter_store_may_be_a_secret() -> None:
    value = Unknown("it is read at deployment", AT, None, ("ssm:/slack/x",))
    parameter = Parameter(name="ssm:/slack/x", type="", hidden=False, value=value, place=AT)
    stack = Stack(file="serverless.yml", kind="serverless", resources={}, parameters={parameter.name: parameter})
    assert supplied("X", value, stack).secret is None
