"""Runners: what runs a handler once per scenario, in a separate process or over HTTP (`target.runner_for`)."""
