"""Runners: what runs a handler once per scenario, in a process of its own or over HTTP (`target.runner_for`)."""
