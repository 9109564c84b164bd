"""Results of other tools, recorded in files: what they found, where, and what they read.  No tool is run."""
