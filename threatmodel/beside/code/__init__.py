"""The source of a function's handler: parsed, followed through the modules of its folder, and never run."""
