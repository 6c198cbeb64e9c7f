"""Answers that shoppers find themselves, and whether those helped.

An article that was read is no message and starts no turn: only what a shopper sends does. When an
article answers what they had sent, before anybody replied, they need no reply any more: the wait
ends dismissed, by the shopper's own word, and nobody is said to have answered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal  # Any: JSON values

from pydantic import Field

from server.actions import conversations
from server.actions.access import access_conversation, read_conversation
from server.actions.desk import Look
from server.actions.payload import ConversationRef, Id, Payload
from server.actions.suggestions import MAX_ASKED, learn
from server.domain.actors import Actor
from server.domain.errors import NotFound
from server.domain.events import SuggestionAccepted, SuggestionDismissed, TurnDismissed
from server.domain.spans import DAY_MS
from server.storage import articles, knowledge
from server.storage.article_lists import is_for_shoppers
from server.storage.knowledge import Offer
from server.storage.unit import Tx

Json = dict[str, Any]  # Any: JSON values
# What shoppers typed and did not judge is of no use; the rest is what the reports look back on.
UNSAID_DAYS = 1
KEPT_DAYS = 400
FORGET_AT_ONCE = 500
# Who reads an article and then writes within this time goes on with the same question.
BEFORE_MS = 1_800_000


class FindAnswer(Payload):
    """What a shopper writes or looks for; ``suggestion_id`` when it is still the same question."""

    text: Annotated[str, Field(max_length=MAX_ASKED)]
    locale: Literal["en", "zh"] | None = None
    suggestion_id: Id | None = None


class JudgeAnswer(Payload):
    """Whether an article helped; with the conversation if the question had been sent."""

    suggestion_id: Id
    article_id: Id
    helped: bool
    conversation_id: Id | None = None


class FindTried(Payload):
    """A conversation, of which it is asked what its customer had read before."""

    conversation_id: Id


@dataclass(frozen=True, slots=True)
class Offered:
    """What was found for a shopper, on its way to be kept. ``query`` is without their details."""

    query: str
    locale: str
    band: str
    articles: tuple[tuple[str, float], ...]
    kb_seq: int


def keep_offered(tx: Tx, actor: Actor, offered: Offered, suggestion_id: str | None) -> str:
    """The id under which an offer to a shopper is kept; one for a question, however it grows."""
    before = knowledge.load_offer(tx.connection, suggestion_id) if suggestion_id else None
    known = before is not None and _is_own(actor, before) and before.outcome is None
    offer = Offer(
        id=before.id if known and before is not None else tx.new_id(),
        origin="shopper",
        query=offered.query,
        band=offered.band,
        articles=offered.articles,
        kb_seq=offered.kb_seq,
        asked_at_ms=tx.at_ms,
        customer_id=actor.id,
        locale=offered.locale,
    )
    if known:
        knowledge.change_offer(tx, offer)
    else:
        knowledge.add_offer(tx, offer)
    return offer.id


def judge(tx: Tx, actor: Actor, payload: JudgeAnswer) -> Json:
    """Counts whether an article helped. The same word twice changes nothing.

    Raises NotFound for an offer or a conversation of somebody else, and for what is no article
    for shoppers.
    """
    offer = knowledge.load_offer(tx.connection, payload.suggestion_id)
    if offer is None or not _is_own(actor, offer):
        raise NotFound("There is no such suggestion.")
    outcome = "helped" if payload.helped else "unhelped"
    if (offer.outcome, offer.chosen_id) == (outcome, payload.article_id):
        return {"suggestion_id": offer.id}
    found = articles.load_article(tx.connection, payload.article_id)
    if found is None or not is_for_shoppers(found, at_ms=tx.at_ms):
        raise NotFound("There is no such article.")
    about = payload.conversation_id or offer.conversation_id
    rank = next((n for n, (one, _) in enumerate(offer.articles, 1) if one == found.id), None)
    knowledge.change_offer(
        tx,
        replace(
            offer,
            outcome=outcome,
            chosen_id=found.id,
            chosen_rank=rank,
            outcome_by=actor.id,
            outcome_at_ms=tx.at_ms,
            conversation_id=about,
        ),
    )
    if payload.helped:
        learn(tx, actor, offer, found.id)
    if about is not None:
        _tell(tx, actor, about, offer.id, found.id, rank=rank, helped=payload.helped)
    return {"suggestion_id": offer.id}


def tried(look: Look, payload: FindTried) -> Json:
    """The articles that did not help the customer of a conversation, before or in it."""
    conversation = read_conversation(look.connection, look.actor, payload.conversation_id)
    found = knowledge.unhelped_offers(
        look.connection, conversation.id, conversation.customer_id, within_ms=BEFORE_MS
    )
    chosen = [offer.chosen_id for offer in found if offer.chosen_id is not None]
    texts = articles.texts_of(look.connection, chosen)
    items = []
    for offer in found:
        said = {
            locale: text for (article, locale), text in texts.items() if article == offer.chosen_id
        }
        text = said.get(offer.locale or "") or next(iter(said.values()), None)
        if text is not None:
            items.append(
                {
                    "suggestion_id": offer.id,
                    "article_id": text.article_id,
                    "title": text.title,
                    "at_ms": offer.outcome_at_ms,
                }
            )
    return {"items": items}


def forget_old(tx: Tx) -> int:
    """Drops offers that are past their time, some at once; how many those were."""
    return knowledge.forget_offers(
        tx,
        before_ms=tx.at_ms - KEPT_DAYS * DAY_MS,
        unsaid_before_ms=tx.at_ms - UNSAID_DAYS * DAY_MS,
        limit=FORGET_AT_ONCE,
    )


def _tell(
    tx: Tx,
    actor: Actor,
    conversation_id: str,
    offer_id: str,
    article_id: str,
    *,
    rank: int | None,
    helped: bool,
) -> None:
    """Notes it in the conversation, and ends that where the shopper needs nobody any more."""
    conversation = access_conversation(tx, actor, conversation_id)
    tx.record(
        actor,
        SuggestionAccepted(suggestion_id=offer_id, article=article_id, rank=rank)
        if helped
        else SuggestionDismissed(suggestion_id=offer_id, article=article_id),
        conversation=conversation,
    )
    session = conversation.session
    answered = session is not None and session.replies > 0
    if not helped or answered or conversation.status not in ("open", "snoozed"):
        return
    if conversation.turn is not None:
        tx.record(actor, TurnDismissed(), conversation=tx.current(conversation))
    conversations.resolve(tx, actor, ConversationRef(conversation_id=conversation.id))


def _is_own(actor: Actor, offer: Offer) -> bool:
    return offer.origin == "shopper" and actor.is_shopper(offer.customer_id)
