"""What is written for an author: imports, scaffolds, insertion into YAML that stays as it is."""
