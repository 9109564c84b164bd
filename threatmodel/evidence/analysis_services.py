"""Every analysis that is not about policies, by name."""

from __future__ import annotations

from collections.abc import Mapping

from threatmodel.evidence.analysis_account import ACCOUNT
from threatmodel.evidence.analysis_apis import APIS
from threatmodel.evidence.analysis_functions import FUNCTIONS
from threatmodel.evidence.analysis_pipeline import PIPELINE
from threatmodel.evidence.analysis_stores import STORES
from threatmodel.evidence.answers import AnalysisFunction

SERVICES: Mapping[str, AnalysisFunction] = {**FUNCTIONS, **APIS, **STORES, **ACCOUNT, **PIPELINE}
"""The analyses of functions, apis, stores, queues, account and pipeline."""
