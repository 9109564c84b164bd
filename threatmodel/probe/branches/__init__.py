"""Which branches of a handler's own code the requests of a run took, and what follows from those that none did."""
