"""Where a fact stands in a template, in a Terraform plan and in the answers of AWS: data, and its strict reader."""
