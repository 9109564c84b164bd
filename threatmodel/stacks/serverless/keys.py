"""The keys that a serverless.yml may have, and a note of each other one: a misspelled key hides what it says."""

from __future__ import annotations

from collections.abc import Mapping

from threatmodel.stacks.serverless.making import GrowingTemplate, place_of
from threatmodel.stacks.values import Node, Table, entries

_ROOT = frozenset((
    *("service", "provider", "functions", "resources", "custom", "plugins", "layers", "package", "params", "stages"),
    *("frameworkVersion", "configValidationMode", "useDotenv", "app", "org", "tenant", "console", "dashboard"),
    *("deprecationNotificationMode", "disabledDeprecations", "unresolvedVariablesNotificationMode", "state"),
    *("variablesResolutionMode", "outputs", "projectDir", "enableLocalInstallationFallback", "build", "licenseKey"),
))  # fmt: skip
_PROVIDER = frozenset((
    *("name", "alb", "apiGateway", "apiKeys", "apiName", "architecture", "build", "cfnRole", "cloudFront"),
    *("credentials", "deploymentBucket", "deploymentMethod", "deploymentPrefix", "disableRollback", "ecr"),
    *("endpointType", "environment", "eventBridge", "httpApi", "iam", "iamManagedPolicies", "iamRoleStatements"),
    *("kmsKeyArn", "lambdaHashingVersion", "layers", "logDataProtectionPolicy", "logRetentionInDays", "logs"),
    *("memorySize", "notificationArns", "profile", "region", "resourcePolicy", "role", "rolePermissionsBoundary"),
    *("rollbackConfiguration", "runtime", "runtimeManagement", "s3", "stackName", "stackParameters", "stackPolicy"),
    *("stackTags", "stage", "tags", "timeout", "tracing", "usagePlan", "versionFunctions", "vpc", "vpcEndpointIds"),
    *("websocketsApiName", "websocketsApiRouteSelectionExpression", "websocketsDescription"),
))  # fmt: skip
_FUNCTION = frozenset((
    *("architecture", "build", "condition", "dependsOn", "description", "destinations", "disableLogs", "environment"),
    *("ephemeralStorageSize", "events", "fileSystemConfig", "handler", "httpApi", "iam", "image", "kmsKeyArn"),
    *("layers", "logDataProtectionPolicy", "logRetentionInDays", "logs", "maximumEventAge", "maximumRetryAttempts"),
    *("memorySize", "name", "onError", "package", "provisionedConcurrency", "reservedConcurrency", "role", "runtime"),
    *("runtimeManagement", "snapStart", "tags", "timeout", "tracing", "url", "versionFunction", "vpc"),
    *("entrypoint", "module", "skipEsbuild", "vendor", "zip"),  # of plugins that only build
))  # fmt: skip
_IAM: Mapping[tuple[str, ...], frozenset[str]] = {
    ("iam",): frozenset(("role", "deploymentRole")),
    ("iam", "role"): frozenset((
        *("name", "path", "statements", "managedPolicies", "permissionsBoundary", "permissionBoundary", "tags"),
    )),
}  # fmt: skip


def note_keys(making: GrowingTemplate) -> None:
    """Notes every key that the framework does not know.  Only where no plugin is that may know it."""
    _note(making, "", making.root, _ROOT)
    _note(making, "provider", making.provider, _PROVIDER)
    for path, known in _IAM.items():
        node: Node | None = making.provider
        for name in path:
            node = entries(node).get(name)
        if not any(name == "Ref" or name[:4] == "Fn::" for name in entries(node)):
            _note(making, ".".join(("provider", *path)), node, known)
    for function in making.functions.values():
        _note(making, f"functions.{function.name}", function.node, _FUNCTION)


def _note(making: GrowingTemplate, where: str, node: Node | None, known: frozenset[str]) -> None:
    if not isinstance(node, Table):
        return
    for name in node.entries:
        if name not in known and not name.startswith("iamRoleStatements"):
            qualified = f"{where}.{name}" if where else name
            making.not_read(qualified, "nothing is known of this key", place_of(node, name, node.place))
