"""A threat model that proves itself: YAML in, data-flow diagrams and an evidence-backed threat report out."""

__version__ = "0.1.0"
