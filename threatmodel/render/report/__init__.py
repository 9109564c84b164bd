"""The threat report: its context, a chapter a file, and its forms."""
