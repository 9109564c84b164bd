import os
from typing import NamedTuple


class Settings(NamedTuple):
    secret: str
    table: str

    @classmethod
    def load(cls):
        settings = cls(os.environ["SLACK_SIGNING_SECRET"], os.environ["TABLE_NAME"])
        if not all(settings):
            raise RuntimeError("a variable is empty")
        return settings
