"""What becomes of a mail that came: a message in its thread, a new ticket, or a reason why not.

A token of ours proves the thread and for whom it was made. Who writes from another address is shown
to agents as somebody else, sees nothing and reopens nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any  # Any: JSON blocks

from agent_ui.render import Locale, language, sentence
from server.actions import files, messages, tickets
from server.actions.contacts import email_key
from server.actions.messages import PostMessage
from server.actions.send_mail import Sender, acknowledge
from server.actions.tickets import SubmitRequest
from server.actions.visitors import writer_of
from server.domain.actors import SYSTEM, customer
from server.domain.conversation import Conversation
from server.domain.errors import InvalidInput, NotAllowed, NotFound
from server.domain.letter import Letter
from server.domain.mail import (
    MOST_REOPENED_PER_HOUR,
    distrusted,
    subject_without_marks,
    thread_of,
    tokens_in,
)
from server.domain.spans import HOUR_MS
from server.domain.text import MAX_BODY_CHARS, language_of
from server.storage import customers, mails
from server.storage.customers import Customer
from server.storage.files import File
from server.storage.unit import Tx


@dataclass(frozen=True, slots=True)
class Desk:
    """Whose mailbox this is: own addresses, the mark against loops, and whose word counts.

    ``judge`` is the name under which our own mail server writes Authentication-Results; without it
    no such line is believed. Without a ``sender`` nothing is answered by mail.
    """

    address: str
    loop_id: str
    secret: bytes
    judge: str | None = None
    sender: Sender | None = None


@dataclass(frozen=True, slots=True)
class Came:
    """A mail in hand: its row, what it says, its sender's address in the one form, its files."""

    id: str
    letter: Letter
    sender: str | None
    files: tuple[str, ...] = ()


def take_mail(tx: Tx, desk: Desk, mail_id: str, letter: Letter, kept: tuple[str, ...] = ()) -> str:
    """What became of it in a word; the row of the mail says so too. Doing it again changes nothing.

    ``kept`` are the ids of its files, which were taken in before.
    A word is thread, ticket, other_sender, bounce, or why nothing was made of it.
    """
    if not mails.still_new(tx, mail_id):
        return "settled"
    came = Came(mail_id, letter, email_key(letter.sender.email) if letter.sender else None, kept)
    reason = _left_out(tx, desk, came)
    if reason is not None:
        aside = reason in ("list", "no_sender", "empty")
        _settle(tx, came, "aside" if aside else "ignored", reason)
        return reason
    if letter.kind == "bounce":
        return _bounced(tx, came)
    found = _thread(tx, desk, came)
    if letter.kind == "auto":
        # Shown in the log of mails; it neither answers nor reopens anything.
        _settle(tx, came, "ignored", "auto", conversation_id=found[0].id if found else None)
        return "auto"
    try:
        if found is None:
            return _new_ticket(tx, desk, came)
        thread, same = found
        if same and not (thread.status != "open" and _reopened_often(tx, thread.id)):
            return _from_shopper(tx, came, thread)
        return _from_another(tx, desk, came, thread)
    except (NotAllowed, NotFound, InvalidInput) as error:
        # Raised before anything was written: who is blocked, what is too strange.
        _settle(tx, came, "aside", str(error.details.get("reason") or error.code))
        return "refused"


def _left_out(tx: Tx, desk: Desk, came: Came) -> str | None:
    """Why nothing is made of a mail, None when something is."""
    letter = came.letter
    if desk.loop_id in letter.loops or came.sender == desk.address:
        return "our_own"
    if letter.message_id and mails.known_rfc_id(tx.connection, letter.message_id, but=came.id):
        return "known"
    if letter.kind in ("bounce", "auto"):
        return None
    if came.sender is None:
        return "no_sender"
    if letter.kind == "list":
        return "list"
    if not letter.words and not letter.subject and not letter.files:
        return "empty"
    return None


def _thread(tx: Tx, desk: Desk, came: Came) -> tuple[Conversation, bool] | None:
    """The thread that a token of ours names, and whether its sender is whom it was made for."""
    letter = came.letter
    places = [one.email for one in (*letter.to, *letter.copied)]
    told = [*places, *letter.delivered_to, *letter.references]
    for token in dict.fromkeys(token for text in told for token in tokens_in(text)):
        known = mails.recipients_of(tx.connection, token.partition(".")[0])
        proved = thread_of(desk.secret, token, known)
        conversation = tx.conversation(proved[0]) if proved else None
        if proved is not None and conversation is not None:
            same = proved[1] == came.sender and not _distrusted(came, desk)
            return conversation, same
    return None


def _from_shopper(tx: Tx, came: Came, thread: Conversation) -> str:
    owner = customers.load_customer(tx.connection, thread.customer_id)
    answer = messages.post_message(
        tx,
        customer(thread.customer_id, name=owner.name if owner else None),
        PostMessage(
            client_id=came.id,
            body=_words(came.letter, thread.locale),
            conversation_id=thread.id,
        ),
        enclosed=files.from_mail(tx, came.id, came.files),
        cards=_card(came),
    )
    thread_id = str(answer["conversation_id"])
    _say_where_the_rest_is(tx, came, thread_id)
    _keep_sheet(tx, came, thread_id)
    _settle(tx, came, "taken", "thread", conversation_id=thread_id)
    return "thread"


def _from_another(tx: Tx, desk: Desk, came: Came, thread: Conversation) -> str:
    """Agents read it beside the thread; it answers nothing and its sender is sent nothing."""
    why = "forged" if _distrusted(came, desk) else "other_sender"
    other = sentence(language(thread.locale), f"written.{why}", sender=came.sender)
    words = f"{other}\n\n{_words(came.letter, thread.locale)}"
    enclosed = files.from_mail(tx, came.id, came.files)
    _tell_agents(tx, came, thread, words, enclosed=enclosed, cards=_card(came))
    _say_where_the_rest_is(tx, came, thread.id)
    _keep_sheet(tx, came, thread.id, public=False)
    _settle(tx, came, "taken", "other_sender", conversation_id=thread.id)
    return "other_sender"


def _tell_agents(
    tx: Tx,
    came: Came,
    thread: Conversation,
    body: str,
    *,
    enclosed: Sequence[File] = (),
    cards: Sequence[dict[str, Any]] = (),  # Any: JSON blocks
    note: str = "",
) -> None:
    """Puts a note into a thread; ``note`` tells it from others about the same mail there."""
    messages.put(
        tx,
        SYSTEM,
        thread,
        client_id=f"{came.id}-{thread.id}{note}",
        body=body[:MAX_BODY_CHARS],
        visibility="private",
        origin="system",
        blocks=list(cards),
        files=enclosed,
    )


def _say_where_the_rest_is(tx: Tx, came: Came, conversation_id: str) -> None:
    """Tells agents of a mail that was not taken whole who can read all of it."""
    left_out = came.letter.left_out
    thread = tx.conversation(conversation_id) if left_out else None
    if thread is not None:
        told = sentence(language(thread.locale), "written.mail_rest", n=left_out)
        _tell_agents(tx, came, thread, told, note="-rest")


def _say_who_may_be_forged(tx: Tx, desk: Desk, came: Came, conversation_id: str) -> None:
    """Warns agents of a mail that stands there under a customer's name and may not be theirs."""
    thread = tx.conversation(conversation_id) if _distrusted(came, desk) else None
    if thread is not None:
        told = sentence(language(thread.locale), "written.forged", sender=came.sender)
        _tell_agents(tx, came, thread, told, note="-forged")


def _distrusted(came: Came, desk: Desk) -> bool:
    return distrusted(came.letter.judged, desk.judge)


def _new_ticket(tx: Tx, desk: Desk, came: Came) -> str:
    assert came.sender is not None  # left out before
    letter = came.letter
    subject = subject_without_marks(letter.subject)
    spoken = language_of(f"{subject}\n{letter.words}")
    owner = _writer(tx, came, came.sender, spoken=spoken)
    if not subject and not letter.words and letter.files:
        subject = letter.files[0].name
    ticket = tickets.take_request(
        tx,
        customer(owner.id, name=owner.name),
        SubmitRequest(
            body=_words(letter, owner.locale),
            subject=subject[: tickets.MAX_SUBJECT_CHARS] or None,
            client_id=came.id,
        ),
        source="mail",
        enclosed=files.from_mail(tx, came.id, came.files),
        cards=_card(came),
    )
    _say_who_may_be_forged(tx, desk, came, ticket.id)
    _say_where_the_rest_is(tx, came, ticket.id)
    _keep_sheet(tx, came, ticket.id)
    _settle(tx, came, "taken", "ticket", conversation_id=ticket.id)
    if desk.sender is not None:
        acknowledge(
            tx,
            desk.sender,
            recipient=came.sender,
            conversation_id=ticket.id,
            number=ticket.number,
            spoken=spoken,
            answers=letter.message_id,
        )
    return "ticket"


def _writer(tx: Tx, came: Came, sender: str, *, spoken: Locale | None) -> Customer:
    """The customer whom mails from this address belong to; their address is claimed, no more."""
    known = mails.writer(tx.connection, sender)
    found = customers.load_customer(tx.connection, known) if known else None
    if found is not None:
        return found
    name = came.letter.sender.name[:100] if came.letter.sender else ""
    return writer_of(tx, sender, name=name or None, locale=spoken)


def _bounced(tx: Tx, came: Came) -> str:
    """A mail of ours did not arrive: agents learn of it where they wrote it."""
    letter = came.letter
    sent = mails.by_rfc_ids(tx.connection, [*letter.references, *letter.mentioned])
    thread_id = None
    for one in sent:
        mails.note_failed(tx, one.id, reason=mails.BOUNCED, due_at_ms=None)
        thread = tx.conversation(one.conversation_id) if one.conversation_id else None
        if thread is not None:
            thread_id = thread.id
            told = sentence(language(thread.locale), "written.bounced")
            _tell_agents(tx, came, thread, told)
    _settle(tx, came, "taken" if sent else "ignored", "bounce", conversation_id=thread_id)
    return "bounce"


def _card(came: Came) -> list[dict[str, Any]]:  # Any: JSON blocks
    """What says in the message that the mail can be looked at as it was sent."""
    sheet = came.letter.sheet
    if sheet is None:
        return []
    return [{"type": "mail", "id": came.id, "remote": sheet.remote, "lines": sheet.lines}]


def _keep_sheet(tx: Tx, came: Came, conversation_id: str, *, public: bool = True) -> None:
    sheet = came.letter.sheet
    if sheet is not None:
        mails.keep_sheet(
            tx, came.id, conversation_id=conversation_id, public=public, html=sheet.html
        )


def _reopened_often(tx: Tx, conversation_id: str) -> bool:
    since_ms = tx.at_ms - HOUR_MS
    return mails.taken_since(tx.connection, conversation_id, since_ms) >= MOST_REOPENED_PER_HOUR


def _words(letter: Letter, locale: str | None) -> str:
    words = letter.words or subject_without_marks(letter.subject) or "…"
    spoken, said = language(locale), []
    if letter.left_out:
        said.append(sentence(spoken, "written.mail_parts", n=letter.left_out))
    if len("\n\n".join([words, *said])) > MAX_BODY_CHARS:
        # The mail itself can still be read.
        said.insert(0, sentence(spoken, "written.mail_cut"))
    below = "".join(f"\n\n{one}" for one in said)
    return f"{words[: MAX_BODY_CHARS - len(below)]}{below}"


def _settle(
    tx: Tx,
    came: Came,
    state: mails.InState,
    reason: str,
    *,
    conversation_id: str | None = None,
) -> None:
    mails.settle(
        tx,
        came.id,
        state=state,
        reason=reason,
        sender=came.sender,
        subject=came.letter.subject or None,
        rfc_id=came.letter.message_id,
        conversation_id=conversation_id,
    )
