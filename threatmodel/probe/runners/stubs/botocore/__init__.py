"""A stand-in for botocore, as far as handlers see of it."""
