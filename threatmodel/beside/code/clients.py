"""The services of AWS that the code of a handler can call, where all of it was read and it leaves no other way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from threatmodel.beside.code.observed import CERTAIN, OPENS, Observed, Reading
from threatmodel.beside.code.syntax import about

_SDK = frozenset({"boto3", "botocore"})
_MAKES = frozenset({"client", "resource", "create_client"})
"""What makes a client of a service, whose name comes first."""
_VARIABLES = frozenset({"name", "parameter"})
"""What is only a variable of such a name, because what is imported by it is a text, too."""
_REACHES: Mapping[str, frozenset[str]] = {
    **{one: frozenset({one}) for one in ("cloudwatch", "kms", "s3", "secretsmanager", "sns", "sqs")},
    "dynamodb": frozenset({"dynamodb", "kinesis", "s3"}),
    "ssm": frozenset({"secretsmanager", "ssm"}),
}
"""What a caller's rights are used for by calls to a service: exports of a table are written to S3 with them."""
_OTHER_WAYS = frozenset(
    {"SigV4Auth", "awsrequest", "ctypes", "eval", "exec", "getattr", "globals", "importlib", "marshal", "operator"}
    | {"pickle", "popen", "runpy", "subprocess", "system", "vars", "__dict__", "__getattribute__"}
)
"""Names by which code may call AWS and not be seen to."""
_IN_TEXTS = ("aws4", "2773")
"""What the texts of such code have: a signature made by hand, the port of the extension that reads secrets."""


def clients(reading: Reading) -> Iterator[Observed]:
    """Yield the services that the code can call, if each client is made of a service that is written there."""
    modules = reading.program.modules
    found = modules.found.values()
    if not reading.whole or not modules.packages.keys() <= _SDK or not all(one.python for one in found):
        return
    nodes = [node for one in found for node in about(one.block, (*_OTHER_WAYS, *_IN_TEXTS, *_MAKES))]
    if any(one.name in _OTHER_WAYS or any(part in one.name.lower() for part in _IN_TEXTS) for one in nodes):
        return
    named = [node for node in nodes if node.name in _MAKES and node.kind not in _VARIABLES]
    calls = [node for node in nodes if node.kind == "call" and node.parts[0] in named]
    given = [call.parts[1].name for call in calls if len(call.parts) > 1 and call.parts[1].kind == "text"]
    if len(given) != len(named) or not _REACHES.keys() >= {*given}:
        return
    reached = frozenset().union(*(_REACHES[one] for one in given))
    yield reading.nowhere(
        OPENS, CERTAIN, f"the code calls {', '.join(sorted({*given})) or 'no service of AWS'}", reached
    )
