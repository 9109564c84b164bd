"""The facts: one table, the schema of model files, the vocabulary of conditions and the target of collectors.

A row is a fact of one kind of element.  Its `meaning` says what `true`, the number or the word states; `ask` is the
question put to an author who has not stated it; `default` is what AWS documents for a property left out (information
for readers and collectors: a default is not a fact); `seen_by` names the collectors that can observe it, none meaning
that only a person knows.  Names avoid the field names of pytm's classes, since facts become attributes there.

Derived facts are computed in `threatmodel.derived`; authors cannot state them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from threatmodel.shape import Flag, Number, Shape, Word

KINDS = (
    "function",
    "api",
    "store",
    "queue",
    "secret",
    "flow",
    "account",
    "pipeline",
    "workspace",
    "organisation",
)
"""The kinds of element that have facts."""

PLANES = ("account", "pipeline", "workspace", "organisation")
"""The kinds that exist once; everything is related to them."""

CLASSIFICATIONS = ("public", "internal", "confidential", "secret")
"""Classes of data, from least to most sensitive."""

RUNTIMES = (
    *("python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14"),
    *("nodejs18.x", "nodejs20.x", "nodejs22.x", "nodejs24.x"),
    *("java8.al2", "java11", "java17", "java21", "java25", "dotnet8", "dotnet10"),
    *("ruby3.2", "ruby3.3", "ruby3.4", "provided.al2", "provided.al2023"),
)
"""Lambda runtime identifiers that are offered; others are accepted as they are."""


@dataclass(frozen=True, slots=True)
class FactRow:
    """One fact: of which kind, its name, its type, and what to say about it."""

    kind: str
    name: str
    shape: Shape
    meaning: str
    ask: str
    seen_by: tuple[str, ...] = ()
    default: str = ""
    derived: bool = False

    @property
    def nullable(self) -> bool:
        """Whether `null` says something: the meaning tells what."""
        return "null:" in self.meaning

    @property
    def type(self) -> str:
        """The type in words: 'yes/no', 'number', 'one of rest, http'."""
        match self.shape:
            case Flag():
                return "yes/no"
            case Number():
                return "number"
            case Word(words, ordered):
                return ("from least to most: " if ordered else "one of ") + ", ".join(words)
            case _:
                raise AssertionError(self.shape)


def _rows(kind: str, *rows: tuple[Any, ...]) -> tuple[FactRow, ...]:
    return tuple(FactRow(kind, *row) for row in rows)


_CODE = ("probe",)
_IAC = ("template", "aws")
_AWS = ("aws",)
_REPO = ("repository",)

_FUNCTION = _rows(
    "function",
    ("runtime", Word(RUNTIMES, open=True), "the Lambda runtime identifier", "Which runtime does it use?", _IAC),
    (
        "package_format",
        Word(("zip", "image")),
        "how the code is packaged: a zip archive or a container image",
        "Is it deployed as a zip archive or a container image?",
        _IAC,
        "zip",
    ),
    (
        "code_signing",
        Word(("enforce", "warn", "none")),
        "what Lambda does with a package that carries no trusted signature",
        "Is a code-signing configuration attached, and does it enforce or only warn?",
        _IAC,
        "none; a configuration without a policy warns",
    ),
    (
        "uses_layers",
        Flag(),
        "layers or external extensions are loaded into it",
        "Does it load layers or extensions?",
        _IAC,
        "no layers",
    ),
    (
        "layers_pinned_and_trusted",
        Flag(),
        "every layer comes from an account that the team trusts and is named by version",
        "Is every layer from a trusted account and pinned to a version?",
        _IAC,
    ),
    (
        "invoked_by",
        Word(("alias", "version", "latest")),
        "what its callers are bound to: an alias, a published version, or the unqualified function",
        "Do its triggers call an alias, a version, or the unqualified function ($LATEST)?",
        _IAC,
        "latest",
    ),
    (
        "reserved_concurrency",
        Number(0, 100_000),
        "executions reserved for it, which also cap it; null: none reserved",
        "How many concurrent executions are reserved for it?",
        _IAC,
        "none reserved",
    ),
    (
        "timeout_seconds",
        Number(1, 900),
        "seconds after which Lambda ends an invocation",
        "What is its timeout?",
        _IAC,
        "3",
    ),
    (
        "role_wildcard_action",
        Flag(),
        "its execution role allows a whole service (s3:*) or everything (*)",
        "Does its execution role allow wildcard actions such as s3:* or *?",
        _IAC,
    ),
    (
        "role_wildcard_resource",
        Flag(),
        "its execution role allows data or IAM actions on every resource",
        "Does its execution role allow data or IAM actions on Resource '*'?",
        _IAC,
    ),
    (
        "role_broad_policy",
        Flag(),
        "a broad AWS managed policy (AdministratorAccess, PowerUserAccess, any ...FullAccess) is attached to its role",
        "Is AdministratorAccess, PowerUserAccess or a FullAccess policy attached to its role?",
        _IAC,
    ),
    (
        "role_shared",
        Flag(),
        "its execution role is used by another function or service too",
        "Does another function use the same execution role?",
        _IAC,
    ),
    (
        "role_permissions_boundary",
        Flag(),
        "a permissions boundary limits its execution role",
        "Is a permissions boundary set on its execution role?",
        _IAC,
        "none",
    ),
    (
        "environment_holds_secret",
        Flag(),
        "the value of an environment variable is itself a secret (a name or ARN of one is not)",
        "Does any environment variable hold a secret's value?",
        _IAC,
    ),
    (
        "in_vpc",
        Flag(),
        "it is attached to a VPC",
        "Is it attached to a VPC?",
        _IAC,
        "not attached",
    ),
    (
        "egress",
        Word(("open", "restricted", "none")),
        "where it can connect to: anywhere, an allow-list, or AWS endpoints inside its VPC only",
        "Can it connect to any address, only to an allow-list, or nowhere outside its VPC?",
        _IAC,
        "open outside a VPC",
    ),
    (
        "failure_destination",
        Flag(),
        "events that fail asynchronously go to a dead-letter queue or an on-failure destination",
        "Do failed asynchronous events go to a dead-letter queue or failure destination?",
        _IAC,
        "none",
    ),
    (
        "invocable_by_anyone",
        Flag(),
        "a statement of its resource policy lets any principal invoke it",
        "Does its resource policy let any principal ('*') invoke it without a condition?",
        _IAC,
        "no policy",
    ),
    (
        "invoke_source_pinned",
        Flag(),
        "each service that may invoke it is pinned to a source ARN, and to an account where the ARN has none",
        "Does each service statement of its resource policy name the source ARN?",
        _IAC,
    ),
    (
        "verifies_signature",
        Flag(),
        "the handler checks Slack's v0 signature over the raw body before anything else, and refuses when it fails",
        "Does the handler verify Slack's signature over the raw body before any other work?",
        _CODE,
    ),
    (
        "verification_fails_closed",
        Flag(),
        "a missing or empty secret, a malformed header or an exception on the way ends in refusal",
        "Does verification refuse when the secret is empty, a header is malformed or an exception is raised?",
        _CODE,
    ),
    (
        "timestamp_tolerance_seconds",
        Number(0, 1_000_000),
        "how far a request's timestamp may lie from now, both ways; null: it is not checked",
        "Within how many seconds of now must a request's timestamp lie?",
        _CODE,
    ),
    (
        "rejects_replay",
        Flag(),
        "a request seen before is refused or has no second effect (a conditional write keyed on signature or event id)",
        "Is a request that was accepted once refused, or without effect, the second time?",
        _CODE,
    ),
    (
        "authorises_caller",
        Flag(),
        "the handler checks app, workspace and user of an authentic request against who may do this",
        "Does the handler check app, workspace and user against who may run the command?",
        _CODE,
    ),
    (
        "privileged_commands",
        Flag(),
        "a command can change production, move money or reveal confidential data",
        "Can any of its commands change production, move money or reveal confidential data?",
        (),
    ),
    (
        "second_person_approves",
        Flag(),
        "privileged commands take effect only after a second person approved them",
        "Do privileged commands need a second person's approval?",
        (),
    ),
    (
        "input_reaches_interpreter",
        Flag(),
        "text from the event can reach a shell, an evaluator, a template, an unsafe deserialiser or a query language",
        "Can text from the event reach a shell, eval, a template, a deserialiser or a query language?",
        (),
    ),
    (
        "validates_input",
        Flag(),
        "every field used is parsed against a schema, and values are bound as parameters, never concatenated",
        "Is every field used validated, and bound as a parameter rather than concatenated?",
        (),
    ),
    (
        "fetches_given_urls",
        Flag(),
        "it requests a URL or opens a path that the event supplies (response_url, links, file URLs)",
        "Does it request URLs or open paths that the event supplies?",
        (),
    ),
    (
        "outbound_hosts_fixed",
        Flag(),
        "a URL from the event is requested only when its authority is on an allow-list, and no path from it is opened",
        "Is a URL from the event requested only when its authority is on an allow-list, and no path from it opened?",
        _CODE,
    ),
    (
        "acknowledges_first",
        Flag(),
        "it answers Slack within three seconds and does the work elsewhere or afterwards",
        "Does it acknowledge within three seconds and leave the work to a queue or another function?",
        _CODE,
    ),
    (
        "errors_generic",
        Flag(),
        "every failure is answered in the form the caller expects, without stack traces, ARNs or which check failed",
        "Are all failures answered generically, with 4xx for refusals and never a raw 5xx?",
        _CODE,
    ),
    (
        "logs_redacted",
        Flag(),
        "tokens, signatures, response_url and message bodies are kept out of its logs",
        "Are tokens, signatures, response_url and message bodies kept out of its logs?",
        _CODE,
    ),
    (
        "log_retention_days",
        Number(1, 3653),
        "days after which its log group forgets; null: never",
        "After how many days does its log group expire?",
        _IAC,
        "never expires",
    ),
)

_API = _rows(
    "api",
    (
        "kind",
        Word(("rest", "http", "websocket", "function-url")),
        "the type: REST API, HTTP API, WebSocket API, or the URL of a single function",
        "Is it a REST API, an HTTP API, a WebSocket API or a function URL?",
        _IAC,
    ),
    (
        "throttle_rate",
        Number(0, 1_000_000),
        "requests a second that the stage or route lets through; null: only the account's limit",
        "Which request rate does the stage or route allow?",
        _IAC,
        "the account's limit, 10,000 a second",
    ),
    (
        "waf_rate_rule",
        Flag(),
        "a WAF web ACL with a rate-based rule that blocks stands in front of it",
        "Does a WAF web ACL with a rate-based rule stand in front of it?",
        _IAC,
        "none",
    ),
    (
        "custom_domain",
        Flag(),
        "callers reach it under a custom domain",
        "Is it reached under a custom domain?",
        _IAC,
        "none",
    ),
    (
        "default_endpoint",
        Flag(),
        "the execute-api endpoint answers, beside any custom domain",
        "Does its default execute-api endpoint still answer?",
        _IAC,
        "answers",
    ),
    (
        "mutual_tls",
        Flag(),
        "its domain asks for a client certificate and the handler checks whose it is",
        "Does it ask for Slack's client certificate and check its name?",
        _IAC,
        "off",
    ),
    (
        "caller_authentication",
        Word(("none", "iam", "jwt", "lambda-authorizer")),
        "how the gateway itself authenticates a caller before the function runs",
        "How does it authenticate callers: not at all, IAM, JWT or a Lambda authorizer?",
        _IAC,
        "none",
    ),
    (
        "access_logs",
        Flag(),
        "each request is written to an access log",
        "Are access logs switched on?",
        _IAC,
        "off",
    ),
    (
        "data_trace",
        Flag(),
        "whole requests and responses are written to the execution log",
        "Is full request and response logging (data trace) switched on?",
        _IAC,
        "off",
    ),
    (
        "request_validation",
        Flag(),
        "only the expected methods, routes, headers and sizes are passed on",
        "Does it pass on only the expected methods, routes and headers?",
        _IAC,
        "off",
    ),
)

_STORE = _rows(
    "store",
    (
        "kind",
        Word(("dynamodb", "s3", "rds", "opensearch", "elasticache", "efs", "kinesis", "other")),
        "the service that keeps the data",
        "Which service is it?",
        _IAC,
    ),
    (
        "recovery",
        Flag(),
        "point-in-time recovery, versioning or backups outside the application's reach are on",
        "Can its data be brought back: point-in-time recovery, versioning or backups?",
        _IAC,
        "off",
    ),
    (
        "deletion_protection",
        Flag(),
        "it cannot be deleted before a protection is taken off",
        "Is deletion protection on?",
        _IAC,
        "off",
    ),
    (
        "open_to_public",
        Flag(),
        "its resource policy or access list lets anyone in",
        "Can anyone outside the account reach it?",
        _IAC,
    ),
)

_QUEUE = _rows(
    "queue",
    (
        "kind",
        Word(("sqs", "sns", "eventbridge", "kinesis")),
        "the service that carries the messages",
        "Which service is it?",
        _IAC,
    ),
    (
        "dead_letter_queue",
        Flag(),
        "a message that keeps failing is moved aside after a bounded number of tries",
        "Is a message that keeps failing moved to a dead-letter queue?",
        _IAC,
        "none",
    ),
    (
        "senders_restricted",
        Flag(),
        "only the functions of this model may send to it",
        "May only the intended functions send to it?",
        _IAC,
    ),
)

_SECRET = _rows(
    "secret",
    (
        "kept_in",
        Word(("secrets-manager", "ssm-securestring", "ssm-string", "environment", "code", "other")),
        "where the secret is kept",
        "Where is it kept?",
        _IAC,
    ),
    (
        "rotation_days",
        Number(1, 3650),
        "days after which it is replaced; null: never",
        "After how many days is it replaced?",
        _AWS,
        "never",
    ),
    (
        "readers_restricted",
        Flag(),
        "only the roles of the functions that use it may read it and decrypt with its key",
        "May only the functions that use it read it?",
        _IAC,
    ),
    (
        "grants",
        Word(("slack-requests", "slack-api", "other")),
        "what its holder can do: sign requests as Slack, act with a Slack token, something else",
        "What does it grant: signing as Slack, a Slack API token, or something else?",
        (),
    ),
)

_FLOW = _rows(
    "flow",
    (
        "transport",
        Word(("https", "http", "tls", "tcp", "ssh", "in-process")),
        "the protocol that carries it",
        "Which protocol carries it?",
        ("template",),
    ),
    (
        "tcp_port",
        Number(1, 65535),
        "the port that is called; null: none",
        "Which port is called?",
        ("template",),
    ),
    (
        "encrypted",
        Flag(),
        "it is encrypted on the way and the receiver's name is checked",
        "Is it encrypted, and is the receiver's certificate checked?",
        ("template",),
    ),
)

_ACCOUNT = _rows(
    "account",
    ("root_access_key", Flag(), "the root user has an access key", "Does the root user have an access key?", _AWS),
    (
        "root_protected",
        Flag(),
        "the root user has phishing-resistant MFA, or its credentials were removed centrally",
        "Has the root user hardware or passkey MFA, or no credentials at all?",
        _AWS,
    ),
    (
        "long_lived_access_keys",
        Flag(),
        "IAM users have active access keys",
        "Do IAM users have active access keys?",
        _AWS,
    ),
    (
        "oldest_access_key_days",
        Number(0, 10_000),
        "age of the oldest active access key; null: there is none",
        "How old is the oldest active access key?",
        _AWS,
    ),
    (
        "idle_credentials_disabled",
        Flag(),
        "passwords and keys unused for 45 days are disabled",
        "Are passwords and keys that were not used for 45 days disabled?",
        _AWS,
    ),
    (
        "console_users",
        Flag(),
        "IAM users have a console password",
        "Do IAM users have console passwords?",
        _AWS,
    ),
    (
        "console_users_without_mfa",
        Number(0, 100_000),
        "IAM users with a console password and no MFA device",
        "How many IAM users with a console password have no MFA?",
        _AWS,
    ),
    (
        "human_access",
        Word(("identity-center", "federation", "iam-users")),
        "how people sign in: IAM Identity Center, another federation, or IAM users",
        "Do people sign in through Identity Center, another federation, or IAM users?",
        _AWS,
    ),
    (
        "sensitive_actions_need_mfa",
        Flag(),
        "a policy denies destructive and privilege-changing actions without MFA",
        "Does a policy deny destructive actions to sessions without MFA?",
        _AWS,
    ),
    (
        "only_pipeline_changes_functions",
        Flag(),
        "no principal but the deploy role may change code, configuration, policies or concurrency of functions",
        "May anyone but the deploy role change functions?",
        _AWS,
    ),
    (
        "passrole_restricted",
        Flag(),
        "iam:PassRole is allowed only on named roles and only to the service that needs it",
        "Is iam:PassRole limited to named roles and to lambda.amazonaws.com?",
        _AWS,
    ),
    (
        "guardrail_policies",
        Flag(),
        "a service control policy above the account denies leaving, root use and stopping the detection services",
        "Does a service control policy protect this account's guardrails?",
        _AWS,
    ),
    (
        "cloudtrail",
        Flag(),
        "a multi-Region trail records management events, validated and out of reach of this account",
        "Does a multi-Region, validated CloudTrail record management events?",
        _AWS,
    ),
    (
        "function_change_alerts",
        Flag(),
        "writes to Lambda and IAM raise an alert that somebody receives",
        "Does a change to a function or a role raise an alert?",
        _IAC,
    ),
    (
        "config_recording",
        Flag(),
        "AWS Config records Lambda, API Gateway and IAM, with rules attached",
        "Does AWS Config record functions, gateways and roles, with rules?",
        _AWS,
    ),
    (
        "access_analyzer",
        Flag(),
        "IAM Access Analyzer watches for external access in the Region",
        "Is an external-access analyzer on in this Region?",
        _AWS,
    ),
    ("guardduty", Flag(), "GuardDuty is on in every Region in use", "Is GuardDuty on in every Region in use?", _AWS),
    (
        "guardduty_lambda",
        Flag(),
        "GuardDuty's Lambda Protection is on",
        "Is GuardDuty's Lambda Protection on?",
        _AWS,
    ),
    (
        "findings_routed",
        Flag(),
        "findings reach a person or a ticket queue by a rule",
        "Does a rule send GuardDuty findings to a responder?",
        _IAC,
    ),
    (
        "inspector_lambda",
        Flag(),
        "Inspector scans functions for vulnerable packages",
        "Does Inspector scan the functions of this account?",
        _AWS,
    ),
    (
        "budget_alert",
        Flag(),
        "a budget or cost-anomaly alert covers Lambda and API Gateway",
        "Does a budget or cost-anomaly alert cover Lambda and API Gateway?",
        _IAC,
    ),
    (
        "concurrency_alarm",
        Flag(),
        "an alarm watches the account's concurrent executions and throttles",
        "Does an alarm watch concurrent executions and throttles?",
        _IAC,
    ),
)

_PIPELINE = _rows(
    "pipeline",
    (
        "auth",
        Word(("oidc", "static-keys", "runner-role")),
        "how it gets credentials: federated tokens, stored keys, or the role of its runner",
        "How does the pipeline get AWS credentials?",
        _REPO,
    ),
    (
        "oidc_claims_pinned",
        Flag(),
        "the deploy role's trust names the audience and one repository with its branch or environment",
        "Does the deploy role's trust pin audience, repository and branch or environment?",
        _IAC,
    ),
    (
        "runs_untrusted_changes",
        Flag(),
        "pull requests from outside run with its credentials, or build files change without review",
        "Do unreviewed changes run with the pipeline's credentials?",
        _REPO,
    ),
    (
        "required_reviews",
        Number(0, 20),
        "independent approvals that a change needs before it is merged",
        "How many independent approvals does a change need?",
        _REPO,
    ),
    (
        "branch_protected",
        Flag(),
        "the deployed branch takes changes by reviewed merge only, administrators included",
        "Is the deployed branch protected, also against administrators?",
        _REPO,
    ),
    (
        "production_approval",
        Flag(),
        "a deployment to production waits for a second person",
        "Does a production deployment wait for a second person?",
        _REPO,
    ),
    (
        "dependencies_locked",
        Flag(),
        "every dependency is locked with its hash and private names come from one registry",
        "Are dependencies locked with hashes, and private names bound to one registry?",
        _REPO,
    ),
    (
        "dependency_scanning",
        Flag(),
        "each build is checked for known-vulnerable dependencies, and a critical one fails it",
        "Does a build fail on a known-vulnerable dependency?",
        _REPO,
    ),
    (
        "static_analysis",
        Flag(),
        "each build is analysed for injection and similar flaws, and a high result fails it",
        "Does a build fail on a high result of static analysis?",
        _REPO,
    ),
    (
        "secret_scanning",
        Flag(),
        "pushes and logs are scanned for secrets, and a push that holds one is refused",
        "Are pushes that hold a secret refused?",
        _REPO,
    ),
    (
        "artefacts_immutable",
        Flag(),
        "packages are versioned, cannot be overwritten, and are deployed by version or digest",
        "Are packages immutable and deployed by version or digest?",
        _IAC,
    ),
    (
        "deploy_strategy",
        Word(("all-at-once", "canary", "linear")),
        "how traffic moves to a new version",
        "Does traffic move to a new version at once, or in steps?",
        _IAC,
        "all-at-once",
    ),
    (
        "rollback_on_alarm",
        Flag(),
        "an alarm during a deployment rolls it back",
        "Does an alarm roll a deployment back?",
        _IAC,
        "off",
    ),
    (
        "deployed_code_compared",
        Flag(),
        "deployed code and configuration are compared with what was built, at least daily",
        "Is what is deployed compared with what was built?",
        _REPO,
    ),
)

_WORKSPACE = _rows(
    "workspace",
    ("sso_enforced", Flag(), "members sign in by SSO or with 2FA", "Do all members sign in by SSO or with 2FA?"),
    (
        "app_approval_required",
        Flag(),
        "an administrator approves each app before it is installed",
        "Must an administrator approve each Slack app?",
    ),
    (
        "token_rotation",
        Flag(),
        "the app's tokens expire and are refreshed",
        "Is token rotation switched on for the app?",
        _REPO,
    ),
    (
        "scopes_minimal",
        Flag(),
        "the app's scopes were compared with what it needs, and nothing is left over",
        "Does the app ask for the scopes that it needs and no more?",
        _REPO,
    ),
    (
        "app_config_controlled",
        Flag(),
        "the app's manifest is under version control, its collaborators are reviewed, a changed Request URL is noticed",
        "Is the app's manifest under version control and its list of collaborators reviewed?",
        _REPO,
    ),
    (
        "operational_traffic",
        Flag(),
        "people discuss operations and incidents in its channels",
        "Are operations and incidents discussed in its channels?",
    ),
    (
        "secrets_found_in_messages",
        Flag(),
        "messages and files are searched for secrets and personal data, and hits are removed",
        "Are messages searched for secrets (data loss prevention)?",
    ),
)

_ORGANISATION = _rows(
    "organisation",
    (
        "mfa_factor",
        Word(("none", "sms", "totp", "push", "phishing-resistant"), ordered=True),
        "the weakest second factor that the identity provider accepts",
        "Which is the weakest second factor that people may sign in with?",
    ),
    (
        "leavers_lose_access",
        Flag(),
        "a leaver's access to AWS, Git and Slack ends on the day",
        "Does a leaver lose AWS, Git and Slack on the day?",
    ),
    (
        "root_recovery_controlled",
        Flag(),
        "mailbox and phone of the root users are group-owned, guarded and not a person's own",
        "Are mailbox and phone number of the root users under control?",
    ),
    (
        "standing_administrators",
        Flag(),
        "people hold administrator rights permanently",
        "Do people hold administrator rights permanently?",
        _AWS,
    ),
    (
        "privileged_session_hours",
        Number(0, 48),
        "longest session with privileged rights, in hours",
        "How long may a privileged session last?",
        _AWS,
    ),
)

DERIVED = (
    FactRow("function", "slack_facing", Flag(), "Slack calls it", "", derived=True),
    FactRow("function", "internet_facing", Flag(), "a request from the Internet can reach it", "", derived=True),
    FactRow("function", "event_driven", Flag(), "a queue, a stream or a schedule starts it", "", derived=True),
    FactRow("function", "uses_secrets", Flag(), "it reads at least one secret", "", derived=True),
    FactRow(
        "function",
        "data_classification",
        Word(CLASSIFICATIONS, ordered=True),
        "the highest class of the data that it reads or writes",
        "",
        derived=True,
    ),
    FactRow("api", "slack_facing", Flag(), "Slack calls a function through it", "", derived=True),
    FactRow(
        "store",
        "data_classification",
        Word(CLASSIFICATIONS, ordered=True),
        "the highest class of the data that it holds",
        "",
        derived=True,
    ),
    FactRow("store", "personal_data", Flag(), "it holds personal data", "", derived=True),
    FactRow(
        "queue",
        "data_classification",
        Word(CLASSIFICATIONS, ordered=True),
        "the highest class of the data that it carries",
        "",
        derived=True,
    ),
    FactRow("queue", "starts_functions", Flag(), "a function of this model works on its messages", "", derived=True),
    FactRow(
        "flow",
        "data_classification",
        Word(CLASSIFICATIONS, ordered=True),
        "the highest class of the data that it carries",
        "",
        derived=True,
    ),
    FactRow("flow", "leaves_aws", Flag(), "it goes from AWS to a system outside", "", derived=True),
)
"""What `threatmodel.derived` computes; conditions read these like any other fact."""

ROWS = (
    *_FUNCTION,
    *_API,
    *_STORE,
    *_QUEUE,
    *_SECRET,
    *_FLOW,
    *_ACCOUNT,
    *_PIPELINE,
    *_WORKSPACE,
    *_ORGANISATION,
    *DERIVED,
)

FACTS: dict[str, dict[str, FactRow]] = {kind: {row.name: row for row in ROWS if row.kind == kind} for kind in KINDS}
"""Every fact by kind and name, derived ones included."""
