"""Every analysis that reads policies, by name.

Each is a function of what was gathered, the element's resource and the stack (`answers.AnalysisFunction`).  It answers
only if no reading of what is unknown could change that, and says nothing (None) where it has nothing to look at.
"""

from __future__ import annotations

from collections.abc import Mapping

from threatmodel.evidence.analyses.access import ACCESS
from threatmodel.evidence.analyses.buckets import BUCKETS
from threatmodel.evidence.analyses.guardrails import GUARDRAILS
from threatmodel.evidence.analyses.roles import ROLES
from threatmodel.evidence.analyses.sharing import SHARING
from threatmodel.evidence.answers import AnalysisFunction

POLICIES: Mapping[str, AnalysisFunction] = {**ROLES, **SHARING, **BUCKETS, **ACCESS, **GUARDRAILS}
