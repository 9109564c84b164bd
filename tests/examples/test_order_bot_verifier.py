"""order-bot accepts what Slack's own verifier accepts, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import Clock, SignatureVerifier

from tests.examples.standing_in import AT, BODY, ENVIRONMENT, FORGERIES, SECRET, Aws, form, headers, loaded, rest

TIMESTAMPS = st.one_of(
    st.integers(-310, 310).map(lambda away: str(AT + away)),
    st.sampled_from(
        [f" {AT}", f"+{AT}", f"0{AT}", f"{AT}.0", f"{AT}\n", f"{AT // 1000}_{AT % 1000:03}", "", "now", "-1"]
    ),
    st.text(max_size=12),
)
FORMS = st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3).map(
    lambda more: form(**{f"x{name}": value for name, value in more.items()})
)
BODIES = st.one_of(FORMS.map(str.encode), st.just(BODY.encode()), st.binary(max_size=60))
SECRETS = st.one_of(st.just(SECRET), st.just(SECRET), st.text(max_size=8))


def accepted_by_slack_sdk(body: bytes, timestamp: str, signature: str, now: float) -> bool:
    """What Slack's verifier says; what it raises on what nobody can sign is a refusal."""
    clock = Clock()
    clock.now = lambda: now  # type: ignore[method-assign]
    try:
        return SignatureVerifier(SECRET, clock).is_valid(body, timestamp, signature)
    except (ValueError, TypeError):
        return False


@given(
    body=BODIES,
    timestamp=TIMESTAMPS,
    secret=SECRETS,
    forgery=st.sampled_from([*["none"] * 5, *FORGERIES]),
    late=st.sampled_from([0.0, 0.5, 1.0]),
    encoded=st.booleans(),
    case=st.sampled_from([str.lower, str.upper, str.title]),
)
def test_accepts_what_slack_s_own_verifier_accepts(
    body: bytes, timestamp: str, secret: str, forgery: str, late: float, encoded: bool, case: Callable[[str], str]
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        aws = Aws(AT + late)
        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        app = loaded("app", aws, monkeypatch)
        base = b"v0:" + timestamp.encode("utf-8", "surrogatepass") + b":" + body
        signature = FORGERIES[forgery]("v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest())
        event = rest(sent={case(name): value for name, value in headers(timestamp, signature).items()})
        if encoded or not body.isascii():
            event.update(body=base64.b64encode(body).decode(), isBase64Encoded=True)
        else:
            event.update(body=body.decode())
        try:
            app.verified(event, aws.now)
            refused = ""
        except app.RefusedError as refusal:
            refused = str(refusal)
    if accepted_by_slack_sdk(body, timestamp, signature, aws.now):
        # ours wants a form, and digits where theirs takes what int() makes of blanks, signs and other digits
        assert refused in {"", "form"} or not re.fullmatch(r"[0-9]{1,12}", timestamp)
    else:
        assert refused
