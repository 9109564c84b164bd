"""`repository:` under evidence: what workflows and lock files show, with their lines, and what they do not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.beside.places import Assessment, Printed, assess, system, template
from threatmodel.command.main import main

SHA = "11bd71901bbe5b1630ceea73d27597364c9af683"
LOCKED = {"requirements.txt": "requests==2.32.3 \\\n    --hash=sha256:" + "0" * 64 + "\n"}
DEPLOY = f"""\
name: Deploy
on: {{push: {{branches: [main]}}}}
permissions: {{id-token: write, contents: read}}
jobs:
  deploy:
    runs-on: ubuntu-latest
    environment: production
    steps:
      - uses: actions/checkout@{SHA}
      - uses: aws-actions/configure-aws-credentials@{SHA}
        with:
          role-to-assume: arn:aws:iam::111122223333:role/deploy-bot
          aws-region: eu-west-1
      # - run: checkov -d .
      - run: pip-audit -r requirements.txt
      - run: |
          sam build
          # npm audit
          sam deploy --no-confirm-changeset
"""
KEYS = """\
on: push
jobs:
  release:
    steps:
      - uses: aws-actions/configure-aws-credentials@v4
        with:
          aws-access-key-id: ${{ secrets.AWS_KEY }}
          aws-secret-access-key: ${{ secrets.AWS_SECRET }}
      - run: npx serverless deploy
"""
UNTRUSTED = """\
on: pull_request_target
jobs:
  build:
    steps:
      - uses: actions/checkout@v4
        with:
          ref: ${{ github.event.pull_request.head.sha }}
      - run: npm ci && npm test
        env: {TOKEN: "${{ secrets.DEPLOY_TOKEN }}"}
"""
GITLAB = """\
include:
  - project: platform/ci
    file: /deploy.yml
    ref: main
default:
  image: python:3.13
deploy:
  id_tokens:
    AWS_TOKEN: {aud: https://gitlab.acme.io}
  environment: production
  script:
    - aws sts assume-role-with-web-identity --role-arn $ROLE --web-identity-token $AWS_TOKEN
    - terraform apply -auto-approve
"""


_BARE = re.compile(r"\w+\.yml\Z")
Seen = Callable[[Mapping[str, str]], Assessment]


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> Seen:
    """Return what is assessed of a checkout with some files: workflows by their bare names, others by their paths."""

    def of(files: Mapping[str, str]) -> Assessment:
        placed = {f".github/workflows/{name}" if _BARE.match(name) else name: text for name, text in files.items()}
        every = {"template.yaml": template("POST /slack/events"), **placed}
        return assess(system(tmp_path, every, "{repository: .}"), monkeypatch, capsys)

    return of


def test_a_sound_pipeline_states_and_proves_nothing_good(seen: Seen) -> None:
    found = seen({"deploy.yml": DEPLOY, **LOCKED})
    assert found.fact("pipeline", "auth") == ("oidc", "deploy.yml:12", "evidence, in doubt")
    assert found.fact("pipeline", "actions_pinned") == (True, "deploy.yml:9", "statement")
    assert found.fact("pipeline", "dependencies_locked") == (True, "requirements.txt:1", "statement")
    assert found.fact("pipeline", "dependency_scanning") == (True, "deploy.yml:15", "statement")
    assert found.fact("pipeline", "template_scanning") is None  # the step is a comment
    assert found.fact("pipeline", "production_approval") is None
    assert found.left_open("production_approval") == [
        "only the host shows whether the environment production waits for approval (host:)"
    ]
    assert found.read("repository")["elements"]["pipeline"].startswith(
        "1 file of GitHub Actions, deploys at .github/workflows/deploy.yml:19, 1 lock file, no CODEOWNERS"
    )


@pytest.mark.parametrize(
    ("files", "fact", "value", "place"),
    [
        ({"a.yml": KEYS}, "auth", "static-keys", "a.yml:7"),
        ({"a.yml": "on: push\nenv:\n  AWS_ACCESS_KEY_ID: AKIA\njobs: {a: {steps: [{run: ls}]}}\n"},
         "auth", "static-keys", "a.yml:3"),
        ({"a.yml": DEPLOY, "b.yml": KEYS}, "auth", "static-keys", "b.yml:7"),
        ({"a.yml": KEYS}, "actions_pinned", False, "a.yml:5"),
        ({"a.yml": KEYS}, "uses_third_party_actions", True, "a.yml:5"),
        ({"a.yml": KEYS}, "repository_hosted", True, "a.yml:1"),
        ({"a.yml": UNTRUSTED}, "runs_untrusted_changes", True, "a.yml:7"),
        ({".gitlab-ci.yml": GITLAB}, "actions_pinned", False, ".gitlab-ci.yml:6"),
        ({".gitlab-ci.yml": GITLAB}, "keeps_state", True, ".gitlab-ci.yml:13"),
        ({"a.yml": "on: push\njobs:\n  a:\n    steps:\n      - run: |\n          cd tf\n          terraform apply\n"},
         "keeps_state", True, "a.yml:7"),
        ({"a.yml": "on: issues\njobs:\n  a:\n    steps: [{uses: anthropics/claude-code-action@v1}]\n"},
         "ai_agents_change_code", True, "a.yml:4"),
        ({"a.yml": "on: push\npermissions: {contents: write}\njobs: {a: {steps: [{uses: openai/codex-action@v1}]}}\n"},
         "ai_agents_restricted", False, "a.yml:3"),
        ({"infra/terraform.tfstate": '{"version": 4}'}, "state_access_restricted", False, "terraform.tfstate:1"),
        ({".github/actions/x/action.yml": "runs:\n  using: composite\n  steps:\n    - uses: actions/cache@v4\n"},
         "actions_pinned", False, "action.yml:4"),
        ({"requirements.txt": "# pinned\nrequests==2.32.3\n"}, "dependencies_locked", False, "requirements.txt:2"),
        ({"requirements.txt": "--extra-index-url https://packages.example.com\n" + LOCKED["requirements.txt"]},
         "dependencies_locked", False, "requirements.txt:1"),
        ({"package.json": '{\n "dependencies": {"left-pad": "1"}\n}'}, "dependencies_locked", False, "package.json:2"),
        ({"package.json": '{"dependencies": {"a": 1}}', "yarn.lock": 'a@1:\n  resolved "https://r.io/a"\n'},
         "dependencies_locked", False, "yarn.lock:1"),
        ({**LOCKED, "src/requirements.txt": "requests\n"}, "dependencies_locked", False, "requirements.txt:1"),
    ],
)  # fmt: skip
def test_what_alarms_is_evidence_with_its_line(
    seen: Seen, files: Mapping[str, str], fact: str, value: object, place: str
) -> None:
    found = seen(files).fact("pipeline", fact)
    assert found is not None
    assert (*found[:2], found[2].partition(",")[0]) == (value, place, "evidence")


DAILY = """\
on:
  schedule: [{cron: '17 5 * * *'}]
jobs:
  drift:
    steps:
      - run: terraform plan -input=false -detailed-exitcode
"""
"""A comparison of what is deployed with the repository, each day."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (DAILY, (True, "a.yml:6", "statement")),
        (DAILY.replace("* * *'", "* * 1'"), None),
        (DAILY.replace(" -detailed-exitcode", ""), None),
        (DAILY.replace("exitcode", "exitcode || true"), None),
        (DAILY.replace("- run", "- continue-on-error: true\n        run"), None),
        (DAILY.replace("terraform plan -input=false", "aws cloudformation detect-stack-drift --stack-name x"), None),
    ],
)
def test_a_daily_comparison_of_what_is_deployed_is_a_statement(seen: Seen, text: str, expected: object) -> None:
    assert seen({"a.yml": text}).fact("pipeline", "deployed_code_compared") == expected


def test_a_circle_of_extended_jobs_ends(seen: Seen) -> None:
    circle = (
        ".a: {extends: [.b, .b]}\n.b: {extends: [.a, .a], image: 'x:1'}\njob: {extends: .a, script: [sam deploy]}\n"
    )
    assert seen({".gitlab-ci.yml": circle}).fact("pipeline", "actions_pinned") == (
        False,
        ".gitlab-ci.yml:2",
        "evidence",
    )


@pytest.mark.parametrize(
    ("files", "fact"),
    [
        # a role that only tests use is not how the pipeline deploys
        ({"a.yml": DEPLOY.replace("sam deploy", "pytest")}, "auth"),
        # without permission for a token there is none
        ({"a.yml": DEPLOY.replace("id-token: write, ", "")}, "auth"),
        # temporary credentials
        ({"a.yml": KEYS.replace("aws-secret", "aws-session-token: x\n          aws-secret")}, "auth"),
        # a label decides; a checkout of the base; a pull request without credentials
        ({"a.yml": UNTRUSTED.replace("build:", "build:\n    if: github.event.label.name == 'ok'")},
         "runs_untrusted_changes"),
        ({"a.yml": UNTRUSTED.replace("head.sha", "base.sha")}, "runs_untrusted_changes"),
        ({"a.yml": UNTRUSTED.replace("_target", "")}, "runs_untrusted_changes"),
        # a scanner that may fail, that only reports, that runs at night, and the word in another command
        ({"a.yml": "on: push\njobs: {a: {steps: [{run: pip-audit || true}]}}\n"}, "dependency_scanning"),
        ({"a.yml": "on: push\njobs: {a: {steps: [{run: pip-audit, continue-on-error: 1}]}}\n"}, "dependency_scanning"),
        ({"a.yml": "on: {schedule: []}\njobs: {a: {steps: [{run: pip-audit}]}}\n"}, "dependency_scanning"),
        ({"a.yml": "on: push\njobs: {a: {steps: [{run: echo pip-audit}]}}\n"}, "dependency_scanning"),
        ({"a.yml": "on: push\njobs: {a: {steps: [{uses: github/codeql-action/analyze@v3}]}}\n"}, "static_analysis"),
        ({"a.yml": "on: push\njobs: {a: {steps: [{uses: aquasecurity/trivy-action@v1}]}}\n"}, "dependency_scanning"),
        # a target that may run anything
        ({"a.yml": "on: push\njobs: {a: {steps: [{run: make scan}]}}\n"}, "dependency_scanning"),
        # nothing to lock, and a form that is not read
        ({"package.json": '{"name": "x"}'}, "dependencies_locked"),
        ({**LOCKED, "pom.xml": "<project/>"}, "dependencies_locked"),
        # requirements of tests are not deployed
        ({"requirements-dev.txt": "pytest\n"}, "dependencies_locked"),
        # one workflow that cannot be read leaves open what all of them would show
        ({"a.yml": DEPLOY, "b.yml": "on: push\njobs: {"}, "auth"),
        ({"a.yml": DEPLOY, "b.yml": "on: push\njobs: {"}, "actions_pinned"),
        ({"a.yml": DEPLOY, "buildspec.yml": "version: 0.2\n", "ci/buildspec.yml": "version: 0.2\n"}, "auth"),
        ({"a.yml": f"on: push\njobs: {{a: {{container: '${{{{ inputs.image }}}}', steps: [{{uses: x/y@{SHA}}}]}}}}\n"},
         "actions_pinned"),
    ],
)  # fmt: skip
def test_what_is_only_a_sign_decides_nothing(seen: Seen, files: Mapping[str, str], fact: str) -> None:
    assert seen(files).fact("pipeline", fact) is None


@pytest.mark.parametrize(
    ("step", "fact", "stops"),
    [
        ("run: bandit -r src", "static_analysis", True),
        ("run: bandit -r src | tee bandit.txt", "static_analysis", False),
        ("shell: bash\n        run: bandit -r src | tee bandit.txt", "static_analysis", True),
        ("run: |\n          set -euo pipefail\n          bandit -r src | tee bandit.txt", "static_analysis", True),
        ("run: |\n          set +e\n          bandit -r src\n          exit 0", "static_analysis", False),
        ("run: bandit -r src --exit-zero", "static_analysis", False),
        ("run: bandit --version", "static_analysis", False),
        ("run: checkov -d .\n        env: {CKV_SOFT_FAIL: 'true'}", "template_scanning", False),
        ("run: npm audit --audit-level=none", "dependency_scanning", False),
        ("run: pip-audit --dry-run -r requirements.txt", "dependency_scanning", False),
    ],
)
def test_a_scanner_counts_where_its_results_fail_the_build(seen: Seen, step: str, fact: str, stops: bool) -> None:
    text = f"on: push\njobs:\n  a:\n    steps:\n      - {step}\n"
    assert (seen({"a.yml": text}).fact("pipeline", fact) is not None) is stops


def test_what_cannot_be_read_is_named_with_reason_and_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    files = {
        "template.yaml": template("POST /e"),
        ".github/workflows/cut.yml": "on: push\njobs:\n  a: {steps: [",
        ".github/workflows/twice.yml": "on: push\non: pull_request\njobs: {a: {steps: []}}\n",
        ".github/workflows/none.yml": "name: none\n",
        ".github/workflows/bomb.yml": "a: &a [1]\n" + "".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
        ),
        ".circleci/config.yml": "version: 2.1\n",
        "poetry.lock": "",
        "package-lock.json": "{",
    }  # fmt: skip
    model = system(tmp_path, files, "{repository: .}")
    (tmp_path / ".github/workflows/away.yml").symlink_to("/etc/passwd")
    unread = {
        one["name"].rpartition("/")[2]: one["why"]
        for one in assess(model, monkeypatch, capsys).read("repository")["unread"]
    }
    assert unread["away.yml"] == "this link leaves the project; copy what it leads to"
    assert "aliases repeat" in unread["bomb.yml"]
    assert "is given twice" in unread["twice.yml"]
    assert unread["none.yml"] == "it has no jobs; remove the file, or give it jobs"
    assert unread["config.yml"] == "this service's pipelines are not read; state the facts of the pipeline"
    assert unread["package-lock.json"].startswith("it is no package-lock.json that can be read")
    assert unread.keys() >= {"cut.yml"}


def test_an_alarm_is_shown_without_doubt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> None:
    files = {"template.yaml": template("POST /e"), ".github/workflows/a.yml": KEYS}
    model = system(tmp_path, files, "{repository: .}")
    monkeypatch.chdir(tmp_path)
    assert main(["check", "-m", model.name]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "auth: static-keys (the job 'release' uses long-lived AWS keys, from secrets of the repository)" in said


def test_no_value_of_a_secret_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> None:
    secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"
    workflow = (
        f"on: push\nenv: {{AWS_SECRET_ACCESS_KEY: {secret}}}\njobs:\n  a:\n    steps:\n"
        f"      - run: sam deploy --parameter-overrides Secret={secret}\n      - run: terraform apply -var s={secret}\n"
    )
    files = {"template.yaml": template("POST /e"), ".github/workflows/a.yml": workflow}
    whole = assess(system(tmp_path, files, "{repository: .}"), monkeypatch, capsys).whole
    assert "static-keys" in str(whole)
    assert secret not in str(whole)


def test_of_hundreds_of_workflows_the_rest_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    files = {
        f".github/workflows/w{n:03}.yml": f"on: push\njobs: {{a: {{steps: [{{uses: x/y@{SHA}}}]}}}}\n"
        for n in range(205)
    }
    found = assess(
        system(tmp_path, {"template.yaml": template("POST /e"), **files}, "{repository: .}"), monkeypatch, capsys
    )
    assert [one["why"] for one in found.read("repository")["unread"]] == [
        "200 workflows were read before it; name a folder with fewer workflows"
    ] * 5
    assert found.fact("pipeline", "actions_pinned") is None


def test_a_checkout_that_is_not_there_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    model = system(tmp_path, {"template.yaml": template("POST /e")}, "{repository: ../elsewhere}")
    monkeypatch.chdir(tmp_path)
    assert main(["check", "-m", model.name]) == 2
    assert " outside-project: " in capsys.readouterr().err
