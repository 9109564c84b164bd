"""What confines a handler's process: measures of the kernel, each tried and reported."""
