"""What a handler has to do with a language model: calls, limits, guardrails and tools."""

from __future__ import annotations

import re
from collections.abc import Iterator

from threatmodel.beside.code.functions import Function
from threatmodel.beside.code.observed import CERTAIN, SIGN, Observed, Reading
from threatmodel.beside.code.syntax import Node, walk

CALLS = re.compile(
    r"(?:invoke_model(?:_with_response_stream)?|converse(?:_stream)?|retrieve_and_generate|invoke_agent)\Z"
    r"|(?:InvokeModel\w*|Converse\w*|InvokeAgent)Command\Z|(?:chat\.completions|completions|responses|messages)\.create\Z"
    r"|ChatCompletion\.create\Z|createChatCompletion\Z|generate_content\Z|generateContent\Z|litellm\.completion\Z"
)
_GUARDS = frozenset(
    {"guardrailIdentifier", "guardrailConfig", "guardrailConfiguration", "guardrails", "apply_guardrail"}
)
_LIMITS = frozenset(
    {"max_tokens", "maxTokens", "max_completion_tokens", "max_output_tokens", "maxTokenCount", "max_gen_len"}
    | {"max_tokens_to_sample", "maxOutputTokens", "inferenceConfig"}
)
TOOLS = frozenset({"tools", "toolConfig", "tool_choice", "functions", "function_call", "bind_tools", "actionGroup"})
_BEDROCK = re.compile(r"invoke_model|converse|InvokeModel|Converse")


def models(reading: Reading) -> Iterator[Observed]:
    """Yield what is seen of calls to a language model."""
    found = model_calls(reading)
    if not found:
        return
    function, call = found[0]
    name = reading.program.dotted(call.parts[0], function)
    sure = next(((here, one) for here, one, called in reading.program.sure_calls if CALLS.search(called)), None)
    yield reading.at("calls-model", CERTAIN if sure else SIGN, sure or (function, call), f"calls {_shown(name)}")
    words = reading.program.words.keys()
    whole = reading.whole and not any(_is_open(one) for _, one in found)
    if whole and not words & _LIMITS and "invoke_agent" not in name:
        yield reading.at("no-model-limit", CERTAIN, (function, call), "no call to the model limits its tokens")
    if (whole or all(_is_written(*one) for one in found)) and not words & _GUARDS and _BEDROCK.search(name):
        yield reading.at("no-guardrail", CERTAIN, (function, call), "no call to the model names a guardrail")


def _is_written(function: Function, call: Node) -> bool:
    """Return whether all options of a call are written in it, or in the only value of the variable that it is given."""
    given = [
        function.assigned[one.name][0] if len(function.assigned.get(one.name, ())) == 1 else one
        for one in call.parts[1:]
    ]
    return bool(given) and all(
        (one.kind == "keyword" and one.name)
        or (one.kind == "dict" and all(pair.kind == "pair" and pair.name for pair in one.parts))
        for one in given
    )


def _is_open(call: Node) -> bool:
    """Return whether a call takes options that are made elsewhere, and that may limit it."""
    return any(one.kind == "spread" or (one.kind == "keyword" and not one.name) for one in walk(call))


def model_calls(reading: Reading) -> list[tuple[Function, Node]]:
    """Return the calls to a language model."""
    return [(function, node) for function, node, name in reading.program.calls if CALLS.search(name)]


def _shown(name: str) -> str:
    return re.sub(r"\([^)]*\)", "", name)[-60:]
