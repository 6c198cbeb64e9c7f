"""Every mail is read as its writer meant it, or refused; none takes the reader with it."""

from __future__ import annotations

import json
import time
from typing import Any  # Any: a value at the end of a path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.channels.mail.apart import read_apart
from server.channels.mail.read import read_letter
from server.domain.letter import Letter, Unreadable, from_json, to_json
from tests.channels.mail.awkward import AWKWARD, Awkward, mail, part, parts

READABLE = [one for one in AWKWARD if one.refused is None]
REFUSED = [one for one in AWKWARD if one.refused is not None]


def _at(letter: Letter, path: str) -> Any:
    value: Any = letter
    for step in path.split("."):
        if step == "count":
            value = len(value)
        elif step.isdigit():
            value = value[int(step)]
        else:
            value = getattr(value, step)
    return value


@pytest.mark.parametrize("awkward", READABLE, ids=lambda one: one.name)
def test_an_awkward_mail_is_read_as_it_was_meant(awkward: Awkward) -> None:
    letter = read_letter(awkward.raw)
    for path, expected in awkward.expected.items():
        if path.endswith(".has"):
            assert expected in _at(letter, path.removesuffix(".has"))
        elif path.endswith(".lacks"):
            assert expected not in _at(letter, path.removesuffix(".lacks"))
        else:
            assert _at(letter, path) == expected
    assert from_json(to_json(letter)) == letter


@pytest.mark.parametrize("awkward", REFUSED, ids=lambda one: one.name)
def test_a_mail_beyond_the_limits_is_refused_at_once(awkward: Awkward) -> None:
    began_s = time.process_time()
    with pytest.raises(Unreadable, match=str(awkward.refused)):
        read_letter(awkward.raw)
    # The process that reads a mail may take five seconds for all of it.
    assert time.process_time() - began_s < 4


async def test_a_mail_read_apart_is_the_same_mail() -> None:
    raw = parts(part("See"), part("<p>See</p>", "text/html"), kind="alternative")
    assert await read_apart(raw) == read_letter(raw)


async def test_what_cannot_be_read_apart_says_why() -> None:
    raw = next(one for one in REFUSED if one.refused == "too_deep").raw
    with pytest.raises(Unreadable, match="too_deep"):
        await read_apart(raw)


@given(st.binary(max_size=600), st.binary(max_size=300))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_no_bytes_make_the_reader_fail(head: bytes, body: bytes) -> None:
    for raw in (head + b"\r\n\r\n" + body, mail(body, Subject=head.decode("latin-1"))):
        try:
            letter = read_letter(raw)
        except Unreadable:
            continue
        assert from_json(orjson.loads(json.dumps(to_json(letter)))) == letter
