"""The programs and actions that deploy, scan or test, by what they are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_AWS = r"aws(?:\s+--[\w-]+(?:[ =][^\s-]\S*)?)*\s+"
_TF = r"(?:terraform|tofu)(?:\s+-chdir=\S+)?"

DEPLOYS = re.compile(
    rf"""(?x)
    sam\s+deploy\b | (?:sls|serverless|osls)\s+deploy\b | cdk\s+deploy\b | {_TF}\s+apply\b | terragrunt\s+.*\bapply\b |
    pulumi\s+up\b | sst\s+deploy\b | chalice\s+deploy\b | zappa\s+(?:deploy|update)\b | claudia\s+(?:create|update)\b |
    arc\s+deploy\b | amplify\s+push\b | copilot\s+(?:svc\s+)?deploy\b |
    {_AWS}cloudformation\s+(?:deploy|create-stack|update-stack|execute-change-set)\b |
    {_AWS}lambda\s+(?:update-function-code|create-function|publish-version|update-alias)\b |
    {_AWS}deploy\s+create-deployment\b
    """
)
"""Commands that deploy to AWS."""
DEPLOYING_ACTIONS = frozenset(
    (
        "aws-actions/aws-cloudformation-github-deploy",
        "aws-actions/aws-lambda-deploy",
        "appleboy/lambda-action",
        "pulumi/actions",
        "serverless/github-action",
        "youyo/aws-cdk-github-actions",
    )
)

KEEPS_STATE = re.compile(
    rf"{_TF}\s+(?:apply|plan|import|refresh)\b|terragrunt\s|pulumi\s+(?:up|preview)\b|sst\s+deploy\b"
)
"""Commands of tools that keep a state with the values of resources."""

COMPARES = re.compile(
    rf"{_TF}\s+plan\b.*-detailed-exitcode\b|terragrunt\s+.*\bplan\b.*-detailed-exitcode\b"
    r"|pulumi\s+preview\b.*--expect-no-changes\b|cdk\s+drift\b.*--fail\b"
)
"""Commands that compare what is deployed with what the repository says, and fail where it differs."""
DETECTS = re.compile(rf"{_AWS}cloudformation\s+detect-stack-(?:set-)?drift\b|driftctl\s+scan\b")
"""Commands that look for drift, without the code of functions."""

AI_ACTIONS = (
    "anthropics/claude-code",
    "openai/codex-action",
    "google-github-actions/run-gemini-cli",
    "google-gemini/gemini-cli",
    "qodo-ai/pr-agent",
    "codium-ai/pr-agent",
    "coderabbitai/",
)
"""Actions by which AI agents review or change code."""
AI_COMMANDS = re.compile(r"(?:claude\s+(?:-p|--print)|codex\s+exec|gemini\s+(?:-p|--prompt)|aider)\b")

TESTS = re.compile(
    r"""(?x)
    pytest\b | unittest\b | tox\b | nox\b | (?:npm|yarn|pnpm|bun)\s+(?:run\s+)?test\b | npm\s+t\b | jest\b | vitest\b |
    mocha\b | go\s+test\b | cargo\s+test\b | (?:\./)?(?:mvnw?|gradlew?)\s.*\b(?:test|verify|build)\b | dotnet\s+test\b |
    rspec\b | sbt\s+test\b
    """
)
ANYTHING = re.compile(r"(?:make|just|task|invoke)\s+[\w-]|(?:ba|z)?sh\s+\S+\.sh\b|\./\S+|(?:npm|yarn|pnpm|bun)\s+run\s")
"""Commands that run what another file of the repository says."""

SCANNERS: Mapping[str, re.Pattern[str]] = {
    "scans-dependencies": re.compile(
        r"""(?x)
        pip-audit\b | pip_audit\b | npm\s+audit\b(?!\s+(?:fix|signatures)) | yarn\s+(?:npm\s+)?audit\b |
        pnpm\s+audit\b | osv-scanner\b | snyk\s+test\b | safety\s+(?:check|scan)\b | govulncheck\b |
        cargo\s+audit\b | bundler?[ -]audit\b | audit-ci\b | better-npm-audit\b | grype\b.*--fail-on |
        trivy\s+(?:fs|filesystem|repo|rootfs)\b.*--exit-code[ =][1-9]
        """
    ),
    "scans-code": re.compile(
        r"bandit\b|semgrep\s+ci\b|semgrep\b.*--error\b|gosec\b|njsscan\b|brakeman\b|snyk\s+code\s+test\b"
    ),
    "scans-templates": re.compile(
        r"""(?x)
        checkov\b | cfn[-_]nag(?:_scan)?\b | cfn-guard\s+validate\b |
        tfsec\b | terrascan\s+scan\b | conftest\s+(?:test|verify)\b | kics\s+scan\b |
        trivy\s+(?:config|conf)\b.*--exit-code[ =][1-9] | snyk\s+iac\s+test\b
        """
    ),
    "scans-secrets": re.compile(
        r"gitleaks\s|trufflehog\s|ggshield\s+secret\s+scan|detect-secrets(?:-hook)?\s|git-secrets\s+--scan"
    ),
}
"""Programs that scan, and end with an error where they find something, by what they look for."""
LENIENT = re.compile(r"\s(?:--exit-zero|--soft-fail|--dry-run|--audit-level[ =]none)\b|checkov\b.*\s-s\b")
"""Options with which a scanner ends well whatever it finds."""
NO_SCAN = re.compile(r"\S+\s+(?:--version|--help|-h|version|help)\b")
"""Commands that only print what a program is."""

SCANNING_ACTIONS: Mapping[str, Sequence[str]] = {
    "scans-dependencies": (
        "pypa/gh-action-pip-audit",
        "actions/dependency-review-action",
        "google/osv-scanner-action",
        "google/osv-scanner",
        "golang/govulncheck-action",
        "anchore/scan-action",
        "snyk/actions",
        "aquasecurity/trivy-action",
    ),
    "scans-code": ("pycqa/bandit-action", "securego/gosec", "semgrep/semgrep-action", "returntocorp/semgrep-action"),
    "scans-templates": ("bridgecrewio/checkov-action", "aquasecurity/tfsec-action", "stelligent/cfn_nag"),
    "scans-secrets": ("gitleaks/gitleaks-action", "trufflesecurity/trufflehog", "gitguardian/ggshield-action"),
}
"""Actions that scan, and fail where they find something."""

LENIENT_ACTIONS: Mapping[str, tuple[str, str]] = {
    "aquasecurity/trivy-action": ("exit-code", "1"),
    "bridgecrewio/checkov-action": ("soft_fail", "|false"),
    "aquasecurity/tfsec-action": ("soft_fail", "|false"),
    "anchore/scan-action": ("fail-build", "|true"),
}
"""Scanning actions that an input makes fail or not: the input, and the values with which they fail ('' if left out)."""

REPORTING_ACTIONS: Mapping[str, str] = {
    "github/codeql-action/analyze": "scans-code",
    "sonarsource/sonarqube-scan-action": "scans-code",
    "sonarsource/sonarcloud-github-action": "scans-code",
}
"""Actions that only report: whether a result stops a change, a rule of the host decides."""
