"""What a checkout says of how its system is built and deployed; nothing in it is run."""
