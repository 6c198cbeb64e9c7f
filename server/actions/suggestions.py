"""Articles offered for a question, and what becomes of them: used, refused, learnt from."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Annotated, Any  # Any: JSON values

from pydantic import Field

from knowledge_base.likeness import likeness
from knowledge_base.text import clean as cleaned
from knowledge_base.text import has_han, language, says_something, tokens
from server.actions.access import access_conversation, read_conversation
from server.actions.desk import Look
from server.actions.payload import Id, Payload
from server.actions.replies import filled_bodies
from server.domain.actors import Actor
from server.domain.errors import InvalidInput, NotFound
from server.domain.events import SuggestionAccepted, SuggestionDismissed, SuggestionShown
from server.domain.text import clean
from server.storage import articles, knowledge, messages
from server.storage.articles import Phrasing
from server.storage.connection import Connection
from server.storage.knowledge import Offer
from server.storage.unit import Tx

MAX_ASKED = 2000
# The messages of one run that are looked at, newest first, and how far back they are looked for.
RUN = 3
LOOKED_BACK = 12
# Shorter is "hi", longer is a story: neither is a way to ask.
LEARNT_CHARS = (4, 300)
# Phrasings this alike are one (the share of equal characters, whatever the order of the words).
ALIKE = 0.9
MOST_PHRASINGS = 50
# A full stop ends a sentence where a space follows: one in a number does not.
_SENTENCE = re.compile(r"(?:[^.!?。！？；;\n]|\.(?=\S))+[.!?。！？；;]*")
Json = dict[str, Any]  # Any: JSON values


class AskSuggestion(Payload):
    """What could answer ``text``, or else what the customer wrote last."""

    conversation_id: Id
    text: Annotated[str, Field(max_length=MAX_ASKED)] | None = None


class AcceptSuggestion(Payload):
    """An offered article was put into the reply."""

    suggestion_id: Id
    article_id: Id


class DismissSuggestion(Payload):
    """An offered article does not fit; none of them does when no article is named."""

    suggestion_id: Id
    article_id: Id | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked in a conversation. ``message_id`` is the customer's message, if it is one."""

    text: str
    locale: str | None
    message_id: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """An answered question on its way to be kept."""

    conversation_id: str
    question: Question
    kept_text: str
    band: str
    articles: tuple[tuple[str, float], ...]
    kb_seq: int


def question_of(look: Look, payload: AskSuggestion) -> Question:
    """What to look for: the agent's words, or the customer's latest run of messages."""
    conversation = read_conversation(look.connection, look.actor, payload.conversation_id)
    if payload.text is not None:
        text = clean(payload.text, limit=MAX_ASKED, name="text", empty=True)
        return Question(text, conversation.locale, None)
    run = _latest_run(look.connection, conversation.id)
    if not run:
        return Question("", conversation.locale, None)
    # Its newest message first: what the engine looks at is bounded.
    return Question("\n".join(body for _, body in run), conversation.locale, run[0][0])


def with_values(look: Look, conversation_id: str, items: list[Json]) -> list[Json]:
    """The offered items, canned replies among them filled with what is known of the customer."""
    conversation = read_conversation(look.connection, look.actor, conversation_id)
    replies = [item for item in items if item["kind"] == "reply"]
    bodies = filled_bodies(
        look,
        conversation.customer_id,
        [reply["body"] for reply in replies],
        locale=conversation.locale or "en",
    )
    for reply, body in zip(replies, bodies, strict=True):
        reply["body"] = body
    return items


def keep_asked(tx: Tx, actor: Actor, asked: Asked) -> str:
    """The id under which an offer to an agent is kept.

    What was offered for a message stays one offer however often it is asked for; so does what is
    offered while an agent types.
    """
    conversation = access_conversation(tx, actor, asked.conversation_id)
    question = asked.question
    origin = "typing" if question.message_id is None else "message"
    before = knowledge.offer_for(
        tx.connection,
        conversation.id,
        agent_id=actor.id,
        origin=origin,
        message_id=question.message_id,
    )
    offer = Offer(
        id=tx.new_id(),
        origin=origin,
        query=asked.kept_text,
        band=asked.band,
        articles=asked.articles,
        kb_seq=asked.kb_seq,
        asked_at_ms=tx.at_ms,
        conversation_id=conversation.id,
        customer_id=conversation.customer_id,
        agent_id=actor.id,
        message_id=question.message_id,
        locale=question.locale,
    )
    if before is not None and before.outcome is None:
        if (before.query, before.articles) != (offer.query, offer.articles):
            knowledge.change_offer(tx, replace(offer, id=before.id))
        return before.id
    if before is not None and origin == "message":
        # It has had its outcome; asking again is looking at it again.
        return before.id
    knowledge.add_offer(tx, offer)
    if origin == "message" and offer.articles and offer.band != "none":
        tx.record(
            actor,
            SuggestionShown(
                suggestion_id=offer.id,
                message_id=question.message_id,
                articles=tuple(article for article, _ in offer.articles),
                band=offer.band,
            ),
            conversation=conversation,
        )
    return offer.id


def accept(tx: Tx, actor: Actor, payload: AcceptSuggestion) -> Json:
    """Counts the use of an offered article and learns the customer's words for it.

    A second accept of the same article changes nothing; another article takes its place.
    """
    offer = _offer(tx, actor, payload.suggestion_id)
    if offer.outcome == "accepted" and offer.chosen_id == payload.article_id:
        return {"suggestion_id": offer.id}
    found = articles.load_article(tx.connection, payload.article_id)
    if found is None:
        raise NotFound("There is no such article.")
    rank = next(
        (n for n, (article, _) in enumerate(offer.articles, 1) if article == found.id), None
    )
    _settle(tx, actor, offer, outcome="accepted", chosen_id=found.id, rank=rank)
    conversation = access_conversation(tx, actor, offer.conversation_id or "")
    tx.record(
        actor,
        SuggestionAccepted(suggestion_id=offer.id, article=found.id, rank=rank),
        conversation=conversation,
    )
    if offer.origin == "message" and found.kind == "article":
        learn(tx, actor, offer, found.id)
    return {"suggestion_id": offer.id}


def dismiss(tx: Tx, actor: Actor, payload: DismissSuggestion) -> Json:
    """Counts that nothing of an offer fitted, or that one article of it did not."""
    offer = _offer(tx, actor, payload.suggestion_id)
    if payload.article_id is not None and payload.article_id not in dict(offer.articles):
        raise InvalidInput("This article was not offered.", field="article_id")
    if offer.outcome == "dismissed" and offer.chosen_id == payload.article_id:
        return {"suggestion_id": offer.id}
    _settle(tx, actor, offer, outcome="dismissed", chosen_id=payload.article_id, rank=None)
    conversation = access_conversation(tx, actor, offer.conversation_id or "")
    tx.record(
        actor,
        SuggestionDismissed(suggestion_id=offer.id, article=payload.article_id),
        conversation=conversation,
    )
    return {"suggestion_id": offer.id}


def _latest_run(connection: Connection, conversation_id: str) -> list[tuple[str, str]]:
    """The customer's latest messages up to what was before them, newest first: (id, body)."""
    run: list[tuple[str, str]] = []
    for message in messages.latest_public(connection, conversation_id, most=LOOKED_BACK):
        if message.sender_kind == "customer":
            run.append((message.id, message.body))
        elif run:
            break
    return run[:RUN]


def _offer(tx: Tx, actor: Actor, suggestion_id: str) -> Offer:
    """An offer in a conversation that the actor may see. Raises NotFound."""
    offer = knowledge.load_offer(tx.connection, suggestion_id)
    if offer is None or offer.conversation_id is None:
        raise NotFound("There is no such suggestion.")
    access_conversation(tx, actor, offer.conversation_id)
    return offer


def _settle(
    tx: Tx, actor: Actor, offer: Offer, *, outcome: str, chosen_id: str | None, rank: int | None
) -> None:
    knowledge.change_offer(
        tx,
        replace(
            offer,
            outcome=outcome,
            chosen_id=chosen_id,
            chosen_rank=rank,
            outcome_by=actor.id,
            outcome_at_ms=tx.at_ms,
        ),
    )


def way_to_ask(query: str) -> str | None:
    """The sentence of a question that says most, as it was written; None where none asks anything.

    >>> way_to_ask("Hello! Can I send the lamp back? Thank you")
    'Can I send the lamp back?'
    >>> way_to_ask("？？？？"), way_to_ask("在吗在吗")
    (None, None)
    """
    sentences = [found.strip() for found in _SENTENCE.findall(query)]
    asking = [sentence for sentence in sentences if says_something(sentence)]
    best = max(asking, key=lambda sentence: len(tokens(cleaned(sentence))), default="")
    return best if LEARNT_CHARS[0] <= len(best) <= LEARNT_CHARS[1] else None


def learn(tx: Tx, actor: Actor, offer: Offer, article_id: str) -> None:
    """The customer's words become a phrasing of the article, active once two people agree.

    One of the two must be of the shop: shoppers alone teach nothing.
    """
    clicked = actor.kind == "customer"
    words = way_to_ask(offer.query)
    if words is None:
        return
    texts = articles.texts_of(tx.connection, [article_id])
    said = {locale for _, locale in texts}
    spoken = "zh" if has_han(words) else (offer.locale or "en")
    locale = next((one for one in sorted(said) if language(one) == language(spoken)), None)
    if locale is None:
        return
    known = articles.phrasings_of(tx.connection, [article_id]).get((article_id, locale), [])
    alike = next((p for p in known if likeness(p.text, words) >= ALIKE), None)
    if alike is None:
        articles.add_phrasing(
            tx,
            Phrasing(
                article_id=article_id,
                locale=locale,
                text=words,
                source="customer_click" if clicked else "agent_used",
                state="pending",
                id=tx.new_id(),
                uses=1,
                added_by=None if clicked else actor.id,
                conversation_id=offer.conversation_id,
                customer_id=offer.customer_id,
            ),
        )
        return
    agreed = (
        alike.state == "pending"
        and alike.added_by != actor.id
        and not (clicked and alike.added_by is None)
    )
    active = sum(1 for p in known if p.state == "active")
    activate = agreed and active < MOST_PHRASINGS
    articles.use_phrasing(tx, alike.id, state="active" if activate else alike.state)
    if activate:
        articles.tell_changed(tx, [article_id])
