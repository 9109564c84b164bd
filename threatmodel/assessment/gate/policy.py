"""A policy: the rules by which a team judges the models of others, from a file that it owns."""

from __future__ import annotations

from pathlib import Path

from threatmodel.assessment.gate.results import Rules
from threatmodel.assessment.risk import BANDS
from threatmodel.model.evidence_shape import EVIDENCE_KINDS
from threatmodel.model.longest import LONGEST_TERMS, YEAR
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError
from threatmodel.reading.reader import Entry, Reader
from threatmodel.reading.shape import Flag, Items, Key, Text, Word, record

POLICY = record(
    "a policy",
    Key("fail_on", Word(BANDS, ordered=True), "the lowest band that fails a check; high where left out"),
    Key("tolerance", Word(BANDS[:3], ordered=True), "the highest risk_tolerance that a model may state"),
    Key("require_proof", Flag(), "judge by the proven risk, not by the claimed one"),
    Key("strict", Flag(), "what word takes out fails: ratings, scope, claims that rule threats out"),
    Key(
        "allow_undetermined",
        Flag(),
        "findings that wait for an answer may pass, where --allow-undetermined is given too",
    ),
    Key("ignore_acceptances", Flag(), "no acceptance and no exemption of a repository counts"),
    Key("longest_terms", LONGEST_TERMS, f"the longest terms that a model may state, {YEAR} days each where left out"),
    Key("required_evidence", Items(Word(EVIDENCE_KINDS)), "kinds of evidence that every model has to name"),
    Key("proven", Items(Text(100, expected="a control")), "controls that must be proven wherever they apply"),
    Key(
        "acceptors",
        Items(Text(400, expected="an owner")),
        "who may accept a risk or exempt from an invariant: owners as models name them",
    ),
)
"""A policy file."""


def load_policy(files: Files, path: Path) -> Rules:
    """The rules in a policy file.  Raises InputError with every problem."""
    reader = Reader(files.document(path))
    entries = reader.whole(POLICY)
    files.renamed += reader.renamed
    if reader.problems:
        raise InputError(reader.problems)
    terms = entries["longest_terms"].value if "longest_terms" in entries else {}

    def flag(name: str) -> bool:
        return name in entries and bool(entries[name].value)

    return Rules(
        fail_on=_word(entries, "fail_on", "high"),
        tolerance=_word(entries, "tolerance", "high"),
        require_proof=flag("require_proof"),
        strict=flag("strict"),
        allow_undetermined=flag("allow_undetermined"),
        ignore_acceptances=flag("ignore_acceptances"),
        longest_acceptance=terms["acceptance"].value if "acceptance" in terms else YEAR,
        longest_attestation=terms["attestation"].value if "attestation" in terms else YEAR,
        required_evidence=entries.several("required_evidence"),
        proven_controls=entries.several("proven"),
        proven_at=tuple(item.place for item in entries["proven"].value) if "proven" in entries else (),
        acceptors=entries.several("acceptors"),
    )


def _word(entries: dict[str, Entry], name: str, default: str) -> str:
    return str(entries[name].value) if name in entries else default
