"""Conditions mean the same for a list, a count and one person; a history loses nothing."""

from __future__ import annotations

import random
from functools import partial
from typing import Any  # Any: column values

import pytest
from sqlalchemy import Connection, insert, update

from server.actions import saved_segments as segment_actions
from server.actions.customers import TagCustomer
from server.actions.customers import tag as tag_customer
from server.actions.desk import Look
from server.actions.payload import NoPayload, parse
from server.domain.conditions import (
    FIELDS,
    All,
    Between,
    Condition,
    In,
    Is,
    Not,
    OneOf,
    expand,
    read_condition,
    to_json,
)
from server.domain.errors import InvalidInput, NotFound
from server.domain.lifecycle import ACTIVITY_STAGES
from server.domain.segment import SEGMENTS
from server.domain.spans import DAY_MS
from server.storage import consents, directory, history, notes, persons
from server.storage.consents import Consent
from server.storage.customers import CUSTOMER
from server.storage.directory import ORDER
from server.storage.links import LINK
from server.storage.profiles import PROFILE
from server.storage.unit import Tx
from server.storage.visits import PAGE_EVENT
from tests.actions.scene import Scene

Facts = dict[str, Any]  # Any: what is known of a person in the test


def _defaults(table: Any) -> dict[str, Any]:  # Any: columns
    return {c.name: c.default.arg for c in table.columns if c.default is not None}


def _people(scene: Scene, chance: random.Random) -> dict[str, Facts]:
    """Forty persons of every kind, a third of them with a second record."""
    known: dict[str, Facts] = {}
    day = scene.database.read_now(lambda c: directory.today(c, scene.time.at_ms)).day
    for number in range(40):
        facts: Facts = {
            "key": f"p{number:02}",
            "rows": [f"p{number:02}"] + ([f"q{number:02}"] if chance.random() < 0.3 else []),
            "locale": chance.choice(["en", "zh", None]),
            "identity": chance.choice(["anonymous", "claimed", "verified"]),
            "name": chance.choice([None, "Ann"]),
            "created": chance.randrange(40),
            "seen": chance.randrange(40),
            "tags": set(chance.sample(["vip", "b2b", "gift"], chance.randrange(3))),
            "blocked": chance.random() < 0.2,
            "profiling": chance.choice([None, None, "refused"]),
            "mail": chance.choice([None, "given", "refused"]),
            "profile": None,
        }
        if chance.random() < 0.7:
            facts["profile"] = {
                "orders": chance.randrange(1, 6),
                "net_minor": chance.randrange(0, 50) * 100,
                "last_day": day - chance.randrange(60),
                "segment": chance.choice(SEGMENTS[:4]),
                "activity_stage": chance.choice(ACTIVITY_STAGES[1:]),
                "top20": chance.random() < 0.3,
            }
        facts["day"] = day
        scene.database.write_now(lambda tx, facts=facts: _write(tx, facts))  # type: ignore[misc]  # bound default
        known[facts["key"]] = facts
    return known


def _write(tx: Tx, facts: Facts) -> None:
    for row in facts["rows"]:
        top = row == facts["key"]
        values = {
            "id": row,
            "name": facts["name"] if top else None,
            "locale": facts["locale"] if top else None,
            "identity": facts["identity"] if top else "anonymous",
            "created_at_ms": tx.at_ms - facts["created"] * DAY_MS,
            "seen_at_ms": tx.at_ms - facts["seen"] * DAY_MS,
            "merged_into": None if top else facts["key"],
            "merged_as": None if top else "merge",
            "person_id": None if top else facts["key"],
        }
        tx.later(insert(CUSTOMER), values)
    last = facts["rows"][-1]
    notes.add_tags(tx, last, sorted(facts["tags"]))
    if facts["blocked"]:
        notes.block(tx, [last], reason=None, by_id=None)
    for purpose, state in (("profiling", facts["profiling"]), ("marketing_email", facts["mail"])):
        if state is not None:
            # Only the last word counts.
            for said in ("given" if state == "refused" else "refused", state):
                consents.add_consent(
                    tx,
                    Consent(
                        customer_id=last,
                        purpose=purpose,  # type: ignore[arg-type]  # one of them
                        state=said,
                        text_version="1",
                        language="en",
                        source="agent",
                        at_ms=tx.at_ms - (said != state),
                    ),
                )
    if facts["profile"] is not None:
        tx.later(
            insert(PROFILE),
            _defaults(PROFILE)
            | {"person_id": facts["key"], "updated_at_ms": tx.at_ms}
            | facts["profile"],
        )


def _holds(condition: Condition, facts: Facts) -> bool:
    """The meaning of a condition, as docs/customers.md gives it."""
    match condition:
        case All(parts):
            return all(_holds(part, facts) for part in parts)
        case OneOf(parts):
            return any(_holds(part, facts) for part in parts)
        case Not(part):
            return not _holds(part, facts)
    if FIELDS[condition.field].profiled and facts["profiling"] == "refused":
        return False
    match condition:
        case In(name, words):
            return _has(name, {*words}, facts)
        case Is(name, yes):
            return _is(name, facts) == yes
        case Between(name, low, high):
            value = _number(name, facts)
            if value is None:
                return False
            return (low is None or value >= low) and (high is None or value <= high)


def _has(name: str, words: set[str], facts: Facts) -> bool:
    nobody = {"segment": "prospects", "activity_stage": "prospect"}
    if name in nobody:
        profile = facts["profile"]
        return (profile[name] if profile else nobody[name]) in words
    if name == "consent":
        allowed = {
            "service": True,
            "profiling": facts["profiling"] != "refused",
            "marketing_email": facts["mail"] == "given",
        }
        return any(allowed.get(word, False) for word in words)
    return bool(facts["tags"] & words) if name == "tag" else facts[name] in words


def _is(name: str, facts: Facts) -> bool:
    profile = facts["profile"]
    if name == "top20":
        return bool(profile and profile["top20"])
    if name == "known":
        return bool(facts["identity"] != "anonymous" or facts["name"] or profile)
    return bool(facts[name])


def _number(name: str, facts: Facts) -> int | None:
    profile = facts["profile"] or {"orders": 0, "net_minor": 0, "last_day": None}
    last = profile["last_day"]
    numbers: dict[str, int | None] = {
        "orders": profile["orders"],
        "net_minor": profile["net_minor"],
        "recency_days": None if last is None else facts["day"] - last,
        "known_days": facts["created"],
        "seen_days": facts["seen"],
    }
    return numbers[name]


def _any_condition(chance: random.Random, depth: int = 0) -> Condition:
    kind = chance.randrange(9 if depth < 3 else 6)
    match kind:
        case 6:
            return All(tuple(_any_condition(chance, depth + 1) for _ in range(2)))
        case 7:
            return OneOf(tuple(_any_condition(chance, depth + 1) for _ in range(2)))
        case 8:
            return Not(_any_condition(chance, depth + 1))
        case 0:
            return In("segment", tuple(chance.sample([*SEGMENTS[:4], "prospects"], 2)))
        case 1:
            return In("activity_stage", tuple(chance.sample(ACTIVITY_STAGES, 2)))
        case 2:
            words = {
                "tag": ["vip", "b2b", "gift"],
                "locale": ["en", "zh"],
                "identity": ["anonymous", "claimed", "verified"],
                "consent": ["service", "analytics", "profiling", "marketing_email"],
            }
            name = chance.choice(sorted(words))
            return In(name, (chance.choice(words[name]),))
        case 3:
            return Is(chance.choice(["top20", "blocked", "known"]), chance.random() < 0.7)
        case _:
            limits = {"orders": 6, "net_minor": 5000, "recency_days": 60}
            limits |= {"known_days": 40, "seen_days": 40}
            name = chance.choice(sorted(limits))
            low, high = sorted(chance.randrange(limits[name]) for _ in range(2))
            sides = chance.choice([(low, high), (low, None), (None, high)])
            return Between(name, *sides)


def test_a_condition_means_the_same_for_lists_counts_and_one_person(scene: Scene) -> None:
    chance = random.Random(11)
    people = _people(scene, chance)
    at_ms = scene.time.at_ms

    def check(c: Connection, condition: Condition) -> None:
        expected = {key for key, facts in people.items() if _holds(condition, facts)}
        now = directory.today(c, at_ms)
        found = directory.page(
            c, condition, now=now, sort="newest", among=None, after=None, limit=100
        )
        assert {f.customer.id for f in found} == expected, condition
        assert directory.count(c, condition, now=now) == len(expected), condition
        for key in chance.sample(sorted(people), 4):
            one = directory.matches(c, condition, key, at_ms=at_ms)
            assert one == (key in expected), (condition, key)

    for _ in range(80):
        condition = _any_condition(chance)
        assert read_condition(to_json(condition)) == condition
        scene.database.read_now(partial(check, condition=condition))


def test_who_was_erased_is_not_listed(scene: Scene) -> None:
    _people(scene, random.Random(11))
    gone = update(CUSTOMER).where(CUSTOMER.c.id == "p00").values(erased_at_ms=scene.time.at_ms)
    scene.database.write_now(lambda tx: tx.later(gone))

    def check(c: Connection) -> None:
        now, everybody = directory.today(c, scene.time.at_ms), All(())
        found = directory.page(
            c, everybody, now=now, sort="newest", among=None, after=None, limit=100
        )
        assert "p00" not in {f.customer.id for f in found}
        assert len(found) == directory.count(c, everybody, now=now) == 39

    scene.database.read_now(check)


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {},
        {"field": "shoe_size", "min": 40},
        {"field": "orders"},
        {"field": "orders", "min": "2"},
        {"field": "orders", "min": True},
        {"field": "segment", "in": ["best"]},
        {"field": "segment", "in": []},
        {"field": "tag", "in": [1]},
        {"field": "blocked", "is": 1},
        {"field": "blocked", "is": True, "min": 1},
        {"all": [], "any": []},
        {"all": {"field": "blocked"}},
        {"not": {"not": {"not": {"not": {"not": {"field": "blocked", "is": True}}}}}},
    ],
)
def test_what_is_no_condition_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidInput):
        read_condition(wrong)


def test_saved_segments_are_conditions_of_others_but_not_in_a_circle(scene: Scene) -> None:
    lin, chen = scene.person("lin"), scene.person("chen")
    vip = scene.shopper().id or ""
    scene.do(tag_customer, lin, parse(TagCustomer, {"customer_id": vip, "add": ["vip"]}))

    def save(name: str, condition: dict[str, Any], **more: Any) -> str:
        values = {"name": name, "condition": condition, "shared": True, **more}
        payload = parse(segment_actions.SaveSegment, values)
        return str(scene.do(segment_actions.save, lin, payload)["segment_id"])

    inner = save("VIP", {"field": "tag", "in": ["vip"]})
    outer = save("Not blocked VIP", {"all": [{"field": "saved", "in": [inner]}]})
    asked = In("saved", (outer,))
    at_ms = scene.time.at_ms

    def meets() -> bool:
        return scene.database.read_now(lambda c: directory.matches(c, asked, vip, at_ms=at_ms))

    assert meets()
    circle = {
        "segment_id": inner,
        "name": "VIP",
        "condition": {"field": "saved", "in": [outer]},
        "shared": True,
    }
    with pytest.raises(InvalidInput):
        scene.do(segment_actions.change, lin, parse(segment_actions.ChangeSegment, circle))
    with pytest.raises(NotFound):
        scene.do(segment_actions.remove, chen, segment_actions.SegmentRef(segment_id=inner))
    scene.do(segment_actions.remove, lin, segment_actions.SegmentRef(segment_id=inner))
    assert not meets()
    found = scene.database.read_now(
        lambda c: segment_actions.list_segments(Look(c, chen, at_ms), NoPayload())
    )
    assert [one["name"] for one in found["items"]] == ["Not blocked VIP"]


def test_a_circle_of_saved_segments_ends_in_a_refusal() -> None:
    saved = {"a": In("saved", ("b",)), "b": In("saved", ("a",))}
    with pytest.raises(InvalidInput):
        expand(In("saved", ("a",)), saved.get)


def test_every_kind_of_entry_is_in_the_history_once_and_in_order(scene: Scene) -> None:
    lin = scene.person("lin")
    shopper = scene.shopper()
    row = shopper.id or ""
    other = scene.shopper().id or ""
    chat = scene.chat(shopper)
    scene.post(lin, "Here", chat)
    scene.act("resolve", lin, chat)
    scene.time.pass_s(90_000)
    scene.post(shopper, "Once more")
    scene.do(tag_customer, lin, parse(TagCustomer, {"customer_id": row, "add": ["vip"]}))
    now = scene.time.at_ms

    def write(tx: Tx) -> None:
        order = {"id": "o1", "source": "shop", "external_id": "1", "number": "1", "day": 1}
        order |= {"customer_id": row, "created_at_ms": now, "currency": "CNY", "counted": True}
        order |= {"total_minor": 1, "net_minor": 0, "status": "refunded", "written_at_ms": now}
        # All at one instant, so that only their keys tell them apart.
        dates = dict.fromkeys(("shipped_at_ms", "delivered_at_ms", "refunded_at_ms"), now)
        tx.later(insert(ORDER), _defaults(ORDER) | order | dates)
        for number in range(7):
            visit = {"id": f"v{number}", "customer_id": row, "kind": "page", "at_ms": now}
            tx.later(insert(PAGE_EVENT), visit)
        link = {"id": "l1", "customer_id": other, "other_id": row, "how": "staff", "at_ms": now}
        tx.later(insert(LINK), link)
        tx.later(
            CUSTOMER.update()
            .where(CUSTOMER.c.id == other)
            .values(merged_into=row, merged_as="merge", person_id=row)
        )

    scene.database.write_now(write)

    def read(limit: int) -> list[str]:
        seen: list[str] = []
        before = None
        while True:
            page = scene.database.read_now(
                lambda c, before=before: history.page(  # type: ignore[misc]  # bound default
                    c,
                    lin,
                    persons.members(c, row),
                    lanes=history.LANES,
                    before=before,
                    limit=limit,
                )
            )
            seen += [entry.key for entry in page.entries]
            assert [e.at_ms for e in page.entries] == sorted(
                (e.at_ms for e in page.entries), reverse=True
            )
            if page.older is None:
                return seen
            before = page.older

    whole = read(100)
    assert len(whole) == len(set(whole))
    kinds = [key.partition(" ")[0] for key in whole]
    assert {*kinds} == {
        *("order.placed", "order.shipped", "order.delivered", "order.refunded", "visit"),
        *("conversation.opened", "session.started", "event", "merged"),
    }
    for limit in (1, 2, 5):
        assert read(limit) == whole
    counted = scene.database.read_now(lambda c: history.counts(c, lin, persons.members(c, row)))
    assert sum(counted.values()) == len(whole)
