"""The short way to an address's key leads where the long one does."""

from __future__ import annotations

import unicodedata

from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from server.actions.contacts import email_key

_ENDS = ("com", "a", "test", "local", "cn", "c0", "xn--fiqs8s", "invalid", "museum")


def _long_way(address: str) -> str | None:
    try:
        found = validate_email(address, check_deliverability=False, test_environment=True)
    except (EmailNotValidError, UnicodeError):
        return None
    local = unicodedata.normalize("NFKC", found.local_part).lower()
    return f"{local}@{found.ascii_domain.lower()}"


@settings(max_examples=500)
@given(
    st.text("abz019-_.+", min_size=1, max_size=70),
    st.lists(st.text("axn09-", min_size=1, max_size=66), min_size=1, max_size=4),
    st.sampled_from(_ENDS),
)
def test_plain_addresses_are_their_own_key_and_no_others(
    local: str, labels: list[str], end: str
) -> None:
    address = f"{local}@{'.'.join(labels)}.{end}"
    if len(address) <= 254:
        assert email_key(address) == _long_way(address)
