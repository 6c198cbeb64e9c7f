"""Nobody uses up what all shoppers may send in a day: fair shares, and a reserve for the known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from server.actions import files as actions
from server.actions.files import Limits
from server.domain.actors import Actor
from server.domain.errors import TooMany
from server.domain.files import MEGABYTE, share_left
from server.domain.spans import DAY_MS
from server.storage.files import File, fresh_id
from tests.actions.scene import Scene

PART = 10 * MEGABYTE
LIMITS = Limits(shoppers_a_day=1000 * MEGABYTE)


def send(scene: Scene, who: Actor, network: str | None = None, size: int = PART) -> None:
    """Notes a file as the desk of files does. Raises TooMany."""
    file = File(
        id=fresh_id(scene.time.at_ms), sha256="a" * 64, bytes=size, media_type="image/png",
        name="a.png", uploader_kind=who.kind, uploader_id=who.id, state="clean",
        created_at_ms=scene.time.at_ms, network_hash=network,
    )  # fmt: skip
    scene.database.write_now(lambda tx: actions.add(tx, who, file, limits=LIMITS))


def sent_until_refused(scene: Scene, who: Actor, network: str | None = None) -> int:
    """How many parts of 10 MB somebody gets through."""
    for number in range(1000):
        try:
            send(scene, who, network)
        except TooMany:
            return number
    raise AssertionError("never refused")


def test_throw_away_visitors_leave_room_for_the_next_one(scene: Scene) -> None:
    for _ in range(5):
        assert sent_until_refused(scene, scene.shopper(), "one network") <= 12
    # From there nobody sends much more today; from elsewhere anybody does.
    with pytest.raises(TooMany):
        send(scene, scene.shopper(), "one network", 8 * PART)
    assert sent_until_refused(scene, scene.shopper(), "another") >= 5


def test_whoever_is_not_known_leaves_half_for_the_identified(scene: Scene) -> None:
    for number in range(12):
        sent_until_refused(scene, scene.shopper(), f"network {number}")
    known = scene.shopper()
    with pytest.raises(TooMany):
        send(scene, known, size=5 * PART)
    scene.database.write_now(
        lambda tx: tx.execute(
            text("UPDATE customer SET identity = 'verified' WHERE id = :id"), {"id": known.id}
        )
    )
    assert sent_until_refused(scene, known) >= 12


def test_staff_have_a_part_of_their_own(scene: Scene) -> None:
    for number in range(6):
        sent_until_refused(scene, scene.shopper(), f"network {number}")
    # More than shoppers may send together.
    send(scene, scene.person("ana"), size=1500 * MEGABYTE)


def test_where_files_came_from_is_forgotten(scene: Scene) -> None:
    send(scene, scene.shopper(), "one network")
    scene.time.pass_s(DAY_MS / 1000 + 1)
    scene.database.write_now(actions.forget_networks)
    with scene.database.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT network_hash FROM file").scalars().all()
    assert found == [None]


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(1, 10**9))
def test_shares_never_take_the_last_of_a_pool(turns: list[int], pool: int) -> None:
    own = dict.fromkeys(range(10), 0)
    for who in turns:
        own[who] += max(0, share_left(pool, sum(own.values()), own[who], 0.25))
    assert sum(own.values()) <= pool * (1 - 0.75**10) + 1
