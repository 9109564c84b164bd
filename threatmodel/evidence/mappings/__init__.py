"""Where each fact stands, as data, and what reads and executes that."""
