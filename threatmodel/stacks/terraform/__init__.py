"""Terraform's plans, read."""
