"""How an assessment is shown: one file a format."""
