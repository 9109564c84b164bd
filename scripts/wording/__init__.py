"""How texts are found in files of every kind, and which rules of language they keep (scripts/prose.py)."""
