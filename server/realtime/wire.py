"""The command table and its one handler: parse, run, answer; errors in one shape."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal  # Any: JSON values

import structlog

from server.actions import (
    answers,
    consents,
    conversations,
    customers,
    desk,
    identity,
    mailed_proofs,
    messages,
    presence,
    ratings,
    replies,
    requests,
    suggestions,
    ticket_lists,
    tickets,
    visitor_orders,
    visitors,
    visits,
)
from server.actions.payload import ConversationRef, Id, NoPayload, Payload, parse
from server.dispatch import Action, Query
from server.domain.actors import Actor
from server.domain.errors import AppError, NotFound
from server.knowledge.answering import find_answers
from server.knowledge.asking import SearchArticles, search_articles, suggest_answers
from server.knowledge.keeper import Knowledge
from server.knowledge.replying import find_replies
from server.knowledge.similar import FindSimilar, find_similar
from server.storage.database import Database

log = structlog.stdlib.get_logger("shopbell.realtime")

Answer = dict[str, Any]  # Any: JSON values
Limit = Literal["message", "signal", "visit", "search", "other"]
Search = Callable[[Knowledge, Database, Actor, Any], Awaitable[Answer]]  # Any: of the row's payload


class SetTyping(Payload):
    """Whether the sender is writing just now."""

    conversation_id: Id
    typing: bool


class SetViewing(Payload):
    """Whether the agent has the conversation in front of them."""

    conversation_id: Id
    viewing: bool


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table.

    It has one of ``action`` (writes), ``query`` (reads), ``signal`` (tells) and ``search`` (asks
    the articles in memory). ``answer`` says what an action's answer is completed with: the
    conversation's summary, the customer's card, the ticket, or the agent.
    """

    name: str
    payload: type[Payload]
    action: Action[Any] | None = None  # Any: of the row's payload
    query: Query[Any] | None = None  # Any: of the row's payload
    signal: str | None = None
    search: Search | None = None
    limit: Limit = "other"
    answer: Literal["conversation", "customer", "me", "ticket"] | None = None
    # What of the action's own answer is told beside the customer.
    told: tuple[str, ...] = ()


VISITOR_COMMANDS = (
    Command("message.post", messages.PostMessage, action=messages.post_message, limit="message"),
    Command("message.mark_read", messages.MarkRead, action=messages.mark_read),
    Command("conversation.catch_up", desk.CatchUp, query=desk.catch_up),
    Command("conversation.end", ConversationRef, action=conversations.resolve),
    Command("rating.give", ratings.GiveRating, action=ratings.give_rating),
    Command("customer.describe", visitors.Describe, action=visitors.describe),
    Command("consent.set", consents.SetConsent, action=consents.set_consent),
    Command("page.view", visits.ViewPage, action=visits.view_page, limit="visit"),
    Command("page.search", visits.SearchPage, action=visits.search_page, limit="visit"),
    Command("cart.update", visits.UpdateCart, action=visits.update_cart, limit="visit"),
    Command("checkout.start", visits.StartCheckout, action=visits.start_checkout, limit="visit"),
    Command("answer.find", answers.FindAnswer, search=find_answers, limit="search"),
    Command("answer.judge", answers.JudgeAnswer, action=answers.judge),
    Command("request.submit", tickets.SubmitRequest, action=tickets.submit, limit="message"),
    Command("request.form", NoPayload, query=requests.request_form),
    Command("request.orders", NoPayload, query=visitor_orders.list_orders),
    Command(
        "request.ask_back", visitor_orders.AskBack, action=visitor_orders.ask_back, limit="message"
    ),
    Command("request.list", requests.ListRequests, query=requests.list_requests),
    Command("request.open", requests.OpenRequest, action=requests.open_request),
    Command("request.reply", requests.ReplyRequest, action=requests.reply_request, limit="message"),
    Command("request.confirm", requests.ConfirmRequest, action=requests.confirm_request),
    Command("request.rate", requests.RateRequest, action=requests.rate_request),
    Command("typing.set", SetTyping, signal="typing", limit="signal"),
)

AGENT_COMMANDS = (
    Command("desk.load", NoPayload, query=desk.load_desk),
    Command("conversation.list", desk.SearchConversations, query=desk.search_conversations),
    Command("conversation.open", ConversationRef, query=desk.open_conversation),
    Command("conversation.catch_up", desk.CatchUp, query=desk.catch_up),
    Command("customer.card", desk.ReadCard, query=desk.read_card),
    Command("message.post", messages.PostMessage, action=messages.post_message, limit="message"),
    Command("message.mark_read", messages.MarkRead, action=messages.mark_read),
    Command("draft.set", messages.SetDraft, action=messages.set_draft),
    Command(
        "conversation.claim", ConversationRef, action=conversations.claim, answer="conversation"
    ),
    Command(
        "conversation.transfer",
        conversations.Transfer,
        action=conversations.transfer,
        answer="conversation",
    ),
    Command(
        "conversation.resolve",
        ConversationRef,
        action=conversations.resolve,
        answer="conversation",
    ),
    Command(
        "conversation.reopen", ConversationRef, action=conversations.reopen, answer="conversation"
    ),
    Command(
        "conversation.snooze",
        conversations.Snooze,
        action=conversations.snooze,
        answer="conversation",
    ),
    Command("conversation.tag", conversations.Tag, action=conversations.tag, answer="conversation"),
    Command(
        "conversation.spam",
        ConversationRef,
        action=conversations.mark_spam,
        answer="conversation",
    ),
    Command(
        "turn.dismiss",
        conversations.Dismiss,
        action=conversations.dismiss_turn,
        answer="conversation",
    ),
    Command("focus.record", conversations.Focus, action=conversations.record_focus),
    Command("presence.set", presence.SetPresence, action=presence.set_presence, answer="me"),
    Command(
        "customer.update",
        visitors.UpdateCustomer,
        action=visitors.update_customer,
        answer="customer",
    ),
    Command("contact.reveal", identity.Reveal, action=identity.reveal),
    Command(
        "customer.verify",
        identity.Verify,
        action=identity.verify,
        answer="customer",
        told=("verified",),
    ),
    Command("customer.send_code", mailed_proofs.SendCode, action=mailed_proofs.send_code),
    Command(
        "customer.confirm_code",
        mailed_proofs.ConfirmCode,
        action=mailed_proofs.confirm_code,
        answer="customer",
        told=("verified",),
    ),
    Command("customer.merge", identity.Merge, action=identity.merge, answer="customer"),
    Command("customer.unmerge", identity.Unmerge, action=identity.unmerge, answer="customer"),
    Command("customer.keep_apart", identity.Merge, action=identity.keep_apart, answer="customer"),
    Command("answer.tried", answers.FindTried, query=answers.tried),
    Command("article.search", SearchArticles, search=search_articles),
    Command("conversation.similar", FindSimilar, search=find_similar),
    Command("reply.find", replies.FindReply, search=find_replies),
    Command("suggestion.ask", suggestions.AskSuggestion, search=suggest_answers),
    Command("suggestion.accept", suggestions.AcceptSuggestion, action=suggestions.accept),
    Command("suggestion.dismiss", suggestions.DismissSuggestion, action=suggestions.dismiss),
    Command(
        "customer.consent",
        consents.RecordConsent,
        action=consents.record_consent,
        answer="customer",
    ),
    Command("typing.set", SetTyping, signal="typing", limit="signal"),
    Command("viewing.set", SetViewing, signal="viewing", limit="signal"),
    Command("customer.note", customers.WriteNote, action=customers.write_note, answer="customer"),
    Command("customer.tag", customers.TagCustomer, action=customers.tag, answer="customer"),
    Command("customer.prefer", customers.Prefer, action=customers.prefer, answer="customer"),
    Command(
        "customer.block", customers.BlockCustomer, action=customers.set_block, answer="customer"
    ),
    Command(
        "conversation.start",
        customers.StartConversation,
        action=customers.start_conversation,
        limit="message",
        answer="conversation",
    ),
    Command("ticket.create", tickets.CreateTicket, action=tickets.create, limit="message"),
    Command("ticket.list", ticket_lists.ListTickets, query=ticket_lists.list_tickets),
    Command("ticket.types", NoPayload, query=ticket_lists.list_types),
    Command("ticket.open", ticket_lists.FindTicket, query=ticket_lists.open_ticket),
    Command("ticket.change", tickets.ChangeTicket, action=tickets.change, answer="ticket"),
    Command(
        "ticket.reply", tickets.ReplyTicket, action=tickets.reply, limit="message", answer="ticket"
    ),
)

COMMANDS: dict[str, dict[str, Command]] = {
    "/visitor": {command.name: command for command in VISITOR_COMMANDS},
    "/agent": {command.name: command for command in AGENT_COMMANDS},
}

Runner = Callable[[Command, Payload], Awaitable[Answer]]


def find(namespace: str, name: object) -> Command:
    """The row of a command. Raises NotFound."""
    command = COMMANDS[namespace].get(name) if isinstance(name, str) else None
    if command is None:
        raise NotFound("There is no such command.", command=str(name)[:64])
    return command


async def answer(
    namespace: str,
    name: object,
    arguments: tuple[Any, ...],
    run: Runner,  # Any: JSON values
) -> Answer:
    """The acknowledgement of a command, whatever happens: ``ok`` with the answer, or the error."""
    try:
        command = find(namespace, name)
        payload = parse(command.payload, arguments[0] if arguments else {})
        return {"ok": True, **await run(command, payload)}
    except AppError as error:
        return refusal(error)
    except Exception:
        incident = secrets.token_hex(6)
        log.exception("a command failed", incident=incident, command=str(name)[:64])
        return {"ok": False, "error": internal(incident)}


def refusal(error: AppError) -> Answer:
    """The acknowledgement of a command that was refused."""
    return {"ok": False, "error": error.shape()}


def internal(incident: str) -> Answer:
    """The error object of a bug: an id to find it in the log, and nothing of the inside."""
    return {
        "code": "internal",
        "message": "Something went wrong on our side. Try again; if it stays, name the incident.",
        "details": {"incident": incident},
    }
