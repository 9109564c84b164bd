"""A system as elements and flows with facts, and which of them are related."""
