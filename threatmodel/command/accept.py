"""`tm.py accept`: write the acceptance of a risk into the model, with its owner, its end and its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from threatmodel.command.arguments import Parser, day, library, looking, model, text
from threatmodel.command.new import carry_out
from threatmodel.command.request import Invocation
from threatmodel.reading.files import Files
from threatmodel.reading.home import COMMAND, CONTENT
from threatmodel.reading.problems import InputError, Place, Problem, quoted, refusal, suggestion

if TYPE_CHECKING:
    from threatmodel.assessment.assessed import Assessment, Finding
    from threatmodel.authoring.planned import Plan

DESCRIPTION = (
    "Accept the risk of a finding until a date. Owner, date and reason are written under accepted_risks in the model, "
    "and nothing else is changed. Nothing is written if the finding does not exist, if it needs no acceptance, or if "
    "the check would not count it."
)


def options(parser: Parser) -> None:
    """Declare the command's options."""
    parser.add_argument("finding", type=text, metavar="FINDING", help="threat@element, as check -v prints it")
    parser.add_argument("--owner", type=text, required=True, metavar="NAME", help="who accepts the risk")
    parser.add_argument("--until", type=day, required=True, metavar="DATE", help="the last day on which it counts")
    parser.add_argument("--because", type=text, required=True, metavar="TEXT", help="why the risk is acceptable")
    parser.add_argument("--ticket", type=text, metavar="ID", help="where its treatment is tracked")
    model(parser)
    library(parser)
    looking(parser)


def run(request: Invocation) -> int:
    """Write the acceptance, and print its place."""
    from threatmodel.authoring.acceptance import Decision, with_acceptance
    from threatmodel.reading.values import replace

    args = request.args
    if request.output is not None or request.folder is not None:
        request.misused("accept writes to the model; remove -o")
    assessment = request.assessment()
    finding = _needing(request.current(args.finding, assessment.library, "accept"), assessment)
    decision = Decision(finding.id, finding.claimed.score, args.owner, args.until, args.because, args.ticket or "")
    plan = with_acceptance(request.model, request.files, decision)
    _hold(plan, finding, request)
    score, band = finding.claimed.score, finding.claimed.band
    said = f"{finding.id} is accepted by {args.owner} until {args.until}, up to a risk of {score} ({band})"
    asks = (f"it depends on open questions, which {COMMAND} ask asks",) if finding.verdict == "undetermined" else ()
    carry_out(replace(plan, then=(said, *asks)))
    return 0


def _needing(name: str, assessment: Assessment) -> Finding:
    """Return the finding of a name. Raises InputError where there is none, or none that needs an acceptance."""
    known = next((one for one in assessment.graph.system.acceptances if one.name == name), None)
    if known is not None:
        message, hint = f"{quoted(name)} is accepted already, until {known.expires}", "change it here"
        raise refusal("already-exists", known.place, message, hint)
    finding = next((one for one in assessment.findings if one.id == name), None)
    if finding is None:
        raise _unknown(name, assessment)
    why = {
        "mitigated": "evidence shows that its controls are in place",
        "transferred": "AWS is responsible for it",
        "unproven": "its claimed risk is within the accepted level",
    }.get(finding.verdict)
    if why is not None:
        raise refusal("needless-acceptance", "accept", f"{quoted(name)} needs no acceptance: {why}")
    return finding


def _unknown(name: str, assessment: Assessment) -> InputError:
    threat, _, element = name.partition("@")
    ids = [one.id for one in assessment.findings]
    of_threat = [one for one in ids if one.partition("@")[0] == threat]
    message = f"there is no finding {quoted(name)}"
    if threat in assessment.library.threats and any(one.id == element for one in assessment.graph.targets()):
        message += ", because this threat does not apply to this element"
    return refusal(
        "unknown-id", "accept", message, suggestion(name, of_threat or ids) or f"{COMMAND} check -v lists them"
    )


def _hold(plan: Plan, finding: Finding, request: Invocation) -> None:
    """Raise InputError where the model with the acceptance cannot be used, or a check would not count it."""
    from threatmodel.assessment.gate.judging import held_to, judge
    from threatmodel.command.checking import rules_of

    ((path, new, _),) = plan.files
    rules = rules_of(request)
    after = request.assessed(path, Files(CONTENT, texts={path: new}))
    problems = [
        Problem(code="refused-acceptance", place=Place("accept"), message=result.message, hint=result.do)
        for result in judge(after, rules)
        if result.name == finding.id and result.rule == result.code and result.fails
    ]
    if held_to(after.graph, rules).system.acceptances != after.graph.system.acceptances:
        message, hint = "the check ignores acceptances", "treat the risk"
        problems.append(Problem(code="refused-acceptance", place=Place("accept"), message=message, hint=hint))
    if problems:
        raise InputError(problems)
