"""What keeps a handler's process to itself: measures of the kernel, each tried, and told whether it holds."""
