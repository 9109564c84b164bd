"""Lambda's runtimes and the day from which AWS patches each no longer.

Written by scripts/runtimes.py from the table of cfn-lint 1.58.0, which follows
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html; None: no day is announced.
"""

from __future__ import annotations

import datetime

CHECKED = datetime.date(2026, 11, 25)
"""The day on which the table was taken."""

RUNTIMES: dict[str, datetime.date | None] = {
    "dotnet10": datetime.date(2028, 11, 14),
    "dotnet6": datetime.date(2024, 12, 20),
    "dotnet8": datetime.date(2026, 11, 10),
    "dotnet9": datetime.date(2026, 11, 10),
    "dotnetcore1.0": datetime.date(2019, 6, 27),
    "dotnetcore2.0": datetime.date(2019, 5, 30),
    "dotnetcore2.1": datetime.date(2022, 1, 5),
    "dotnetcore3.1": datetime.date(2023, 4, 3),
    "go1.x": datetime.date(2024, 1, 8),
    "java11": datetime.date(2027, 6, 30),
    "java17": datetime.date(2027, 6, 30),
    "java21": datetime.date(2029, 6, 30),
    "java25": datetime.date(2029, 6, 30),
    "java8": datetime.date(2024, 1, 8),
    "java8.al2": datetime.date(2027, 6, 30),
    "nodejs": datetime.date(2016, 8, 30),
    "nodejs10.x": datetime.date(2021, 7, 30),
    "nodejs12.x": datetime.date(2023, 3, 31),
    "nodejs14.x": datetime.date(2023, 12, 4),
    "nodejs16.x": datetime.date(2024, 6, 12),
    "nodejs18.x": datetime.date(2025, 9, 1),
    "nodejs20.x": datetime.date(2026, 4, 30),
    "nodejs22.x": datetime.date(2027, 4, 30),
    "nodejs24.x": datetime.date(2028, 4, 30),
    "nodejs4.3": datetime.date(2020, 3, 5),
    "nodejs4.3-edge": datetime.date(2020, 3, 5),
    "nodejs6.10": datetime.date(2019, 8, 12),
    "nodejs8.10": datetime.date(2020, 3, 6),
    "provided": datetime.date(2024, 1, 8),
    "provided.al2": datetime.date(2026, 7, 31),
    "provided.al2023": datetime.date(2029, 6, 30),
    "python2.7": datetime.date(2021, 7, 15),
    "python3.10": datetime.date(2026, 10, 31),
    "python3.11": datetime.date(2027, 6, 30),
    "python3.12": datetime.date(2028, 10, 31),
    "python3.13": datetime.date(2029, 6, 30),
    "python3.14": datetime.date(2029, 6, 30),
    "python3.6": datetime.date(2022, 7, 18),
    "python3.7": datetime.date(2023, 12, 4),
    "python3.8": datetime.date(2024, 10, 14),
    "python3.9": datetime.date(2025, 12, 15),
    "ruby2.5": datetime.date(2021, 7, 30),
    "ruby2.7": datetime.date(2023, 12, 7),
    "ruby3.2": datetime.date(2026, 3, 31),
    "ruby3.3": datetime.date(2027, 3, 31),
    "ruby3.4": datetime.date(2028, 3, 31),
    "ruby4.0": datetime.date(2029, 3, 31),
}
