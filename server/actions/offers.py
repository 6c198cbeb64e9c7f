"""Listening for what sounds like buying, and keeping account of what agents offer.

It reads the log behind the message path, so that a chat never waits for the catalogue. Two
processes may read the same part; only the one that moves the place writes what it found.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # Any: rows

from rapidfuzz import fuzz
from rapidfuzz.distance import LCSseq

from server.actions.conversations import MAX_TAGS
from server.domain.actors import SYSTEM
from server.domain.events import ConversationTagged
from server.domain.offers import buying_intent, price_question
from server.storage import log_readers, offers
from server.storage.connection import Connection
from server.storage.customers import CustomerChanged
from server.storage.offers import Mark, Offer, Said
from server.storage.persons import members, person_of
from server.storage.shop import load_shop
from server.storage.unit import Tx

AT_ONCE = 200
ITEMS = 3
# Likeness of a title to what was asked for, of 100. Below it a card would show something else.
LIKE = 72.0
# Questions of one look that are searched for in the whole catalogue.
SEARCHES = 50
TAGS: Mapping[str, Mapping[str, str]] = {
    "price": {"en": "price question", "zh": "询价"},
    "discount": {"en": "price question", "zh": "询价"},
    "bulk": {"en": "bulk enquiry", "zh": "批量询价"},
    "buying": {"en": "buying intent", "zh": "购买意向"},
}


@dataclass(frozen=True, slots=True)
class Heard:
    """What was found in a part of the log."""

    before: int
    after: int
    marks: Sequence[Mark]
    offered: Sequence[tuple[Said, str, str]]
    customers: Mapping[str, str]


def listen(connection: Connection, *, up_to: int) -> Heard | None:
    """What was said since the last look; None when nothing was, or nobody has begun to listen."""
    before = log_readers.place(connection, offers.READER)
    if before is None or before >= up_to:
        return None
    found = offers.said_after(connection, after=before, up_to=up_to, limit=AT_ONCE)
    after = found[-1].seq if len(found) == AT_ONCE else up_to
    marks: dict[str, Mark] = {}
    searches = 0
    for said in found:
        if said.sender_kind != "customer" or said.visibility != "public":
            continue
        question = price_question(said.body)
        if question is None and not buying_intent(said.body):
            continue
        items: Sequence[tuple[str, float]] = ()
        if question is not None and searches < SEARCHES:
            searches += 1
            items = find_products(connection, said, question.about)
        marks[said.conversation_id] = Mark(
            conversation_id=said.conversation_id,
            message_id=said.id,
            session_no=said.session_no,
            kind=question.kind if question else "buying",
            quantity=question.quantity if question else None,
            items=tuple(items),
            at_ms=said.at_ms,
        )
    shown = [
        (said, sku, title)
        for said in found
        if said.sender_kind == "agent" and said.visibility == "public"
        for sku, title in offers.product_blocks(said.blocks)
    ]
    customers = {said.conversation_id: said.customer_id for said in found}
    return Heard(before, after, list(marks.values()), shown, customers)


def note(tx: Tx, heard: Heard) -> bool:
    """Writes down what was heard; False when another process has done so."""
    if not offers.move_reader(tx, before=heard.before, after=heard.after):
        return False
    shop = load_shop(tx.connection)
    locale = "zh" if shop is not None and shop.locale.startswith("zh") else "en"
    for mark in heard.marks:
        _mark(tx, mark, locale=locale)
        tx.notice(CustomerChanged(heard.customers[mark.conversation_id]))
    for said, sku, title in heard.offered:
        offers.add_offer(tx, _offer(tx, said, sku, title))
    return True


def _mark(tx: Tx, mark: Mark, *, locale: str) -> None:
    """Keeps the mark and tags the conversation, once a session: who takes it off has the word."""
    known = offers.load_mark(tx.connection, mark.conversation_id)
    same_session = known is not None and known.session_no == mark.session_no
    if same_session and known is not None and known.kind != "buying" and mark.kind == "buying":
        return
    offers.save_mark(tx, mark)
    tag = TAGS[mark.kind][locale]
    if same_session and known is not None and TAGS[known.kind][locale] == tag:
        return
    conversation = tx.conversation(mark.conversation_id)
    if conversation is None or conversation.status not in ("open", "snoozed"):
        return
    if tag not in conversation.tags and len(conversation.tags) < MAX_TAGS:
        tx.record(SYSTEM, ConversationTagged(add=(tag,), remove=()), conversation=conversation)


def _offer(tx: Tx, said: Said, sku: str, title: str) -> Offer:
    ids = members(tx.connection, person_of(tx.connection, said.customer_id))
    because = offers.because_of(tx.connection, ids, sku, at_ms=said.at_ms)
    mark = offers.load_mark(tx.connection, said.conversation_id)
    asked = mark is not None and mark.kind != "buying" and said.at_ms - mark.at_ms < offers.MARK_MS
    return Offer(
        id=tx.new_id(),
        conversation_id=said.conversation_id,
        customer_id=said.customer_id,
        message_id=said.id,
        agent_id=said.sender_id,
        sku=sku,
        title=title,
        kind="price" if asked else "hint" if because else "card",
        because_sku=None if asked else because,
        offered_at_ms=said.at_ms,
    )


# The catalogue


def find_products(connection: Connection, said: Said, about: str) -> list[tuple[str, float]]:
    """Skus of what is meant with their likeness 0..1, best first.

    Where the words name nothing it is what is in front of the shopper.
    """
    found: list[tuple[str, float]] = []
    if about:
        named = _Named(about)
        for sku, title in offers.titles(connection):
            likeness = named.likeness(sku, title)
            if likeness >= LIKE:
                found.append((sku, likeness))
                if len(found) > 50 * ITEMS:
                    found = _best(found)
    if not found:
        shown = offers.in_front_of(connection, said)
        return [] if shown is None else [(shown, 1.0)]
    return [(sku, round(likeness / 100, 2)) for sku, likeness in _best(found)]


def _best(found: list[tuple[str, float]]) -> list[tuple[str, float]]:
    return sorted(found, key=lambda one: (-one[1], one[0]))[:ITEMS]


class _Named:
    """What a shopper named, ready to be held against many titles."""

    def __init__(self, about: str) -> None:
        self._about = _plain(about)
        self._solid = self._about.replace(" ", "")
        self._han = any("\u3400" <= char <= "\u9fff" for char in about)

    def likeness(self, sku: str, title: str) -> float:
        """How like a title is to what was named, 0 to 100; 100 for the sku itself."""
        if f" {_plain(sku)} " in f" {self._about} ":
            return 100.0
        plain = _plain(title)
        if not self._han:
            score = fuzz.token_set_ratio(self._about, plain, score_cutoff=LIKE)
            if score >= LIKE or len(self._about) < 4:
                return score
            # One word in another form: mugs, stools.
            return 0.9 * fuzz.partial_ratio(self._about, plain, score_cutoff=LIKE)
        if len(self._solid) < 2:
            return 0.0
        # Words stand between: 胡桃木台灯 is in 胡桃木护眼台灯.
        inside = LCSseq.similarity(self._solid, plain.replace(" ", ""))
        return 100.0 * inside / len(self._solid) - (len(plain) > 4 * len(self._solid)) * 5


def _plain(words: str) -> str:
    folded = unicodedata.normalize("NFKC", words).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in folded).split())


# What came of it


def settle_page(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:  # Any: rows
    """Writes down what became of some offers by now."""
    for row in rows:
        outcome = offers.outcome_of(tx.connection, row)
        over = tx.at_ms - row["offered_at_ms"] > offers.OFFER_MS
        same = (outcome.accepted_at_ms, outcome.ordered_at_ms) == (
            row["accepted_at_ms"],
            row["ordered_at_ms"],
        )
        if over or not same:
            offers.settle(tx, row["id"], outcome, over=over)
