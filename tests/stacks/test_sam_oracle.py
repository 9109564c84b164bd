"""Our reading of SAM against SAM itself: functions, URLs, roles, permissions and event source mappings are equal.

Of our own templates (tests/stacks/sam) everything is equal; so it is, up to a few roles, of real ones
where a folder `iac` beside the clone has some.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.stacks.real import REAL, needs_real
from tests.stacks.sam_oracle import Reading, Role, ours, read, theirs, translated
from tests.support import HOME
from threatmodel.reading.problems import InputError

OURS = sorted((HOME / "tests" / "stacks" / "sam").glob("*.yaml"))
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

LEFT_OUT = {
    "AWS::ApiGateway::Deployment",  # named without SAM's hash
    "AWS::Lambda::Version",
    "AWS::Lambda::LayerVersion",  # stays the AWS::Serverless::LayerVersion that it is
    "AWS::AppSync::GraphQLSchema",  # no function is concerned
    "AWS::ApiGateway::UsagePlan",
    "AWS::ApiGateway::UsagePlanKey",
    "AWS::ApiGateway::ApiKey",
    "AWS::Route53::RecordSetGroup",
}
"""Types that SAM makes and we do not, or not under its name."""


def equal(their: Role, our: Role) -> bool:
    """Whether two roles may do the same; a part that we say is unknown may hold more."""
    if our.open:
        return our.actions <= their.actions and our.managed <= their.managed
    return (our.actions, our.managed) == (their.actions, their.managed)


def both(path: Path) -> tuple[Reading, Reading]:
    text = path.read_text(encoding="utf-8")
    return theirs(translated(text)), ours(read(text))


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_of_our_own_templates_everything_is_equal(path: Path) -> None:
    their, our = both(path)
    assert our.functions == their.functions
    assert our.urls == their.urls
    assert our.roles.keys() == their.roles.keys()
    for name, role in their.roles.items():
        assert equal(role, our.roles[name]), name
    assert our.permissions == their.permissions
    assert our.mappings == their.mappings


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_resources_have_the_names_that_sam_gives(path: Path) -> None:
    their, our = both(path)
    wanted = {name for name, kind in their.made.items() if kind not in LEFT_OUT}
    assert wanted <= our.made.keys()


def test_only_choices_leave_a_role_open() -> None:
    open_ones = {
        f"{path.stem}.{name}"
        for path in OURS
        for name, role in ours(read(path.read_text(encoding="utf-8"))).roles.items()
        if role.open
    }
    assert open_ones == {"policies.ConditionalRole", "policies.NamesRole"}


def test_the_templates_use_every_event_and_property_that_brings_a_grant() -> None:
    from threatmodel.stacks.sam.events import SERVICES
    from threatmodel.stacks.sam.polls import SOURCES

    written = "".join(path.read_text(encoding="utf-8") for path in OURS)
    missing = [kind for kind in (*SERVICES, *SOURCES) if f"Type: {kind}" not in written]
    assert not missing


@needs_real
def test_of_real_templates_nearly_everything_is_equal(capsys: pytest.CaptureFixture[str]) -> None:
    compared, roles, same = 0, 0, 0
    differing = []
    for path in REAL:
        try:
            made = translated(path.read_text(encoding="utf-8"))
        except Exception:  # noqa: BLE001, S112 - what SAM cannot translate, for whatever reason, is no measure
            continue
        try:
            their, our = theirs(made), ours(read(path.read_text(encoding="utf-8")))
        except InputError:
            differing.append(path.name)
            continue
        compared += 1
        parts = ("functions", "urls", "permissions", "mappings")
        differing += [f"{path.name}: {part}" for part in parts if getattr(their, part) != getattr(our, part)]
        roles += len(their.roles)
        same += sum(name in our.roles and equal(role, our.roles[name]) for name, role in their.roles.items())
    with capsys.disabled():
        sys.stdout.write(f"\nSAM: {compared} real templates, {same} of {roles} roles equal ")
    assert compared >= 30
    assert not differing
    assert same >= roles * 0.98
