"""The system as its author writes it: the vocabulary of facts, the file's shape, and loading."""
