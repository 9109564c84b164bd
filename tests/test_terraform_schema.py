"""The table of Terraform's resources: how it is read from the generated packages, and that it has what is used."""

from __future__ import annotations

import json

from scripts.terraform_schema import LIBRARY, TABLE, folder_of, named_types, provider_of, schema, wanted_types

GENERATED = """\
function lampShadeToTerraform(struct) {
    return {
        colour: cdktf.stringToTerraform(struct.colour),
    };
}
function lampShadeToHclTerraform(struct) {
    const attrs = {
        colour: {
            value: cdktf.stringToHclTerraform(struct.colour),
            isBlock: false,
            type: "simple",
            storageClassType: "string",
        },
        layers: {
            value: cdktf.listMapperHcl(cdktf.numberToHclTerraform, false)(struct.layers),
            isBlock: false,
            type: "list",
            storageClassType: "numberList",
        },
    };
}
class LampShadeOutputReference extends cdktf.ComplexObject {
    get colour() {
        return this.getStringAttribute('colour');
    }
    resetLayers() {
        this._layers = undefined;
    }
    // weight - computed: true, optional: false, required: false
    get weight() {
        return this.getNumberAttribute('weight');
    }
}
class Lamp extends cdktf.TerraformResource {
    constructor(scope, id, config) {
        // shade - computed: false, optional: true, required: false
        this._shade = new LampShadeOutputReference(this, "shade");
    }
    // arn - computed: true, optional: false, required: false
    get arn() {
        return this.getStringAttribute('arn');
    }
    resetDimmable() {
        this._dimmable = undefined;
    }
    resetShade() {
        this._shade.internalValue = undefined;
    }
    synthesizeHclAttributes() {
        const attrs = {
            dimmable: {
                value: cdktf.booleanToHclTerraform(this._dimmable),
                isBlock: false,
                type: "simple",
                storageClassType: "boolean",
            },
            watts: {
                value: cdktf.numberToHclTerraform(this._watts),
                isBlock: false,
                type: "simple",
                storageClassType: "number",
            },
            shade: {
                value: lampShadeToHclTerraform(this._shade.internalValue),
                isBlock: true,
                type: "list",
                storageClassType: "LampShadeList",
            },
        };
    }
}
exports.Lamp = Lamp;
Lamp.tfResourceType = "aws_lamp";
"""


def test_generated_text_is_read() -> None:
    assert schema(GENERATED) == (
        "aws_lamp",
        {
            "arn": "=",
            "dimmable": "bool",
            "shade": {"*": "list", "colour": "string!", "layers": "list(number)", "weight": "="},
            "watts": "number!",
        },
    )


def test_types_that_a_snippet_names() -> None:
    snippet = """\
resource "aws_lambda_function" "f" {
  role       = data.aws_iam_role.f.arn
  layers     = ["${aws_lambda_layer_version.shared[0].arn}"]
  depends_on = [aws_iam_role_policy.f]
}
data "github_team" "owners" {}
"""
    assert set(named_types(snippet)) == {
        "aws_lambda_function",
        "aws_lambda_layer_version",
        "data.aws_iam_role",
        "data.github_team",
    }


def test_where_a_type_is_described() -> None:
    names = ["aws_lambda_function", "data.aws_iam_policy_document", "github_branch_protection"]
    assert [provider_of(name) for name in names] == ["aws", "aws", "github"]
    assert [folder_of(name) for name in names] == [
        "lambda-function",
        "data-aws-iam-policy-document",
        "branch-protection",
    ]


def test_table_has_what_the_library_uses() -> None:
    """Otherwise: .venv/bin/python scripts/terraform_schema.py."""
    table = json.loads(TABLE.read_text(encoding="utf-8"))["types"]
    assert set(wanted_types(LIBRARY)) - table.keys() == set()
