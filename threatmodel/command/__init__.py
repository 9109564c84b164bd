"""Arguments in, exit code out: one module a command or option, `table.py` lists them."""
