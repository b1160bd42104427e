"""What a provider's error says, however it is written."""

from __future__ import annotations

from streamchat_relay.providers.refusal import retry_after as read_retry_after


def test_retry_after_is_read_as_seconds_and_as_a_date() -> None:
    date = {"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}
    assert read_retry_after(date, now=784111777 - 30) == 30.0
    assert read_retry_after(date) == 0.0
    for nonsense in ("soon", "nan", "inf", "", "-inf", "Wed, 21 Oct 99999 07:28:00 GMT"):
        assert read_retry_after({"retry-after": nonsense}) is None
    assert read_retry_after({"retry-after": "-3"}) == 0.0
    assert read_retry_after({"retry-after": "1e9"}) == 86_400.0


def test_milliseconds_are_preferred_but_hide_no_seconds_when_they_are_nonsense() -> None:
    assert read_retry_after({"retry-after-ms": "1500", "retry-after": "7"}) == 1.5
    for nonsense in ("x", "", "nan", "inf"):
        assert read_retry_after({"retry-after-ms": nonsense, "retry-after": "7"}) == 7.0
        assert read_retry_after({"retry-after-ms": nonsense}) is None
