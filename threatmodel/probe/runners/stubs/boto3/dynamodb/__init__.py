"""DynamoDB in Python's own values."""
