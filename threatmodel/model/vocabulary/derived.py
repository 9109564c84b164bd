"""The facts that are computed in `threatmodel.graph`; conditions read them like any other."""

from __future__ import annotations

from threatmodel.model.vocabulary.row import CLASSIFICATIONS, FactRow, derived
from threatmodel.reading.shape import Flag, Word

_CLASS = Word(CLASSIFICATIONS, ordered=True)

DERIVED: tuple[FactRow, ...] = (
    *derived(
        "function",
        ("slack_facing", Flag(), "Slack calls it", ""),
        ("web_facing", Flag(), "callers other than Slack reach it through an api", ""),
        ("internet_facing", Flag(), "a request from the Internet can reach it", ""),
        ("event_driven", Flag(), "a queue, a stream or a schedule starts it", ""),
        (
            "starts_itself",
            Flag(),
            "what it does can start it again: through a queue, a store, other functions, or a message in Slack",
            "",
        ),
        ("posts_to_slack", Flag(), "it calls Slack's Web API or a response URL", ""),
        ("uses_secrets", Flag(), "it reads at least one secret", ""),
        ("data_classification", _CLASS, "the highest class of the data that it reads or writes", ""),
        (
            "runtime_supported",
            Flag(),
            "AWS still patches its runtime, by the dated table of runtimes",
            "Does AWS still patch its runtime? The table of runtimes (scripts/runtimes.py) does not tell.",
        ),
        ("scanned_by_inspector", Flag(), "Inspector scans the functions of its account", ""),
    ),
    *derived(
        "api",
        ("slack_facing", Flag(), "Slack calls a function through it", ""),
        ("web_facing", Flag(), "callers other than Slack call a function through it", ""),
    ),
    *derived(
        "store",
        ("data_classification", _CLASS, "the highest class of the data that it holds", ""),
        ("personal_data", Flag(), "it holds personal data", ""),
    ),
    *derived(
        "queue",
        ("data_classification", _CLASS, "the highest class of the data that it carries", ""),
        ("starts_functions", Flag(), "a function of this model works on its messages", ""),
    ),
    *derived(
        "flow",
        ("data_classification", _CLASS, "the highest class of the data that it carries", ""),
        ("leaves_aws", Flag(), "it goes from AWS to a system outside", ""),
    ),
)
"""In the order of `tm.py --describe`."""
