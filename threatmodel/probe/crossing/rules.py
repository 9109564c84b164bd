"""The rules by name, each of which makes many requests of one that says how it is signed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from threatmodel.probe.cases import Send
from threatmodel.probe.crossing import keys, outside, places, shapes, signing, unsigned, variables
from threatmodel.probe.requests import Genuine

RULES: Mapping[str, Callable[[Send, Genuine], Iterator[Send]]] = {
    "fields": unsigned.fields,
    "places": places.places,
    "around": places.around,
    "paths": unsigned.paths,
    "forms": unsigned.forms,
    "signatures": signing.signatures,
    "timestamps": signing.timestamps,
    "old-timestamps": signing.old_timestamps,
    "near": signing.near,
    "keys": keys.known,
    "chosen-keys": keys.chosen,
    "outside": outside.outside,
    "tampered": outside.tampered,
    "resent": outside.resent,
    "variables": variables.variables,
    "moments": variables.moments,
    "errors": variables.errors,
    "events": shapes.events,
}
