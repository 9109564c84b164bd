"""The questions about several values at once (policies, patterns, reports) that code answers, and what each promises.

A place names an analysis and the set of sources that it looks at; each source says what its values are (`takes`).
An analysis answers from what was gathered.  Where a source could not be read it gives an answer only if no reading of
it could change the answer, and else unknown.  Where nothing is gathered it says nothing.  What is gathered may concern
others too (all functions that an api calls, all distributions of an account): it looks at what concerns the element.

A `policy`, `trust` or `guardrail` is a policy document: an object, or JSON text, which IAM also encodes as in a URL.
`managed` is the ARN or name of a policy that is attached; where it stands in the same files its document is gathered
too.  `sam` is what SAM's Policies holds: names, ARNs, documents and policy templates.  Other parts are what the path or
call of their source gives, whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from threatmodel.reading.shape import Flag, Number


@dataclass(frozen=True, slots=True)
class Analysis:
    """One question: `answers` is Flag, Number or the words of the answer; `takes` what it can look at."""

    answers: type[Flag | Number] | tuple[str, ...]
    takes: tuple[str, ...]
    asks: str


_IDENTITY = ("policy", "managed", "sam")


def _flag(asks: str, *takes: str) -> Analysis:
    return Analysis(Flag, takes, asks)


ANALYSES: Mapping[str, Analysis] = {
    # --- identity policies
    "wildcard-action": _flag("Does a statement allow '*' or every action of a service, or all but some?", *_IDENTITY),
    "wildcard-resource": _flag(
        "Does a statement allow on every resource an action that reads or writes data or changes IAM, and that could"
        " name a resource?",
        *_IDENTITY,
    ),
    "broad-managed-policy": _flag(
        "Is AdministratorAccess, PowerUserAccess or an AWS managed policy named ...FullAccess attached?",
        "managed",
        "sam",
    ),
    "role-escalates": _flag(
        "Do the statements together allow a way to more rights: to pass any role, or one of ESCALATIONS?", *_IDENTITY
    ),
    "assumes-roles": _flag("Does a statement allow sts:AssumeRole?", *_IDENTITY),
    "assumed-roles-named": _flag(
        "Does every statement that allows sts:AssumeRole name role ARNs without wildcard?  False where one does not;"
        " true where all roles are of this account; else unknown, since the trust of a foreign role cannot be read.",
        *_IDENTITY,
    ),
    "trusts-only-lambda": _flag("Is lambda.amazonaws.com the only principal that a trust policy allows?", "trust"),
    "several": _flag(
        "Are there several different users?  False only where the trust lets Lambda alone use it, or nothing else in"
        " these files does.",
        "user",
        "trust",
    ),
    "only-pipeline-changes-functions": _flag(
        "Does no principal but the deploy role have an action that changes code, configuration, policy, URL or"
        " concurrency of a function?",
        "authorisations",
        "guardrail",
    ),
    "passrole-restricted": _flag(
        "Does each statement that allows iam:PassRole name roles and the service that they are passed to?",
        "authorisations",
    ),
    "invokers-restricted": _flag(
        "Do only the triggers and the deploy role have an action that invokes this function?",
        "authorisations",
        "policy",
    ),
    "readers-restricted": _flag(
        "Do only the roles of the functions that use it have actions to read this secret and decrypt with its key?"
        "  False where a policy lets somebody else; true only where all identity policies are known.",
        "policy",
        "key-policy",
        "identity-policy",
        "authorisations",
    ),
    "senders-restricted": _flag(
        "Do only the functions of the model have actions to send to this?  False where a policy lets somebody else;"
        " true only where all identity policies are known.",
        "policy",
        "bus-statement",
        "identity-policy",
        "authorisations",
    ),
    "oidc-claims-pinned": _flag(
        "Does each trust of a web identity name the audience, and a subject with one repository and its branch or"
        " environment?",
        "trust",
    ),
    # --- resource policies
    "public-statement": _flag(
        "Does a statement allow any principal without a condition that narrows it to accounts, an organisation,"
        " sources or networks?",
        "policy",
        "permission",
        "url-auth",
    ),
    "sources-pinned": _flag(
        "Does each statement for a service name a source ARN, and a source account where the ARN has none?",
        "policy",
        "permission",
    ),
    "bucket-public": _flag(
        "Does a policy or access list let anyone in, and no public access block of bucket or account keep them out?",
        "policy",
        "acl",
        "block",
        "account-block",
    ),
    "refuses-customer-keys": _flag(
        "Are uploads with a key of the writer's refused, by a blocked encryption type or a statement that denies them?",
        "policy",
        "blocked-types",
    ),
    # --- functions
    "layers-trusted": _flag(
        "Is each layer named by version, and does it come from this account or one on the list of trusted accounts?",
        "layer",
    ),
    "secret-in-environment": _flag(
        "Is the value of a variable itself a secret, by its look or by a reference that puts the secret's value there?"
        "  A value is looked at in memory and never kept.",
        "variables",
    ),
    "qualifier": Analysis(
        ("alias", "version", "latest"),
        ("caller", "url", "permission"),
        "What are its callers bound to?  Unknown where they differ.",
    ),
    "egress": Analysis(
        ("open", "restricted", "none"),
        ("vpc", "security-group", "egress-rule"),
        "Do the security groups let out to everywhere, to some addresses, or only to addresses inside the VPC and to"
        " endpoints?",
    ),
    # --- apis
    "oldest-tls": Analysis(
        ("tls-1.0", "tls-1.2", "tls-1.3"),
        ("api-policy", "domain-policy", "endpoint-disabled"),
        "Which is the oldest TLS version of the domains' security policies, and of the api's own where its default"
        " endpoint answers (1.0 for a REST API that sets none)?",
    ),
    "cdn-only": _flag(
        "Does the api refuse what does not come through its CDN: signed origin requests with IAM authentication, a"
        " policy that allows the distribution only, or a secret header that a policy or authorizer checks?  True only"
        " where it can be seen.",
        "origin",
        "origin-access",
        "auth",
        "policy",
    ),
    "rate-rule-blocks": _flag("Does the web ACL have a rate-based rule with the action block?", "rules"),
    "protected": _flag(
        "Is the distribution in front of it among the protected resources?", "protection", "distribution"
    ),
    "requests-restricted": _flag(
        "Does no route take every path or method, and does each REST method with parameters or body have a validator?",
        "route",
        "method",
        "validator",
    ),
    "greatest-rate": Analysis(
        Number,
        ("stage", "settings"),
        "How many requests a second may the least limited method or route take?  Null where one has the account's limit"
        " only; unknown where one has settings of its own without a limit.",
    ),
    "any-true": _flag("Is one of them true?", "flag"),
    # --- stores and queues
    "expiration-days": Analysis(
        Number,
        ("rules",),
        "After how many days does the rule that covers the whole bucket delete objects?  Null where none covers it.",
    ),
    "dead-letter-everywhere": _flag("Does every target have a dead-letter queue?", "target"),
    "locked-copy": _flag("Is a vault that holds a recovery point locked, or another account's?", "vault"),
    # --- account
    "root-protected": _flag(
        "Has the root user MFA of hardware or a passkey, or no password, key and certificate at all?",
        "summary",
        "virtual-device",
    ),
    "human-access": Analysis(
        ("identity-center", "federation", "iam-users"),
        ("instance", "saml-provider", "report"),
        "How do people sign in?  The weakest of what exists: console users, then federation, then Identity Center.",
    ),
    "report-console-users": _flag("Has a user other than root a password?", "report"),
    "report-console-users-without-mfa": Analysis(
        Number, ("report",), "How many users other than root have a password and no MFA?"
    ),
    "report-active-keys": _flag("Has a user other than root an active access key?", "report"),
    "report-oldest-key-days": Analysis(
        Number, ("report",), "How many days ago was the oldest active access key made?  Null where there is none."
    ),
    "report-idle-disabled": _flag(
        "Was each password and active key used in the last 45 days, or made since?", "report"
    ),
    "denies-without-mfa": _flag(
        "Does a policy deny destructive and privilege-changing actions where aws:MultiFactorAuthPresent is false or"
        " missing?",
        "guardrail",
        "authorisations",
    ),
    "denies-stopping-detection": _flag(
        "Do service control policies deny stopping and deleting CloudTrail, Config, GuardDuty and their logs?",
        "guardrail",
    ),
    "denies-root": _flag("Does a service control policy deny every action to the root user?", "guardrail"),
    "denies-public-functions": _flag(
        "Do service control policies deny function URLs without IAM, and permissions for every principal?",
        "guardrail",
    ),
    "denies-other-regions": _flag(
        "Does a service control policy deny all but some Regions, global services apart?", "guardrail"
    ),
    "denies-leaving": _flag("Does a service control policy deny organizations:LeaveOrganization?", "guardrail"),
    "standing-administrators": _flag(
        "Is a permission set with AdministratorAccess or an equal policy assigned to a person or group?",
        "managed",
        "policy",
    ),
    # --- what is recorded and watched
    "records-invocations": _flag(
        "Does a trail record data events of AWS::Lambda::Function, for all functions and both reads and writes?",
        "selector",
        "advanced-selector",
    ),
    "records-configuration": _flag(
        "Does a recorder that runs record functions, gateways and roles, and is a rule active?",
        "recorder",
        "status",
        "rule",
    ),
    "alerts-on-changes": _flag(
        "Does an enabled rule with a target, or a metric filter with an alarm that acts, cover writes to Lambda and IAM"
        " by CloudTrail?",
        "rule",
        "target",
        "filter",
        "alarm",
    ),
    "alerts-on-findings": _flag(
        "Does an enabled rule with a target cover findings of GuardDuty or Security Hub?", "rule", "target"
    ),
    "budget-covers-functions": _flag(
        "Does a budget with a subscriber, or a subscription to cost anomalies, cover Lambda and API Gateway?",
        "budget",
        "notification",
        "anomaly-monitor",
        "anomaly-subscription",
    ),
    "concurrency-alarm": _flag(
        "Do alarms that act watch ConcurrentExecutions (or what is left of it) and Throttles of the account?",
        "alarm",
    ),
    # --- pipeline
    "artefacts-immutable": _flag(
        "Is each package named by version or digest, and kept where a version cannot be overwritten?",
        "code",
        "image",
        "code-uri",
        "mutability",
    ),
    "deployment-steps": Analysis(
        ("all-at-once", "canary", "linear"),
        ("group", "preference", "configuration"),
        "How does traffic move to a new version, by the deployment configuration's name or what it holds?  Unknown"
        " where the groups differ.",
    ),
    "rolls-back-on-alarm": _flag("Does each deployment group roll back when an alarm goes off?", "group", "preference"),
}
"""Every analysis by name."""
