"""A new way to start code in AWS's Lambda services is noticed, as a threat that the library lacks."""

from __future__ import annotations

import re
from pathlib import Path

import botocore.session
import yaml

from tests.support import HOME
from threatmodel.library.load import load_library

COVERED: dict[str, str] = yaml.safe_load(Path(__file__).with_name("entry-points.yaml").read_text(encoding="utf-8"))
SETTINGS: dict[str, dict[str, list[str]]] = yaml.safe_load(
    Path(__file__).with_name("settings.yaml").read_text(encoding="utf-8")
)
_WAY = re.compile(
    r"(Create|Run|Resume|Invoke)\w*|Add\w*Permission|PutResourcePolicy|PutFunctionEventInvokeConfig|UpdateWeb\w+"
)


def test_every_way_to_start_code_is_covered_by_a_threat() -> None:
    session = botocore.session.get_session()
    services = [name for name in session.get_available_services() if name.startswith("lambda")]
    names = {name for service in services for name in session.get_service_model(service).operation_names}
    assert {name for name in names if _WAY.fullmatch(name)} == COVERED.keys()
    assert set(COVERED.values()) <= load_library(HOME / "threatlib").threats.keys()


def test_every_setting_of_a_function_is_known() -> None:
    """A new setting, or a new word of one, may open a new way in: it is looked at before it is added to the table."""
    model = botocore.session.get_session().get_service_model("lambda")
    members = {name: sorted(model.operation_model(name).input_shape.members) for name in SETTINGS["operations"]}
    words = {name: sorted(model.shape_for(name).enum) for name in SETTINGS["words"]}
    assert members == SETTINGS["operations"]
    assert words == SETTINGS["words"]
