"""What runs inside the child process: isolated, importing nothing of the toolkit but itself."""
