"""Infrastructure code to a model file: what a person would have written, with comments where something is unknown."""
