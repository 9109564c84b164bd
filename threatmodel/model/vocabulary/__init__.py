"""The facts: one table, the schema of model files, the vocabulary of conditions and the target of collectors.

A row is a fact of one kind of element.  Its `meaning` says what `true`, the number or the word states; `ask` is the
question put to an author who has not stated it; `default` is what AWS documents for a property left out (information
for readers and collectors: a default is not a fact); `seen_by` names the collectors that can observe it, none meaning
that only a person knows.  Names avoid the field names of pytm's classes, since facts become attributes there.

Derived facts are computed in `threatmodel.graph.derived` and `threatmodel.graph.resolved`; authors cannot state them.
"""

from __future__ import annotations

from threatmodel.model.vocabulary.derived import DERIVED
from threatmodel.model.vocabulary.function import FUNCTION
from threatmodel.model.vocabulary.planes import ACCOUNT, ORGANISATION, PIPELINE, WORKSPACE
from threatmodel.model.vocabulary.resources import API, FLOW, QUEUE, SECRET, STORE
from threatmodel.model.vocabulary.row import CLASSIFICATIONS, KINDS, PLANES, FactRow

__all__ = ["CLASSIFICATIONS", "FACTS", "KINDS", "PLANES", "ROWS", "FactRow"]

ROWS = (*FUNCTION, *API, *STORE, *QUEUE, *SECRET, *FLOW, *ACCOUNT, *PIPELINE, *WORKSPACE, *ORGANISATION, *DERIVED)

FACTS: dict[str, dict[str, FactRow]] = {kind: {row.name: row for row in ROWS if row.kind == kind} for kind in KINDS}
"""Every fact by kind and name, derived ones included."""
