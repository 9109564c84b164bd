"""Where each fact is in infrastructure code, as data, and what reads and executes that."""
