"""Every analysis that is not about policies, by name."""

from __future__ import annotations

from collections.abc import Mapping

from threatmodel.evidence.analyses.account import ACCOUNT
from threatmodel.evidence.analyses.apis import APIS
from threatmodel.evidence.analyses.functions import FUNCTIONS
from threatmodel.evidence.analyses.pipeline import PIPELINE
from threatmodel.evidence.analyses.stores import STORES
from threatmodel.evidence.answers import AnalysisFunction

SERVICES: Mapping[str, AnalysisFunction] = {**FUNCTIONS, **APIS, **STORES, **ACCOUNT, **PIPELINE}
"""The analyses of functions, apis, stores, queues, account and pipeline."""
