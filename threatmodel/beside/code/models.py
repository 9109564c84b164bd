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
    yield reading.at("calls-model", SIGN, (function, call), f"calls {_shown(name)}")
    words = reading.program.words.keys()
    if not reading.whole or any(map(_is_open, (one for _, one in found))):
        return
    if not words & _LIMITS and "invoke_agent" not in name:
        yield reading.at("no-model-limit", CERTAIN, (function, call), "no call to the model limits its tokens")
    if not words & _GUARDS and _BEDROCK.search(name):
        yield reading.at("no-guardrail", CERTAIN, (function, call), "no call to the model names a guardrail")


def _is_open(call: Node) -> bool:
    """Return whether a call takes options that are made elsewhere, and that may limit it."""
    return any(one.kind == "spread" or (one.kind == "keyword" and not one.name) for one in walk(call))


def model_calls(reading: Reading) -> list[tuple[Function, Node]]:
    """Return the calls to a language model."""
    return [(function, node) for function, node, name in reading.program.calls if CALLS.search(name)]


def _shown(name: str) -> str:
    return re.sub(r"\([^)]*\)", "", name)[-60:]
