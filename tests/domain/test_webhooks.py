"""How webhooks are signed, and when what failed is tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.errors import InvalidInput
from server.domain.events import EVENT_KINDS
from server.domain.webhooks import (
    BACK_OFF_MS,
    MOST_HOLD_MS,
    MOST_RETRY_AFTER_MS,
    PAUSE_AFTER_FAILURES,
    PAUSE_AFTER_MS,
    Attempt,
    Health,
    checked_kinds,
    health_after,
    hold_ms,
    matches,
    secret_key,
    signatures,
    wait_ms,
)

# The example of the libraries of Standard Webhooks.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT_S = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

FAILED = Attempt(outcome="refused", code=500, elapsed_ms=3)
DELIVERED = Attempt(outcome="delivered", code=200, elapsed_ms=3)


def test_a_signature_is_the_published_one() -> None:
    assert signatures([SECRET], ID, AT_S, BODY) == SIGNATURE


def test_each_secret_signs() -> None:
    other = "whsec_" + "QUFB" * 8
    both = signatures([other, SECRET], ID, AT_S, BODY).split(" ")
    assert both[1] == SIGNATURE
    assert both[0] == signatures([other], ID, AT_S, BODY) != SIGNATURE


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_QUFB", "whsec_###", "whsec_" + "A" * 200])
def test_a_secret_of_another_form_is_refused(secret: str) -> None:
    with pytest.raises(InvalidInput):
        secret_key(secret)


def test_no_kinds_are_all_kinds() -> None:
    assert matches((), "message.posted")
    assert matches(("message.posted",), "message.posted")
    assert not matches(("message.posted",), "rating.given")
    assert checked_kinds(list(EVENT_KINDS)) == ()
    twice = ["rating.given", "message.posted", "rating.given"]
    assert checked_kinds(twice) == ("message.posted", "rating.given")
    with pytest.raises(InvalidInput):
        checked_kinds(["message.posted", "nonsense"])


@given(st.floats(0, 1))
def test_waits_grow_and_end(chance: float) -> None:
    waits = [wait_ms(n, chance=chance) for n in range(1, len(BACK_OFF_MS) + 1)]
    assert waits == sorted(set(waits), key=lambda wait: wait or 0)
    for wait, planned in zip(waits, BACK_OFF_MS, strict=True):
        assert wait is not None
        assert 0.9 * planned - 1 <= wait <= 1.1 * planned + 1
    assert wait_ms(len(BACK_OFF_MS) + 1, chance=chance) is None


def test_a_receiver_may_ask_for_time_but_not_for_days() -> None:
    assert wait_ms(1, chance=0.5, retry_after_ms=90_000) == 90_000
    assert wait_ms(1, chance=0.5, retry_after_ms=1_000) == BACK_OFF_MS[0]
    assert wait_ms(1, chance=0.5, retry_after_ms=10**9) == MOST_RETRY_AFTER_MS


@given(st.integers(0, 10_000))
def test_rests_grow_up_to_a_limit(failures: int) -> None:
    assert 0 <= hold_ms(failures) <= hold_ms(failures + 1) <= MOST_HOLD_MS


def test_one_success_ends_all_trouble() -> None:
    ill = Health(failures=9, failing_since_ms=1, hold_until_ms=99)
    assert health_after(ill, DELIVERED, 50) == Health()


def test_failing_for_long_and_often_pauses() -> None:
    health = Health()
    for n in range(1, PAUSE_AFTER_FAILURES):
        health = health_after(health, FAILED, n * PAUSE_AFTER_MS)
        assert health.state == "active", "too few tries to judge by"
    assert health.failing_since_ms == PAUSE_AFTER_MS
    assert health_after(health, FAILED, PAUSE_AFTER_MS + 5).state == "active", "too short a time"
    paused = health_after(health, FAILED, 99 * PAUSE_AFTER_MS)
    assert (paused.state, paused.state_at_ms) == ("paused", 99 * PAUSE_AFTER_MS)


def test_410_ends_it_at_once_unless_a_person_did() -> None:
    gone = Attempt(outcome="refused", code=410, elapsed_ms=1)
    assert health_after(Health(), gone, 7).state == "gone"
    assert health_after(Health(state="off"), gone, 7).state == "off"
