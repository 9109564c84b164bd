"""Threats that apply, states of controls, risk, questions, priorities, drift."""
