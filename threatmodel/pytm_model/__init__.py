"""A graph as a pytm model: `terms` says it in pytm's words, `model` makes objects of that, `script` prints it.

Only `elements` and `model` import pytm (0.2 s), so `to_pytm` is imported from `model`.
"""

from threatmodel.pytm_model.script import pytm_script

__all__ = ["pytm_script"]
