"""How an assessment is shown: a folder for the report, one for generated pages, one file each other format."""
