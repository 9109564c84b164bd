"""What a pipeline asks: which of the things found fail a check, by whose rules, and what is new since a baseline."""
