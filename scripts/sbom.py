"""Prints the software bill of materials of a release as CycloneDX 1.6: the wheel, and the packages of the lock.

    python scripts/sbom.py dist/threatmodel-0.2.0-py3-none-any.whl > dist/threatmodel-0.2.0.cdx.json

The packages are those of requirements.lock, with the licenses and requirements that their installed metadata states.
The same wheel and lock give the same bytes: there is no clock and no random number in it.
"""

from __future__ import annotations

import email
import hashlib
import json
import re
import sys
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from email.message import Message
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parent.parent / "requirements.lock"
_NAME = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://cyclonedx.org/")


def bill(wheel: Path, lock: str) -> dict[str, Any]:
    """Return the bill of a wheel with the packages of a lock."""
    own = _metadata_in(wheel)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    name, version = str(own["Name"]), str(own["Version"])
    main = {**_component(name, version, own), "hashes": [{"alg": "SHA-256", "content": digest}]}
    packages = dict(_NAME.findall(lock))
    found = {package: _installed(package) for package in sorted(packages)}
    parts = [_component(package, packages[package], found[package]) for package in found]
    known = {_key(package): _reference(package, packages[package]) for package in packages}
    requires = {main["bom-ref"]: own, **{_reference(one, packages[one]): found[one] for one in found}}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, digest + lock)}",
        "version": 1,
        "metadata": {"component": main},
        "components": parts,
        "dependencies": [
            {"ref": ref, "dependsOn": sorted(_required(one, known))} for ref, one in sorted(requires.items())
        ],
    }


def _metadata_in(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [one for one in archive.namelist() if one.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


def _installed(package: str) -> Any:
    """Return the metadata of an installed package; empty where it is for another system."""
    try:
        return metadata(package)
    except PackageNotFoundError:
        return Message()


def _component(name: str, version: str, about: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": _reference(name, version),
        "name": name,
        "version": version,
        "purl": _reference(name, version),
    }
    if license_ := _license(about):
        found["licenses"] = [license_]
    return found


def _license(about: Any) -> dict[str, Any]:
    """Return the license: an SPDX expression where the package states one, else what it states in words."""
    if expression := about["License-Expression"]:
        return {"expression": str(expression)}
    stated = str(about["License"] or "").strip()
    if stated and "\n" not in stated:
        return {"license": {"name": stated}}
    classified = [
        one.rpartition(" :: ")[2] for one in about.get_all("Classifier") or () if one.startswith("License :: ")
    ]
    return {"license": {"name": classified[0]}} if classified else {}


def _required(about: Any, known: Mapping[str, str]) -> Iterator[str]:
    """Yield the references of the packages that another one requires, without its extras."""
    for line in about.get_all("Requires-Dist") or ():
        name = re.match(r"[A-Za-z0-9._-]+", line)
        if name and "extra ==" not in line and _key(name[0]) in known:
            yield known[_key(name[0])]


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _reference(name: str, version: str) -> str:
    return f"pkg:pypi/{_key(name)}@{version}"


def main(arguments: Sequence[str]) -> int:
    """Print the bill of the wheel that is named."""
    if len(arguments) != 1:
        print("usage: sbom.py WHEEL", file=sys.stderr)
        return 2
    print(json.dumps(bill(Path(arguments[0]), LOCK.read_text(encoding="utf-8")), indent=1, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
