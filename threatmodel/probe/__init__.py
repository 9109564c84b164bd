"""Probes: a running handler is sent genuine and hostile requests, and what it does decides facts."""
