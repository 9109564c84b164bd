"""Broken code: which changes there are, and whether a test notices them."""
