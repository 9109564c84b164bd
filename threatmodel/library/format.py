"""The format of the library's files."""

from __future__ import annotations

import re

from threatmodel.library.entries import BEYOND, EFFECTS, MITIGATIONS, SCENARIOS, STRIDE
from threatmodel.model.file import INVARIANTS, KIND
from threatmodel.model.vocabulary import FORMER_KINDS, KINDS
from threatmodel.reading.shape import Either, Items, Key, NamedItems, Number, Raw, Record, Text, Word, record

_LINE = Text(160, r"[^\n]+", "one line of text")
_PROSE = Text(1600)
_CONDITION = Text(4000, expected="a condition", truth=True)
_ALIASES = Items(Text(60, r"[^\n]+", "one line of text"), least=1)
_URL = Text(300, r"https://[^\s<>\"'`]+", "an https address")


def _ids(pattern: str, expected: str) -> Items:
    return Items(Text(64, pattern, expected), least=1)


_THREAT_MAPS = record(
    "the mappings of a threat",
    Key("cwe", _ids(r"CWE-\d{1,4}", "an id such as CWE-345"), "weaknesses (CWE 4.17)"),
    Key("capec", _ids(r"CAPEC-\d{1,3}", "an id such as CAPEC-194"), "attack patterns (CAPEC 3.9)"),
    Key("attack", _ids(r"T\d{4}(\.\d{3})?", "an id such as T1190"), "techniques (MITRE ATT&CK 19)"),
    Key("owasp_2021", _ids(r"A(0[1-9]|10)", "an id such as A07"), "OWASP Top 10, 2021"),
    Key("owasp_2025", _ids(r"A(0[1-9]|10)", "an id such as A07"), "OWASP Top 10, 2025"),
    Key("owasp_api_2023", _ids(r"API([1-9]|10)", "an id such as API2"), "OWASP API Security Top 10, 2023"),
    Key("owasp_llm_2025", _ids(r"LLM(0[1-9]|10)", "an id such as LLM01"), "OWASP Top 10 for LLM applications, 2025"),
    Key("owasp_agentic_2026", _ids(r"ASI(0[1-9]|10)", "an id such as ASI01"), "OWASP Top 10 for agents, 2026"),
    Key("sas", _ids(r"SAS-([1-9]|1[0-2])", "an id such as SAS-2"), "PureSec/CSA's critical risks of serverless"),
    Key("aws_threats", _ids(r"A?T\d{4}(\.[A-Z0-9]+)?", "an id such as T1078.A001"), "AWS Threat Technique Catalog"),
)

_CONTROL_MAPS = record(
    "the mappings of a control",
    Key("nist_800_53", _ids(r"[A-Z]{2}-\d{1,2}(\(\d{1,2}\))?", "an id such as AC-6(10)"), "NIST SP 800-53 rev. 5"),
    Key("security_hub", _ids(r"[A-Za-z0-9]+\.\d{1,3}", "an id such as Lambda.1"), "AWS Security Hub controls"),
    Key(
        "cis",
        _ids(r"v\d\.\d\.\d \d{1,2}(\.\d{1,2}){1,2}", "edition and id, such as v5.0.0 1.13"),
        "CIS AWS Foundations",
    ),
    Key("slack_security", _ids(r"SLACK-[1-9][0-9]?", "an id such as SLACK-4"), "Slack's security practices"),
    Key("d3fend", _ids(r"D3-[A-Z0-9]+", "an id such as D3-MFA"), "MITRE D3FEND 1.3.0"),
    Key("well_architected", _ids(r"[A-Z]{3,4}\d{2}(-BP\d{2})?", "an id such as SEC03-BP02"), "AWS Well-Architected"),
    Key("aws_config", _ids(r"[A-Z0-9_]{3,64}", "a rule such as ACCESS_KEYS_ROTATED"), "AWS Config managed rules"),
)

_FACT_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


def _examples(*names: str) -> Record:
    return record(
        "the examples",
        *(
            Key(
                name,
                Items(NamedItems(Raw(), "a fact", _FACT_NAME, "a fact's name")),
                f"facts for which the answer is '{name}'",
            )
            for name in names
        ),
    )


THREAT_EXAMPLES = ("applies", "does_not_apply", "undetermined")
CONTROL_EXAMPLES = ("in_place", "not_in_place", "unknown", "not_applicable")

_EFFECT = Either(
    Word(EFFECTS),
    record(
        "a link",
        *(Key(effect, _LINE, f"why it {effect} this threat") for effect in EFFECTS),
        Key(
            "looks_at", _LINE, "what was looked at to know that the control is in place, for one that stops the threat"
        ),
        Key(
            "if", _CONDITION, "the elements on which it has this effect; without it, on all that the threat applies to"
        ),
    ),
)

_MOVE = record(
    "a rule",
    Key(
        "if",
        _CONDITION,
        "its condition; an unknown condition lowers nothing, and does not rule out a raise",
        required=True,
    ),
    Key("likelihood", Number(1, 5), "the likelihood if it is true"),
    Key("impact", Number(1, 5), "the impact if it is true"),
    Key("because", _LINE, "the reason, which reports cite", required=True),
)

_IDS = Items(Text(60), least=1)

THREAT = record(
    "a threat",
    Key("id", Text(60), "the file's name", required=True),
    Key("title", _LINE, "the threat as a sentence that a developer understands", required=True),
    Key("do", _LINE, "what to do first where it applies, if that is more than a control: Revoke the secret"),
    Key("aliases", _ALIASES, "other terms for it, such as IDOR or SSRF; explain accepts them"),
    Key("scenario", Word(SCENARIOS), "the article's scenario that it belongs to: the file's folder", required=True),
    Key("targets", Items(KIND, least=1), "the kinds of element that it can target", required=True),
    Key("applies", _CONDITION, "when an element is exposed to it (exposure, never a missing control)", required=True),
    Key(
        "everywhere",
        _LINE,
        "why it applies to every element of its kind, if 'applies' is true; completes: applies to every ..., because",
    ),
    Key("stride", Items(Word(STRIDE), least=1), "the STRIDE categories", required=True),
    Key("likelihood", Number(1, 5), "before controls: 5 is opportunistic and seen constantly", required=True),
    Key("impact", Number(1, 5), "before controls: 5 is the loss of the account or the workspace", required=True),
    Key("raises", Items(_MOVE, least=1), "what makes it more likely or more severe for an element"),
    Key("lowers", Items(_MOVE, least=1), "what makes it less likely or less severe"),
    Key("why", _PROSE, "why it happens, and the reasons for the likelihood and the impact", required=True),
    Key("controls", NamedItems(_EFFECT, "a control"), "the controls that treat it, with their effects", required=True),
    Key("reaches", KIND, "the kind of element that it reaches through its target; the finding names each of them"),
    Key("treated_by", Word(("provider",)), "set it if only the cloud provider can treat it"),
    Key("comes", Word(("first",)), "rank it before all others, unless a control that stops it is known to be in place"),
    Key("formerly", _IDS, "its former ids, oldest first; they work until 1.0"),
    Key("took_in", _IDS, "ids of threats that were merged into it; messages for them refer to it"),
    Key("maps", _THREAT_MAPS, "ids in public catalogs", required=True),
    Key("references", Items(_URL, least=1), "links for further reading", required=True),
    Key("examples", _examples(*THREAT_EXAMPLES), "facts that pin the condition", required=True),
)
"""A file under threatlib/threats/<scenario>/."""

_NEED = record(
    "a need",
    Key("if", _CONDITION, "the condition for the control to be applicable", required=True),
    Key("else", _LINE, "why it is not applicable otherwise", required=True),
)

_HOW = record(
    "how to do it",
    Key("summary", _PROSE, "what to do", required=True),
    Key("cloudformation", Text(4000), "the lines of a SAM or CloudFormation template"),
    Key("terraform", Text(4000), "the lines of a Terraform configuration"),
    Key("code", Text(4000), "the lines of a handler or a build file"),
    Key("console", _PROSE, "where to click or which command to run"),
)

_WEAKER = record(
    "a weaker form",
    Key("says", _LINE, "what it is, and why it does not count", required=True),
    Key("facts", NamedItems(Raw(), "a fact", _FACT_NAME, "a fact's name"), "its facts"),
    Key("template", Text(2000), "resources of a CloudFormation template that are similar to it"),
)

CONTROL = record(
    "a control",
    Key("id", Text(60), "the file's name", required=True),
    Key("title", _LINE, "the control as a statement that is true when it is in place", required=True),
    Key("do", _LINE, "what to do to put it in place, as one instruction: Sign packages, and enforce code signing"),
    Key("aliases", _ALIASES, "other terms for it, such as WAF or DLQ; explain accepts them"),
    Key("mitigation", Word((*MITIGATIONS, BEYOND)), "the article's mitigation: the file's folder", required=True),
    Key("kind", Word(("preventive", "detective", "corrective")), "when it takes effect", required=True),
    Key("owner", _LINE, "the role that runs it, such as security team", required=True),
    Key("scope", KIND, "the kind of element that it applies to", required=True),
    Key("in_place", _CONDITION, "when it is in place; leave it out if no tool can see that"),
    Key("requires", Items(Text(60), least=1), "controls that it depends on"),
    Key(
        "public",
        Word(("kept-out",)),
        "set it if the control excludes anonymous callers: it is then not required of a public endpoint",
    ),
    Key("formerly", _IDS, "its former ids, oldest first; they work until 1.0"),
    Key("took_in", _IDS, "ids of controls that were merged into it; messages for them refer to it"),
    Key("needs", Items(_NEED, least=1), "the conditions for it to be applicable"),
    Key("why", _PROSE, "its effect against an attacker, and its limits", required=True),
    Key("how", _HOW, "how to put it in place", required=True),
    Key("maps", _CONTROL_MAPS, "ids in public catalogs", required=True),
    Key("references", Items(_URL, least=1), "links for further reading", required=True),
    Key("examples", _examples(*CONTROL_EXAMPLES), "facts that pin the conditions"),
    Key("weaker", Items(_WEAKER, least=1), "what is similar to the control but does not count as in place"),
)
"""A file under threatlib/controls/<mitigation>/."""

_NUMBERED = record(
    "an item of the article",
    Key("number", Number(1, 9), "its number in the article", required=True),
    Key("title", _LINE, "its short name", required=True),
    Key("says", Text(400), "a summary of the article in one sentence", required=True),
    Key("gaps", Items(_LINE), "what the article leaves unsaid"),
    Key(
        "answers",
        NamedItems(Word(("directly", "partly")), "a mitigation"),
        "the article's mitigations that address this scenario, as the article states them",
    ),
)

ARTICLE = record(
    "the article",
    Key("name", _LINE, "the article's name", required=True),
    Key("source", _LINE, "where it is published", required=True),
    Key("scenarios", NamedItems(_NUMBERED, "a scenario"), "its five threat scenarios", required=True),
    Key("mitigations", NamedItems(_NUMBERED, "a mitigation"), "its seven mitigations", required=True),
)
"""threatlib/article.yaml."""

_OFF = NamedItems(Text(400), "what is switched off")

LAYER = record(
    "a team's library",
    Key("name", _LINE, "what reports call it"),
    Key(
        "off",
        record(
            "what is switched off",
            Key("threats", _OFF, "threats: id and why"),
            Key("controls", _OFF, "controls"),
            Key(
                "kinds",
                NamedItems(
                    Text(400),
                    "a kind of element",
                    re.compile(rf"(?:{'|'.join(KINDS)})\Z"),
                    "a kind of element",
                    formerly=FORMER_KINDS,
                ),
                "kinds of element: every threat of the libraries below that targets no other kind, and why",
            ),
        ),
        "the entries of other libraries that are switched off, with reasons, which reports show",
    ),
    INVARIANTS,
)
"""library.yaml of a team's library, which extends others."""
