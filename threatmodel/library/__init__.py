"""Threats and controls: their format, the condition language, loading, the content lint and the example runner."""
