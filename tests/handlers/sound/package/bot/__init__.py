"""The bot that approves deployments."""
