"""Every analysis that code answers, by name."""

from __future__ import annotations

from collections.abc import Mapping

from threatmodel.evidence.analyses.policies import POLICIES
from threatmodel.evidence.analyses.services import SERVICES
from threatmodel.evidence.answers import AnalysisFunction

ANALYSES: Mapping[str, AnalysisFunction] = {**POLICIES, **SERVICES}
