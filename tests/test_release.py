"""What publishes a release: pinned, without stored credentials, and with a bill of what is in it."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.support import HOME
from threatmodel import __version__

WORKFLOW: dict[str, Any] = yaml.safe_load((HOME / ".github/workflows/release.yml").read_text(encoding="utf-8"))
TEXT = (HOME / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
LOCK = (HOME / "requirements.lock").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sbom() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sbom", HOME / "scripts" / "sbom.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel with nothing but its metadata."""
    path = tmp_path / "threatmodel-1.2.3-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        about = "Metadata-Version: 2.4\nName: threatmodel\nVersion: 1.2.3\nLicense-Expression: Apache-2.0\n"
        needs = (
            "Requires-Dist: pyyaml~=6.0\nRequires-Dist: PyTM~=1.4\nRequires-Dist: argcomplete; extra == 'completion'\n"
        )
        archive.writestr(zipfile.ZipInfo("threatmodel-1.2.3.dist-info/METADATA"), about + needs)
    return path


# --- the bill of materials


def test_the_bill_has_every_package_of_the_lock(sbom: ModuleType, wheel: Path) -> None:
    bill = sbom.bill(wheel, LOCK)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", bill["serialNumber"])
    locked = set(re.findall(r"^(\S+==[^\s;\\]+)", LOCK, re.MULTILINE))
    assert {f"{one['name']}=={one['version']}" for one in bill["components"]} == locked
    own = bill["metadata"]["component"]
    assert (own["version"], own["purl"]) == ("1.2.3", "pkg:pypi/threatmodel@1.2.3")
    references = {own["bom-ref"], *(one["bom-ref"] for one in bill["components"])}
    assert {one["ref"] for one in bill["dependencies"]} == references
    assert {name for one in bill["dependencies"] for name in one["dependsOn"]} <= references
    (ours,) = [one for one in bill["dependencies"] if one["ref"] == own["bom-ref"]]
    assert {name.partition("@")[0] for name in ours["dependsOn"]} == {"pkg:pypi/pyyaml", "pkg:pypi/pytm"}
    assert all(one.get("licenses") for one in bill["components"])


def test_the_same_wheel_has_the_same_bill(wheel: Path) -> None:
    command = [sys.executable, str(HOME / "scripts" / "sbom.py"), str(wheel)]
    said = [subprocess.run(command, capture_output=True, check=True).stdout for _ in range(2)]
    assert said[0] == said[1]
    assert json.loads(said[0])["version"] == 1


# --- the workflow


def steps() -> list[dict[str, Any]]:
    return [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]


def test_actions_are_pinned_and_no_expression_is_part_of_a_command() -> None:
    for step in steps():
        if "uses" in step:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"]), step["uses"]
        assert "${{" not in step.get("run", "")


def test_no_job_has_a_stored_credential_or_a_permission_too_many() -> None:
    assert "secrets." not in TEXT
    assert WORKFLOW["permissions"] == {}
    may = {name: job["permissions"] for name, job in WORKFLOW["jobs"].items()}
    assert may["index"] == {"id-token": "write"}
    assert may["build"] == {"contents": "read", "id-token": "write", "attestations": "write"}
    assert "packages" in may["image"]
    assert WORKFLOW["jobs"]["index"]["environment"] == "pypi"
    assert all(step["with"]["persist-credentials"] is False for step in steps() if "checkout" in step.get("uses", ""))


@pytest.mark.skipif(sys.platform == "win32", reason="the steps are a shell's")
def test_only_a_tag_of_the_version_is_released() -> None:
    (step,) = [one for one in steps() if one.get("name") == "The tag is the version"]
    for tag, code in ((f"v{__version__}", 0), ("v9.9.9", 1)):
        env = {"GITHUB_REF_NAME": tag, "PATH": "/usr/bin:/bin"}
        assert subprocess.run(["bash", "-ec", step["run"]], cwd=HOME, env=env, check=False).returncode == code


# --- the image


def test_the_image_holds_the_wheel_alone_and_runs_without_root() -> None:
    lines = (HOME / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("FROM ")] == ["FROM ${BASE} AS build", "FROM ${BASE}"]
    assert "ARG BASE" in lines  # no default: nobody builds on a tag that can move without naming it
    users = [line for line in lines if line.startswith("USER ")]
    assert users == ["USER 10001:10001"]
    assert any("--require-hashes" in line for line in lines)
    allowed = (HOME / ".dockerignore").read_text(encoding="utf-8").split("\n")[1:]
    assert allowed == ["*", "!requirements.lock", "!dist/*.whl", ""]
