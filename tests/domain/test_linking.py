"""Laws of linking: what comes of facts does not depend on the order in which they came."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from server.domain.linking import (
    ALONE,
    Link,
    Record,
    conflict,
    decide,
    pair_of,
    pointers,
)

NAMES = "abcdefgh"
KEYS = st.frozensets(
    st.sampled_from([("email", "x"), ("email", "y"), ("phone", "1"), ("phone", "2")]), max_size=2
)
ACCOUNTS = st.frozensets(
    st.sampled_from([("shop", "1"), ("shop", "2"), ("till", "1"), ("till", "2")]), max_size=1
)


@st.composite
def webs(draw: st.DrawFn) -> tuple[list[Record], list[Link], list[tuple[str, str]]]:
    names = NAMES[: draw(st.integers(2, len(NAMES)))]
    records = [Record(name, draw(st.integers(1, 3)), draw(ACCOUNTS), draw(KEYS)) for name in names]
    pairs = st.sampled_from([pair_of(a, b) for a, b in combinations(names, 2)])
    links = [Link(a, b, "staff") for a, b in draw(st.lists(pairs, max_size=3))]
    return records, links, draw(st.lists(pairs, max_size=2))


@given(webs(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_links_does_not_matter(
    web: tuple[list[Record], list[Link], list[tuple[str, str]]], chance: object
) -> None:
    records, links, apart = web
    decision = decide(records, links, apart=apart)
    carried = pointers(records, [*links, *decision.links])
    for shuffled in (list(reversed(records)), sorted(records, key=lambda r: r.created_at_ms)):
        chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a Random
        other_links = [Link(link.second, link.first, link.how) for link in reversed(links)]
        again = decide(shuffled, other_links, apart=list(reversed(apart)))
        assert again == decision
        assert pointers(shuffled, [*other_links, *again.links]) == carried


@given(webs())
def test_nothing_joins_accounts_of_one_source_by_itself(
    web: tuple[list[Record], list[Link], list[tuple[str, str]]],
) -> None:
    records, _, apart = web
    decision = decide(records, [], apart=apart)
    for person in persons(records, decision.links):
        members = [record for record in records if record.id in person]
        for one, other in combinations(members, 2):
            assert not conflict([one], [other])
            assert pair_of(one.id, other.id) not in apart


@given(webs())
def test_whoever_is_joined_by_itself_has_proved_the_same(
    web: tuple[list[Record], list[Link], list[tuple[str, str]]],
) -> None:
    records, links, apart = web
    proved = {record.id: record.proved for record in records}
    for link in decide(records, links, apart=apart).links:
        assert link.key in proved[link.first] & proved[link.second]


@given(webs())
def test_whoever_proved_the_same_is_joined_or_looked_at(
    web: tuple[list[Record], list[Link], list[tuple[str, str]]],
) -> None:
    records, _, _ = web
    decision = decide(records, [])
    together = persons(records, decision.links)
    cases = {case.pair for case in decision.cases}
    for one, other in combinations(records, 2):
        if one.proved & other.proved:
            joined = any(one.id in person and other.id in person for person in together)
            assert joined or pair_of(one.id, other.id) in cases


@given(webs(), st.data())
def test_a_link_made_and_undone_leaves_no_trace(
    web: tuple[list[Record], list[Link], list[tuple[str, str]]], data: st.DataObject
) -> None:
    records, links, _ = web
    before = pointers(records, links)
    one, other = data.draw(st.permutations([r.id for r in records]))[:2]
    pointers(records, [*links, Link(*pair_of(one, other), "staff")])
    assert pointers(records, links) == before


@given(webs())
def test_a_person_has_one_top_at_which_all_its_rows_point(
    web: tuple[list[Record], list[Link], list[tuple[str, str]]],
) -> None:
    records, links, _ = web
    carried = pointers(records, links)
    for person in persons(records, links):
        (top,) = [row for row in person if carried[row] == ALONE]
        assert {carried[row].person_id for row in person} <= {None, top}
        assert {carried[row].merged_into for row in person} <= {None, top}


def test_a_browser_points_at_the_account_it_signed_in_to() -> None:
    browser, till = Record("a", 1), Record("b", 2, frozenset({("till", "1")}))
    account = Record("c", 3, frozenset({("shop", "1")}))
    found = pointers([browser, till, account], [Link("a", "b", "session"), Link("b", "c", "staff")])
    assert (found["a"].merged_into, found["a"].merged_as, found["a"].person_id) == (
        "b",
        "session",
        "c",
    )
    assert (found["b"].merged_into, found["b"].merged_as, found["b"].person_id) == (
        "c",
        "merge",
        "c",
    )
    assert found["c"] == ALONE


def persons(records: Sequence[Record], links: Sequence[Link]) -> list[tuple[str, ...]]:
    carried = pointers(records, links)
    found: dict[str, list[str]] = {}
    for record in records:
        found.setdefault(carried[record.id].person_id or record.id, []).append(record.id)
    return [tuple(rows) for rows in found.values()]
