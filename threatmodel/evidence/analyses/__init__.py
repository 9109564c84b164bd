"""What a path cannot say: questions about several values at once, answered in code."""
