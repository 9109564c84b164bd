"""Which template a file holds, and what else the file is: other infrastructure code, and answers of AWS.

`aws cloudformation get-template > FILE` saves a template in an envelope, as an object or as text in a string; with
`--query TemplateBody` the string alone.  A processed template has no transform: SAM leaves its marks in the metadata.
"""

from __future__ import annotations

from threatmodel.reading.problems import Place, listed, quoted, refusal
from threatmodel.reading.source import as_read
from threatmodel.stacks.cloudformation import document
from threatmodel.stacks.cloudformation.document import ParsedFile
from threatmodel.stacks.values import List, Node, Scalar, Table, entries, get, text

_BODY = "TemplateBody"
_MADE_BY_SAM = "SamResourceId"
_ANSWERS = {
    "Stacks": ("an answer of describe-stacks", "name it under parameters:, beside the template of one of its stacks"),
    "StackResourceSummaries": ("an answer of list-stack-resources", "name it under deployed:, beside the template"),
    "StackResources": ("an answer of describe-stack-resources", "name it under deployed:, beside the template"),
    "StackResourceDrifts": ("an answer about drift", "name it under deployed:, beside the template"),
    "StackDriftStatus": ("an answer about drift", "name it under deployed:, beside the template"),
    "StackDriftDetectionId": (
        "the id of a drift detection, without its result",
        "save the answer of describe-stack-resource-drifts, and name it under deployed:",
    ),
    "StackSummaries": ("an answer of list-stacks", "save the answer of get-template for one of the stacks"),
}
"""Other answers, by a key that each has, and what to do with them."""
_OTHERS = {
    "a Kubernetes manifest": {"apiVersion", "kind"},
    "a serverless.yml": {"service", "provider"},
    "a Terraform plan": {"planned_values"},
    "a Terraform state": {"terraform_version"},
    "an OpenAPI document": {"openapi"},
    "a Compose file": {"services"},
    "a threat model": {"name", "functions"},
}
"""What else a file may be, by keys that it then has."""


def template_in(parsed: ParsedFile, file: str) -> ParsedFile:
    """Return the template in a file: that in the answer of get-template, else what the file holds.

    Lines of a template that is text in a string are counted in that text, as ``FILE#TemplateBody``.  Raises InputError
    where that text is no YAML or JSON.
    """
    body = _body(parsed.root)
    if body is None:
        return parsed
    written = text(body)
    if written is None:
        return ParsedFile(body, parsed.problems)
    inner = document.parse(as_read(written), f"{file}#{_BODY}")
    return ParsedFile(inner.root, (*parsed.problems, *inner.problems))


def is_deployed(root: Node | None, template: Node | None) -> bool:
    """Whether a file's root, which holds a template, is what AWS answers: in an envelope, or processed from SAM's."""
    return _body(root) is not None or is_processed(template)


def is_processed(template: Node | None) -> bool:
    """Whether a template is what SAM's transform made: resources have its marks, and no transform is left."""
    resources = get(template, "Resources")
    if not isinstance(resources, Table) or get(template, "Transform") is not None:
        return False
    return any(get(one, "Metadata", _MADE_BY_SAM) is not None for one in resources.entries.values())


def root_of(parsed: ParsedFile, file: str) -> Table:
    """Return the root of a template.  Raises InputError where a file holds something else."""
    root = parsed.root
    known = entries(root)
    answer = next((found for key, found in _ANSWERS.items() if key in known), None)
    found, hint = (
        (f"this is {answer[0]}", answer[1]) if answer else (_instead(root), "name the template that is deployed")
    )
    if isinstance(root, Table) and not found:
        return root
    message = f"{found}; expected a CloudFormation or SAM template, which has 'Resources'"
    raise refusal("not-a-template", Place(file) if root is None else root.place, message, hint)


def _instead(root: Node | None) -> str:
    """What is there instead of a template; '' where there is one."""
    if root is None:
        return "this file is empty"
    if not isinstance(root, Table):
        return f"this is {kind_of(root)}"
    if "Resources" in root.entries:
        resources = root.entries["Resources"]
        return "" if isinstance(resources, Table) else f"'Resources' is {kind_of(resources)} here"
    other = next((name for name, keys in _OTHERS.items() if keys <= root.entries.keys()), "")
    return f"this is {other}" if other else f"this has only {listed(map(quoted, root.entries), 5) or 'nothing in it'}"


def kind_of(node: Node) -> str:
    """What a node is, in words."""
    return _KINDS.get(type(node.value if isinstance(node, Scalar) else node), "of an unknown kind")


_KINDS: dict[type, str] = {
    Table: "a mapping",
    List: "a list",
    type(None): "empty",
    str: "a text",
    bool: "a yes or no",
    int: "a number",
    float: "a number",
}


def _body(root: Node | None) -> Node | None:
    """The template in an envelope, or the text that is all of a file; None where a file is not an answer."""
    if isinstance(root, Table) and "Resources" not in root.entries:
        return root.entries.get(_BODY)
    whole = text(root) if isinstance(root, Scalar) else None
    return root if whole is not None and "Resources" in whole and "\n" in whole.strip() else None
