"""What is beside a template as statements about elements: one module a kind, one row each in `kinds.py`."""
