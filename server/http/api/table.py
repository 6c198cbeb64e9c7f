"""The table of the API: each call is one row.

To add one: the action or query with its payload class, a row here, its words in
``agent_ui/locales/*/api.json``, and its heading in ``docs/api.md``. Tests name what is missing.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal  # Any: JSON values

from pydantic import Field

from server.actions import articles as article_actions
from server.actions import (
    consents,
    conversations,
    lists,
    open_loops,
    orders,
    posted_rows,
    presence,
    privacy,
    rule_calls,
    saved_segments,
    ticket_jobs,
    ticket_lists,
    ticket_merge,
    ticket_parts,
    tickets,
    tokens,
    visitors,
    webhooks,
)
from server.actions import customers as customer_actions
from server.actions import messages as message_actions
from server.actions import rules as rule_actions
from server.actions.payload import ConversationRef, Id, NoPayload, Payload
from server.domain.actors import Actor
from server.domain.errors import NotAllowed
from server.domain.scopes import Scope, Scopes, covers
from server.domain.text import MAX_BODY_CHARS
from server.http.api import completing
from server.http.api.page_shapes import (
    AgentPage,
    ArticlePage,
    ConversationPage,
    CustomerPage,
    DeliveryPage,
    EventPage,
    MemberPage,
    MessagePage,
    OrderPage,
    RulePage,
    RunPage,
    SegmentPage,
    TeamPage,
    TokenPage,
    TurnPage,
    WebhookPage,
)
from server.http.api.reports import ReadReport, read_report
from server.http.api.rows import Json, Method, Row
from server.knowledge.asking import SearchArticles, search_articles
from server.storage.rule_shapes import Rule, RuleTrial
from server.storage.shapes import (
    Agent,
    Article,
    Block,
    Conversation,
    CustomerCard,
    Erasure,
    FoundArticles,
    Imported,
    MessageOfConversation,
    NewToken,
    NewWebhook,
    Order,
    ReportRow,
    Shop,
    Webhook,
    WebhookDelivery,
)
from server.storage.ticket_shapes import OpenLoops, TicketList, TicketWhole
from server.storage.unit import Tx

# Ids as they look, for the examples of the docs.
CONVERSATION = "0193a6c7e4f27d0c9b1f3c5a7e9d2b40"
CUSTOMER = "0193a6c7e4ee7b31a8d04f6c2e915a73"
ORDER = "0193a6c7e5107c2f8b3d6a1f4e8c0b97"
AGENT = "01939f0c51d27c2e8f7b6a5948372615"
ARTICLE = "0193a1f04c2e7d35b7a19c08e6f45d21"
TEAM = "01939f0c4b017a6f9c3e2d1f0b8a7695"
TICKET = "0193a6c7f2aa7c4e8d2a6f5b3e9c1e44"
SEGMENT = "0193a6c7f01b7c4e8d2a6f5b3e9c1e11"
WEBHOOK = "0193a6c7f01b7c4e8d2a6f5b3e9c1d70"
DELIVERY = f"{WEBHOOK}_e4711"
RULE = "0193a6c7f01b7c4e8d2a6f5b3e9c1f52"
RULE_PLAN = {
    "name": "Large refunds",
    "on": {"events": ["ticket_created"]},
    "when": {
        "join": "all",
        "groups": [
            {
                "join": "all",
                "clauses": [
                    {"field": "ticket.field.refund.amount", "op": "min", "values": [50000]}
                ],
            }
        ],
    },
    "then": [{"do": "set_priority", "priority": "high"}],
}


class NewMessage(Payload):
    """A message of the token's person. Without ``client_id`` the idempotency key takes its part."""

    conversation_id: Id
    body: Annotated[str, Field(max_length=MAX_BODY_CHARS)] = ""
    visibility: Literal["public", "private"] = "public"
    blocks: Annotated[list[Block], Field(max_length=message_actions.MAX_BLOCKS)] | None = None
    files: list[Id] | None = None
    client_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None


def post_message(tx: Tx, actor: Actor, payload: NewMessage) -> Json:
    """Writes a message as the sockets do."""
    blocks = payload.blocks
    return message_actions.post_message(
        tx,
        actor,
        message_actions.PostMessage(
            client_id=payload.client_id or tx.new_id(),
            body=payload.body,
            conversation_id=payload.conversation_id,
            visibility=payload.visibility,
            blocks=None if blocks is None else [b.model_dump(exclude_none=True) for b in blocks],
            files=payload.files,
        ),
    )


def _of_rule(
    verb: str,
    method: Method,
    path: str,
    payload: type[Payload],
    answer: Any,  # Any: as in Row
    **more: Any,  # Any: fields of Row
) -> Row:
    """A row about rules."""
    return Row(
        name=f"rules.{verb}",
        method=method,
        path=path,
        payload=payload,
        answer=answer,
        scope="rules:write" if "action" in more else "rules:read",
        permission=rule_actions.MANAGE,
        **more,
    )


def _of_webhook(
    verb: str,
    method: Method,
    path: str,
    payload: type[Payload],
    answer: Any,  # Any: as in Row
    **more: Any,  # Any: fields of Row
) -> Row:
    """A row about receivers of webhooks; ``path`` is below theirs."""
    return Row(
        name=f"webhooks.{verb}",
        method=method,
        path=f"/webhooks{path}",
        payload=payload,
        answer=answer,
        scope="admin",
        permission=webhooks.PERMISSION,
        **more,
    )


def _no_stronger(scopes: Scopes, payload: tokens.CreateToken) -> None:
    """Returns nothing. Raises NotAllowed for a token that would reach further than this one."""
    if not covers(scopes, payload.scopes):
        raise NotAllowed("A token makes none that may do more than itself.", needs="more scopes")


def _of_conversation(verb: str, payload: type[Payload], action: Any, **example: object) -> Row:
    """A row for something that is done to a conversation as a whole."""
    return Row(
        name=f"conversations.{verb}",
        method="POST",
        path=f"/conversations/{{conversation_id}}/{verb}",
        payload=payload,
        answer=Conversation,
        scope="conversations:write",
        permission="conversation.write",
        action=action,
        complete=completing.conversation,
        example={"conversation_id": CONVERSATION, **example},
    )


def _of_ticket(
    verb: str,
    method: Method,
    path: str,
    payload: type[Payload],
    action: Any,  # Any: as in Row
    *,
    key_as: str | None = None,
    **example: object,
) -> Row:
    """A row for something that is done to a ticket."""
    return Row(
        name=f"tickets.{verb}",
        method=method,
        path=f"/tickets/{{ticket_id}}{path}",
        payload=payload,
        answer=TicketWhole,
        scope="tickets:write",
        permission="ticket.write",
        action=action,
        complete=ticket_lists.one_ticket,
        key_as=key_as,
        example={"ticket_id": TICKET, **example},
    )


def _of_import(noun: str, action: Any, scope: Scope, **more: Any) -> Row:  # Any: as in Row
    """A row that brings in rows of shop data as NDJSON."""
    return Row(
        name=f"import.{noun}",
        method="POST",
        path=f"/import/{noun}",
        payload=posted_rows.ImportRows,
        answer=Imported,
        scope=scope,
        permission="shop_data.import",
        action=action,
        in_portions=True,
        example={"source": "shop"},
        **more,
    )


ROWS: tuple[Row, ...] = (
    Row(
        name="conversations.list",
        method="GET",
        path="/conversations",
        payload=lists.ListConversations,
        answer=ConversationPage,
        scope="conversations:read",
        permission="conversation.read",
        query=lists.list_conversations,
        settled=True,
        example={"status": "open", "limit": 20},
    ),
    Row(
        name="conversations.get",
        method="GET",
        path="/conversations/{conversation_id}",
        payload=ConversationRef,
        answer=Conversation,
        scope="conversations:read",
        permission="conversation.read",
        query=lists.get_conversation,
        example={"conversation_id": CONVERSATION},
    ),
    Row(
        name="conversations.turns",
        method="GET",
        path="/conversations/{conversation_id}/turns",
        payload=ConversationRef,
        answer=TurnPage,
        scope="conversations:read",
        permission="conversation.read",
        query=lists.list_turns,
        example={"conversation_id": CONVERSATION},
    ),
    _of_conversation("claim", ConversationRef, conversations.claim),
    _of_conversation(
        "transfer",
        conversations.Transfer,
        conversations.transfer,
        team_id=TEAM,
        note="Asks about an invoice.",
    ),
    _of_conversation("resolve", ConversationRef, conversations.resolve),
    _of_conversation("reopen", ConversationRef, conversations.reopen),
    _of_conversation(
        "snooze", conversations.Snooze, conversations.snooze, until_ms=1_795_276_800_000
    ),
    _of_conversation("tag", conversations.Tag, conversations.tag, add=["invoice"]),
    _of_conversation("spam", ConversationRef, conversations.mark_spam),
    _of_conversation("dismiss", conversations.Dismiss, conversations.dismiss_turn),
    Row(
        name="messages.list",
        method="GET",
        path="/conversations/{conversation_id}/messages",
        payload=lists.ListMessages,
        answer=MessagePage,
        scope="conversations:read",
        permission="conversation.read",
        query=lists.list_messages,
        example={"conversation_id": CONVERSATION},
    ),
    Row(
        name="messages.post",
        method="POST",
        path="/conversations/{conversation_id}/messages",
        payload=NewMessage,
        answer=MessageOfConversation,
        scope="conversations:write",
        permission="conversation.write",
        action=post_message,
        complete=completing.message,
        status=201,
        key_as="client_id",
        example={"conversation_id": CONVERSATION, "body": "Your parcel left today."},
    ),
    Row(
        name="customers.list",
        method="GET",
        path="/customers",
        payload=lists.ListCustomers,
        answer=CustomerPage,
        scope="customers:read",
        permission="conversation.read",
        query=lists.list_customers,
        example={"email": "wang.min@example.com"},
    ),
    Row(
        name="customers.get",
        method="GET",
        path="/customers/{customer_id}",
        payload=lists.CustomerRef,
        answer=CustomerCard,
        scope="customers:read",
        permission="conversation.read",
        query=lists.get_customer,
        example={"customer_id": CUSTOMER},
    ),
    Row(
        name="customers.update",
        method="PATCH",
        path="/customers/{customer_id}",
        payload=visitors.UpdateCustomer,
        answer=CustomerCard,
        scope="customers:write",
        permission="conversation.write",
        action=visitors.update_customer,
        complete=completing.customer,
        example={"customer_id": CUSTOMER, "name": "Wang Min"},
    ),
    Row(
        name="orders.list",
        method="GET",
        path="/orders",
        payload=orders.ListOrders,
        answer=OrderPage,
        scope="orders:read",
        permission="customer.read",
        query=orders.list_orders,
        example={"number": "1001"},
    ),
    Row(
        name="orders.get",
        method="GET",
        path="/orders/{order_id}",
        payload=orders.OrderRef,
        answer=Order,
        scope="orders:read",
        permission="customer.read",
        query=orders.get_order,
        example={"order_id": ORDER},
    ),
    Row(
        name="orders.of_customer",
        method="GET",
        path="/customers/{customer_id}/orders",
        payload=orders.OrdersOfCustomer,
        answer=OrderPage,
        scope="orders:read",
        permission="customer.read",
        query=orders.list_orders_of,
        example={"customer_id": CUSTOMER},
    ),
    Row(
        name="tickets.list",
        method="GET",
        path="/tickets",
        payload=ticket_lists.ListTickets,
        answer=TicketList,
        scope="tickets:read",
        permission="ticket.read",
        query=ticket_lists.list_tickets,
        example={"lane": "us", "limit": 20},
    ),
    Row(
        name="tickets.open_loops",
        method="GET",
        path="/open-loops",
        payload=NoPayload,
        answer=OpenLoops,
        scope="tickets:read",
        permission="ticket.manage",
        query=open_loops.list_open_loops,
    ),
    Row(
        name="tickets.create",
        method="POST",
        path="/tickets",
        payload=tickets.CreateTicket,
        answer=TicketWhole,
        scope="tickets:write",
        permission="ticket.write",
        action=tickets.create,
        complete=ticket_lists.one_ticket,
        status=201,
        key_as="client_id",
        example={
            "type": "refund",
            "subject": "Paid twice",
            "customer_id": CUSTOMER,
            "fields": {"amount": "19.00", "reason": "other"},
        },
    ),
    Row(
        name="tickets.get",
        method="GET",
        path="/tickets/{ticket_id}",
        payload=ticket_lists.FindTicket,
        answer=TicketWhole,
        scope="tickets:read",
        permission="ticket.read",
        query=ticket_lists.get_ticket,
        example={"ticket_id": TICKET},
    ),
    _of_ticket("update", "PATCH", "", tickets.ChangeTicket, tickets.change, priority="high"),
    _of_ticket(
        "reply",
        "POST",
        "/replies",
        tickets.ReplyTicket,
        tickets.reply,
        key_as="client_id",
        client_id="5f0c2a9e",
        body="Your refund is on its way.",
        state="resolved",
    ),
    _of_ticket(
        "merge", "POST", "/merge", ticket_merge.MergeTicket, ticket_merge.merge, into=TICKET
    ),
    _of_ticket("unmerge", "POST", "/unmerge", ticket_merge.UnmergeTicket, ticket_merge.unmerge),
    _of_ticket(
        "split",
        "POST",
        "/split",
        ticket_merge.SplitTicket,
        ticket_merge.split,
        message_id="0193a6c7f2bb7c4e8d2a6f5b3e9c1e45",
        subject="The invoice",
    ),
    _of_ticket(
        "link",
        "POST",
        "/links",
        ticket_parts.LinkTicket,
        ticket_parts.link,
        kind="ticket",
        target=TICKET,
    ),
    _of_ticket(
        "add_task",
        "POST",
        "/tasks",
        ticket_parts.AddTask,
        ticket_parts.add_task,
        title="Look for the parcel",
        team_id=TEAM,
    ),
    _of_ticket(
        "change_task",
        "PATCH",
        "/tasks/{task_id}",
        ticket_parts.ChangeTask,
        ticket_parts.change_task,
        task_id="0193a6c7f2cc7c4e8d2a6f5b3e9c1e46",
        state="done",
    ),
    _of_ticket("watch", "PUT", "/watching", tickets.WatchTicket, tickets.watch, watching=True),
    _of_ticket(
        "hold_closing", "PUT", "/closing", ticket_jobs.HoldClosing, ticket_jobs.hold, held=True
    ),
    _of_import("orders", posted_rows.post_orders, "orders:write"),
    _of_import("customers", posted_rows.post_customers, "customers:write"),
    _of_import("carts", posted_rows.post_carts, "orders:write"),
    _of_import("events", posted_rows.post_events, "admin", arranged=posted_rows.ordered_events),
    Row(
        name="customers.note",
        method="PUT",
        path="/customers/{customer_id}/note",
        payload=customer_actions.WriteNote,
        answer=CustomerCard,
        scope="customers:write",
        permission="customer.write",
        action=customer_actions.write_note,
        complete=completing.customer,
        example={"customer_id": CUSTOMER, "body": "Rings at noon.", "version": 0},
    ),
    Row(
        name="customers.tag",
        method="POST",
        path="/customers/{customer_id}/tags",
        payload=customer_actions.TagCustomer,
        answer=CustomerCard,
        scope="customers:write",
        permission="customer.write",
        action=customer_actions.tag,
        complete=completing.customer,
        example={"customer_id": CUSTOMER, "add": ["vip"]},
    ),
    Row(
        name="customers.block",
        method="PUT",
        path="/customers/{customer_id}/block",
        payload=customer_actions.BlockCustomer,
        answer=CustomerCard,
        scope="customers:write",
        permission="customer.write",
        action=customer_actions.set_block,
        complete=completing.customer,
        example={"customer_id": CUSTOMER, "blocked": False},
    ),
    Row(
        name="customers.consent",
        method="POST",
        path="/customers/{customer_id}/consents",
        payload=consents.RecordConsent,
        answer=CustomerCard,
        scope="customers:write",
        permission="customer.write",
        action=consents.record_consent,
        complete=completing.customer,
        example={"customer_id": CUSTOMER, "purpose": "marketing_email", "given": False},
    ),
    Row(
        name="customers.erase",
        method="DELETE",
        path="/customers/{customer_id}",
        payload=privacy.OfPerson,
        answer=Erasure,
        scope="admin",
        permission="privacy.manage",
        action=privacy.erase,
        example={"customer_id": CUSTOMER},
    ),
    Row(
        name="conversations.start",
        method="POST",
        path="/customers/{customer_id}/conversations",
        payload=customer_actions.StartConversation,
        answer=Conversation,
        scope="conversations:write",
        permission="customer.write",
        action=customer_actions.start_conversation,
        complete=completing.conversation,
        status=201,
        key_as="client_id",
        example={
            "customer_id": CUSTOMER,
            "client_id": "warehouse-4711",
            "body": "Your parcel is late.",
        },
    ),
    Row(
        name="segments.list",
        method="GET",
        path="/segments",
        payload=NoPayload,
        answer=SegmentPage,
        scope="customers:read",
        permission="customer.read",
        query=saved_segments.list_segments,
    ),
    Row(
        name="segments.customers",
        method="GET",
        path="/segments/{segment_id}/customers",
        payload=saved_segments.ListMembers,
        answer=MemberPage,
        scope="customers:read",
        permission="customer.read",
        query=saved_segments.list_members,
        example={"segment_id": SEGMENT},
        limit_s=20.0,
    ),
    Row(
        name="agents.list",
        method="GET",
        path="/agents",
        payload=NoPayload,
        answer=AgentPage,
        scope="agents:read",
        permission="conversation.read",
        query=lists.list_agents,
    ),
    Row(
        name="agents.get",
        method="GET",
        path="/agents/{agent_id}",
        payload=lists.AgentRef,
        answer=Agent,
        scope="agents:read",
        permission="conversation.read",
        query=lists.get_agent,
        example={"agent_id": AGENT},
    ),
    Row(
        name="agents.me",
        method="GET",
        path="/me",
        payload=NoPayload,
        answer=Agent,
        scope="agents:read",
        permission="conversation.read",
        query=lists.get_me,
    ),
    Row(
        name="agents.presence",
        method="PUT",
        path="/me/presence",
        payload=presence.SetPresence,
        answer=Agent,
        scope="agents:write",
        permission="conversation.write",
        action=presence.set_presence,
        complete=completing.agent,
        example={"status": "online", "capacity": 6},
    ),
    Row(
        name="teams.list",
        method="GET",
        path="/teams",
        payload=NoPayload,
        answer=TeamPage,
        scope="agents:read",
        permission="conversation.read",
        query=lists.list_teams,
    ),
    Row(
        name="articles.list",
        method="GET",
        path="/articles",
        payload=lists.ListArticles,
        answer=ArticlePage,
        scope="articles:read",
        permission="conversation.read",
        query=lists.list_articles,
        example={"locale": "en"},
    ),
    Row(
        name="articles.get",
        method="GET",
        path="/articles/{article_id}",
        payload=lists.ArticleRef,
        answer=Article,
        scope="articles:read",
        permission="conversation.read",
        query=lists.get_article,
        example={"article_id": ARTICLE},
    ),
    Row(
        name="articles.create",
        method="POST",
        path="/articles",
        payload=article_actions.NewArticle,
        answer=Article,
        scope="articles:write",
        permission="article.write",
        action=article_actions.create_article,
        complete=completing.article,
        status=201,
        example={
            "category": "Returns",
            "texts": {"en": {"title": "How do I return an item?", "body": "Within 30 days."}},
        },
    ),
    Row(
        name="articles.update",
        method="PUT",
        path="/articles/{article_id}",
        payload=article_actions.ChangeArticle,
        answer=Article,
        scope="articles:write",
        permission="article.write",
        action=article_actions.change_article,
        complete=completing.article,
        example={
            "article_id": ARTICLE,
            "version": 1,
            "texts": {"en": {"title": "How do I return an item?", "body": "Within 14 days."}},
        },
    ),
    Row(
        name="suggestions.search",
        method="GET",
        path="/suggestions",
        payload=SearchArticles,
        answer=FoundArticles,
        scope="articles:read",
        permission="article.read",
        search=search_articles,
        example={"text": "can i send it back", "locale": "en"},
    ),
    Row(
        name="reports.read",
        method="GET",
        path="/reports/{metrics}",
        payload=ReadReport,
        answer=list[ReportRow],
        scope="reports:read",
        permission="report.own",
        query=read_report,
        settled=True,
        example={"metrics": "frt,r3m_turn", "from": "2026-11-01", "by": "agent"},
        limit_s=30.0,
    ),
    Row(
        name="events.list",
        method="GET",
        path="/events",
        payload=lists.ListEvents,
        answer=EventPage,
        scope="events:read",
        permission="event.read",
        query=lists.list_events,
        example={"kinds": "message.posted,rating.given"},
        settled=True,
    ),
    Row(
        name="shop.get",
        method="GET",
        path="/shop",
        payload=NoPayload,
        answer=Shop,
        scope="agents:read",
        permission="conversation.read",
        query=lists.get_shop,
    ),
    Row(
        name="tokens.list",
        method="GET",
        path="/tokens",
        payload=NoPayload,
        answer=TokenPage,
        scope="admin",
        permission="people.manage",
        query=tokens.list_tokens,
    ),
    Row(
        name="tokens.create",
        method="POST",
        path="/tokens",
        payload=tokens.CreateToken,
        answer=NewToken,
        scope="admin",
        permission="people.manage",
        action=tokens.create_token,
        check=_no_stronger,
        complete=completing.token,
        status=201,
        once=("token",),
        example={
            "name": "warehouse",
            "role": "agent",
            "scopes": ["conversations:read"],
            "days": 30,
        },
    ),
    Row(
        name="tokens.revoke",
        method="DELETE",
        path="/tokens/{token_id}",
        payload=tokens.TokenRef,
        answer=None,
        scope="admin",
        permission="people.manage",
        action=tokens.revoke_token,
        status=204,
        example={"token_id": "3f9a1c0d5e7b2846"},
    ),
    _of_rule("list", "GET", "/rules", NoPayload, RulePage, query=rule_calls.list_rules),
    _of_rule(
        "create",
        "POST",
        "/rules",
        rule_calls.CreateRule,
        Rule,
        action=rule_calls.create_rule,
        complete=completing.rule,
        status=201,
        example=RULE_PLAN | {"enabled": True},
    ),
    _of_rule(
        "try",
        "GET",
        "/rule-trials",
        rule_calls.TryRule,
        RuleTrial,
        query=rule_calls.try_rule,
        example={
            "plan": '{"name":"Mine","on":{"events":["rated"]},"then":[{"do":"note","text":"Look"}]}'
        },
    ),
    _of_rule(
        "get",
        "GET",
        "/rules/{rule_id}",
        rule_calls.RuleRef,
        Rule,
        query=rule_calls.get_rule,
        example={"rule_id": RULE},
    ),
    _of_rule(
        "update",
        "PUT",
        "/rules/{rule_id}",
        rule_calls.ChangeRule,
        Rule,
        action=rule_calls.change_rule,
        complete=completing.rule,
        example={"rule_id": RULE, "version": 1, **RULE_PLAN, "enabled": False},
    ),
    _of_rule(
        "delete",
        "DELETE",
        "/rules/{rule_id}",
        rule_calls.RuleRef,
        None,
        action=rule_calls.delete_rule,
        status=204,
        example={"rule_id": RULE},
    ),
    _of_rule(
        "runs",
        "GET",
        "/rules/{rule_id}/runs",
        rule_calls.ListRuns,
        RunPage,
        query=rule_calls.list_runs,
        example={"rule_id": RULE},
    ),
    _of_webhook("list", "GET", "", NoPayload, WebhookPage, query=webhooks.list_webhooks),
    _of_webhook(
        "create",
        "POST",
        "",
        webhooks.CreateWebhook,
        NewWebhook,
        action=webhooks.create_webhook,
        complete=completing.webhook,
        status=201,
        once=("secret",),
        example={
            "url": "https://hooks.example.com/shopbell",
            "name": "warehouse",
            "kinds": ["message.posted", "rating.given"],
        },
    ),
    _of_webhook(
        "get",
        "GET",
        "/{webhook_id}",
        webhooks.WebhookRef,
        Webhook,
        query=webhooks.get_webhook,
        example={"webhook_id": WEBHOOK},
    ),
    _of_webhook(
        "update",
        "PATCH",
        "/{webhook_id}",
        webhooks.ChangeWebhook,
        Webhook,
        action=webhooks.change_webhook,
        complete=completing.webhook,
        example={"webhook_id": WEBHOOK, "active": True},
    ),
    _of_webhook(
        "delete",
        "DELETE",
        "/{webhook_id}",
        webhooks.WebhookRef,
        None,
        action=webhooks.delete_webhook,
        status=204,
        example={"webhook_id": WEBHOOK},
    ),
    _of_webhook(
        "rotate",
        "POST",
        "/{webhook_id}/secret",
        webhooks.WebhookRef,
        NewWebhook,
        action=webhooks.rotate_secret,
        complete=completing.webhook,
        once=("secret",),
        example={"webhook_id": WEBHOOK},
    ),
    _of_webhook(
        "test",
        "POST",
        "/{webhook_id}/test",
        webhooks.WebhookRef,
        WebhookDelivery,
        action=webhooks.send_test,
        complete=completing.delivery,
        status=202,
        example={"webhook_id": WEBHOOK},
    ),
    _of_webhook(
        "deliveries",
        "GET",
        "/{webhook_id}/deliveries",
        webhooks.ListDeliveries,
        DeliveryPage,
        query=webhooks.list_deliveries,
        example={"webhook_id": WEBHOOK, "status": "failed"},
    ),
    _of_webhook(
        "redeliver",
        "POST",
        "/{webhook_id}/deliveries/{delivery_id}/redeliver",
        webhooks.DeliveryRef,
        WebhookDelivery,
        action=webhooks.send_again,
        complete=completing.delivery,
        status=202,
        example={"webhook_id": WEBHOOK, "delivery_id": DELIVERY},
    ),
)
