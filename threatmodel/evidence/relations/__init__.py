"""What starts each function, and what it uses, from a stack's events, grants and references."""
