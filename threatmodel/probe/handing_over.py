"""Whether a handler hands its work over: the calls that nothing waits for, and what of the request is in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from threatmodel.probe.protocol import Effect
from threatmodel.probe.spelling import decoded, spellings

STORES = frozenset({"dynamodb", "s3", "elasticache", "rds-data"})
_CALLS = frozenset(
    {
        ("sqs", "SendMessage"),
        ("sqs", "SendMessageBatch"),
        ("sns", "Publish"),
        ("sns", "PublishBatch"),
        ("lambda", "InvokeAsync"),
        ("events", "PutEvents"),
        ("stepfunctions", "StartExecution"),
        ("kinesis", "PutRecord"),
        ("kinesis", "PutRecords"),
        ("firehose", "PutRecord"),
        ("scheduler", "CreateSchedule"),
    }
)
_ASYNCHRONOUS = re.compile(r'"InvocationType": "Event"')
"""As it is in the parameters of a call, which no text in them can imitate: quotes are escaped there."""


def hands_over(effect: Effect) -> bool:
    """Return whether a call leaves work to what runs later; another function must not be waited for."""
    if (effect.service, effect.operation) == ("lambda", "Invoke"):
        return _ASYNCHRONOUS.search(effect.content) is not None
    return (effect.service, effect.operation) in _CALLS


def done_inline(effects: Iterable[Effect]) -> list[Effect]:
    """Return what was done, and waited for, beside handing over and remembering."""
    return [effect for effect in effects if not hands_over(effect) and effect.service not in STORES]


def carries(effects: Sequence[Effect], signed: Sequence[str]) -> bool:
    """Return whether the work can be in what is handed over, and not in what a store gets beside it.

    It is if nothing is stored, or if what is handed over or stored for it has anything that the request says.
    """
    if not any(effect.service in STORES for effect in effects):
        return True
    contents = [effect.content for effect in effects if hands_over(effect) or effect.service == "s3"]
    texts = "\n".join(text for content in contents for text in (content, decoded(content)))
    return not (signed and any(contents)) or any(one in texts for value in signed for one in spellings(value))
