"""Options of other scanners, and what to use here instead: what people type first is answered, and not guessed at."""

from __future__ import annotations

_BAND = "use --fail-on low, medium, high or critical"
_EXCLUDE = "use 'tm accept FINDING' for a finding, or --exclude IDS for threats"
_REPORT_ONLY = "use --report-only, which ends with exit code 0 even if the check fails"
_FORMAT = "use --format FORMAT -o FILE (text, json, sarif, github, gitlab, markdown, junit)"
_MODEL = "name the model, which names its files, or import the files with 'tm import'"

FOREIGN = {
    **dict.fromkeys(("--severity", "--min-severity", "--minimum-severity", "--severity-threshold"), _BAND),
    **dict.fromkeys(("--fail-level", "--failure-threshold", "--audit-level", "--level", "--error-on"), _BAND),
    **dict.fromkeys(
        ("--skip-check", "--skip-checks", "--skip", "--skip-rule", "--ignore", "--ignore-checks"), _EXCLUDE
    ),
    **dict.fromkeys(("--exclude-rule", "--disable", "--ignorefile", "--suppress"), _EXCLUDE),
    **dict.fromkeys(("--exit-code", "--soft-fail", "--no-fail", "--exit-zero", "--no-exit-code"), _REPORT_ONLY),
    **dict.fromkeys(("--soft-fail-on", "--hard-fail-on"), _BAND),
    **dict.fromkeys(("--output-format", "-f", "--fmt"), _FORMAT),
    **dict.fromkeys(("--sarif", "--junit", "--junit-xml", "--markdown"), _FORMAT),
    **dict.fromkeys(("--output-file", "--output-file-path", "--out"), "use -o FILE"),
    **dict.fromkeys(("--directory", "-d", "--file", "--template", "-t", "--scan"), _MODEL),
    **dict.fromkeys(("--config-file", "--config", "-c"), "the configuration is found; 'tm config' prints it"),
    **dict.fromkeys(("--silent", "--no-progress", "--compact"), "use --quiet, which prints only what fails"),
    **dict.fromkeys(("--list-checks", "--list-rules"), "use --list, which lists every threat"),
    "--baseline-file": "use --baseline FILE",
    "--create-baseline": "use --baseline FILE --write-baseline",
    "--no-color": "set the environment variable NO_COLOR=1",
    "--no-colour": "set the environment variable NO_COLOR=1",
    "--debug": "set the environment variable TM_DEBUG=1",
    "--fix": "nothing is fixed automatically; 'tm explain ID' prints how to fix it",
}
"""Each such option with the answer."""

FORMATS = {"table": "text", "cli": "text", "human": "text", "plain": "text", "junitxml": "junit", "junit-xml": "junit"}
FORMATS |= {"md": "markdown", "github_failed_only": "github", "gitlab-codequality": "gitlab", "codeclimate": "gitlab"}
"""Formats of other scanners, each with its name here."""
