"""What is beside a template: read as text and parsed, never run.  No module here knows an element or a fact."""
