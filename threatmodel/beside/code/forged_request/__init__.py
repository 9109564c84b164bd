"""What a handler does for a request that Slack did not sign: it is followed, and nothing is run."""
