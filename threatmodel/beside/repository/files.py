"""Which files of a checkout mean something, by their names, and their texts; what they say is parsed later."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from threatmodel.beside.folder import Folder, Reads, read_folder
from threatmodel.reading.files import Files

WORKFLOW = re.compile(r"\.github/workflows/[^/]+\.ya?ml\Z")
COMPOSITE = re.compile(r"(?:\.github/.*/|[\w-]+/)?action\.ya?ml\Z")
"""Names of workflows of GitHub Actions, and of composite actions."""
PIPELINE = re.compile(r"\.gitlab-ci\.ya?ml\Z|\.gitlab/.*\.ya?ml\Z")
"""Names of pipelines of GitLab CI."""
OTHER_CI = re.compile(
    r"(?:.*/)?buildspec[\w.-]*\.ya?ml\Z|\.circleci/config\.ya?ml\Z|azure-pipelines\.ya?ml\Z|bitbucket-pipelines\.ya?ml\Z|"
    r"Jenkinsfile\Z|\.travis\.ya?ml\Z|\.drone\.ya?ml\Z|\.buildkite/pipeline\.ya?ml\Z"
)
"""Names of pipelines that are not read."""
OWNERS = re.compile(r"(?:\.github/|\.gitlab/|docs/)?CODEOWNERS\Z")
UPDATES = re.compile(
    r"\.github/dependabot\.ya?ml\Z|(?:\.github/|\.gitlab/)?renovate\.json5?\Z|\.renovaterc(?:\.json)?\Z"
)
"""Names of files that say who owns files, and what updates packages."""

LOCKS = frozenset(
    ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "poetry.lock", "uv.lock")
) | {"pdm.lock", "Pipfile.lock", "go.sum", "Cargo.lock", ".terraform.lock.hcl", "composer.lock"}
"""Names of files that lock packages."""
MANIFESTS = frozenset(("package.json", "pyproject.toml", "Pipfile", "go.mod", "Cargo.toml", "composer.json"))
"""Names of files that ask for packages."""
UNREADABLE = frozenset(("Gemfile", "pom.xml", "build.gradle", "build.gradle.kts"))
"""Names of files that ask for packages, whose locks are not read."""
STATE = re.compile(r"\.tfstate(?:\.backup)?\Z")
"""How names of Terraform's states end; these are not read here, because they have secrets in clear."""
REQUIREMENTS = re.compile(r"requirements(?:[-_.][\w.-]+)?\.txt\Z")

_DATA = re.compile(r"(?i:readme(?:\.\w+)?)\Z|(?:.*/)?\.env[^/]*\Z")
"""Names of documents and settings that may hold a secret."""

_LOCKING = LOCKS | MANIFESTS | UNREADABLE
_OTHERS = frozenset({"vendor", "third_party", "bower_components", "site-packages", "dist", "build", "target"})
"""Folders of copies of others' code, and of what is built."""


def is_wanted(name: str) -> bool:
    """Return whether a file of a checkout is read, by its path in it."""
    base = posixpath.basename(name)
    patterns = (WORKFLOW, COMPOSITE, PIPELINE, OWNERS, UPDATES, OTHER_CI)
    return base in _LOCKING or bool(REQUIREMENTS.match(base)) or any(one.match(name) for one in patterns)


READS = Reads(
    wanted=is_wanted,
    what="the checkout",
    smaller="remove it from the checkout, or state its facts",
    largest=16 * 1024 * 1024,
    without=_OTHERS,
    noticed=(".tfstate", ".tfstate.backup"),
    data=lambda name: bool(_DATA.match(name)),
)
"""How the files of a checkout are read."""


def read_checkout(path: Path, files: Files) -> Folder:
    """Return the files of a checkout that mean something.  Raises InputError where there is no such folder."""
    return read_folder(path, files, READS)
