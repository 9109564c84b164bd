"""Templates that are refused."""

from __future__ import annotations

import pytest

from tests.refusals import marked, problems_of
from tests.stacks.cloudformation.reading_templates import Golden, at
from tests.support import working_at_most
from threatmodel.reading.problems import MOST, InputError
from threatmodel.stacks.cloudformation.reader import read

REFUSED = {
    "not-a-template": "§apiVersion: v1\nkind: Service\nmetadata: {name: orders}\n",
    "template-list": "§- Resources\n",
    "template-text": "§a secret\n",
    "template-empty": "",
    "template-comments": "# nothing\n",
    "template-plan": '§{"format_version": "1.2", "planned_values": {}}',
    "template-other-json": '§{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7}',
    "template-serverless": "§service: orders\nprovider: {name: aws}\n",
    "template-resources-list": "§Resources: [a]\n",
    "template-resources-empty": "§Resources:\n",
    "template-broken": "Resources:\n  Bot:\n    Type: AWS::SQS::Queue\n   §Properties: {}\n",
    "template-not-closed": '{"Resources": {"Bot": {"Type": "AWS::SQS::Queue"}\n§',
    "template-tab": "Resources:\n§\tBot: {}\n",
    "template-two-documents": "Resources: {}\n§---\nResources: {}\n",
    "template-key-is-a-list": "Resources:\n  ? §[a]\n  : {}\n",
    "template-tagged-key": "Resources:\n  §!Ref a: {}\n",
    "template-no-anchor": "Resources: §*nowhere\n",
    "template-circular-anchor": "Resources: &all {Bot: §*all}\n",
    "template-merged-text": "Resources: {§<<: text}\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, golden: Golden) -> None:
    text, places = marked(REFUSED[name])
    with pytest.raises(InputError) as caught:
        read(text, "template.yaml")
    assert [at(one.place) for one in caught.value.problems] == (places or ["1:1"])
    assert "secret" not in str(caught.value)
    if name == "not-a-template":
        golden("bad-input/not-a-template.txt", problems_of(lambda _: read(text, "template.yaml")))


def test_problems_end_the_reading() -> None:
    refs = ", ".join(f"!Ref A{at}" for at in range(MOST))
    with working_at_most(seconds=2), pytest.raises(InputError, match="too-many-problems"):
        read(f"Resources: {{Bot: {{Type: AWS::SQS::Queue, Properties: {{A: [{refs}]}}}}}}", "f")
