"""Policies as statements, and what they allow over the resources of a stack."""
