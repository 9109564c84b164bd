"""Text in and out: problems, YAML with places, shapes, files, output."""
