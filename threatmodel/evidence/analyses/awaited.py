"""What only AWS itself can answer: promised to `aws.yaml`, for a collector that asks AWS."""

from __future__ import annotations

from threatmodel.evidence.analyses.registry import promised
from threatmodel.reading.shape import Number

# Do only deploy roles have an action that changes functions, or does a guardrail deny it to all others?
promised("only-pipeline-changes-functions", "authorizations", "guardrail")
# May only triggers and deploy roles invoke a function?
promised("invokers-restricted", "authorizations", "policy")
# Does each statement that allows iam:PassRole name roles and the service that they are passed to?
promised("passrole-restricted", "authorizations")
# Is a permission set with AdministratorAccess or an equal policy assigned?
promised("standing-administrators", "managed", "policy")
# Is a principal other than functions allowed to read it, or to send to it, by IAM's own list of users and roles?
promised("readers-listed", "policy", "key-policy", "authorizations")
promised("senders-listed", "policy", "authorizations")
# Do several functions have the role, or does its trust let others than Lambda use it?
promised("several-listed", "user", "trust")
# Do service control policies, or the policies of every user, deny what destroys or changes rights without MFA?
promised("mfa-denied-everywhere", "guardrail", "authorizations")
# Has one of the rules of its web ACLs a rate that blocks, as `web_acl` has it?
promised("rate-rule-listed", "rules")
# Is the distribution in front of it among the protected resources?
promised("protected", "protection", "distribution")
# Is a vault that holds a recovery point locked, or another account's?
promised("locked-copy", "vault")
# Has the root user MFA of hardware or a passkey, or no password, key and certificate at all?
promised("root-protected", "summary", "virtual-device")
# How do people sign in?  The weakest of what exists: console users, then federation, then Identity Center.
promised(
    "human-access",
    *("instance", "saml-provider", "report"),
    answers=("identity-center", "federation", "iam-users"),
)
# Has a user other than root a password?
promised("report-console-users", "report")
# How many users other than root have a password and no MFA?
promised("report-console-users-without-mfa", "report", answers=Number)
# Has a user other than root an active access key?
promised("report-active-keys", "report")
# How many days ago was the oldest active access key made?  Null where there is none.
promised("report-oldest-key-days", "report", answers=Number)
# Was each password and active key used in the last 45 days, or made since?
promised("report-idle-disabled", "report")
# Does a trail record data events of AWS::Lambda::Function, for all functions and both reads and writes?
promised("records-invocations", "selector", "advanced-selector")
# Does a recorder that runs record functions, gateways and roles, and is a rule active?
promised("records-configuration", "recorder", "status", "rule")
