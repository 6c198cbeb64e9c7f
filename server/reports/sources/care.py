"""How answers and endings were made, as rows of metrics that show where a number was groomed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import orjson
from sqlalchemy import Connection, bindparam, select

from server.domain.metrics.care import GREETING_CHARS
from server.reports.frames import Frame
from server.reports.scope import Scope
from server.reports.sources.visits import (
    Logged,
    Visit,
    Visits,
    framed,
    is_reply,
    load_events_of,
)
from server.storage.rows import EVENT

_PORTION = 5_000
_SAID = ("message.posted",)


def load_endings(connection: Connection, scope: Scope, sessions: Visits) -> Frame:
    """The sessions of a scope that an agent ended, with when they had last been answered."""
    rows = []
    for visit in sessions.started(scope):
        if visit.resolved_by is None or visit.ended_at_ms is None:
            continue
        replied = bool(visit.replies)
        rows.append(
            _row(visit, visit.resolved_by)
            | {
                "replied": replied,
                "unreplied": not replied,
                "since_reply_ms": visit.ended_at_ms - visit.replies[-1].at_ms if replied else -1,
            }
        )
    return framed(
        connection,
        scope,
        rows,
        texts=("conversation_id",),
        numbers=("session_no", "replied", "unreplied", "since_reply_ms", "waiting"),
    )


def load_answers(connection: Connection, scope: Scope, sessions: Visits) -> Frame:
    """How agents ended each wait of the sessions of a scope: answered how, or dismissed."""
    visits = sessions.started(scope)
    replies = [(visit, reply) for visit in visits for reply in visit.replies]
    first = _events(connection, [reply.seq for _, reply in replies])
    # Whether the rest of a run is as thin as its first message has to be looked at only then.
    thin = [
        (visit, reply.seq)
        for visit, reply in replies
        if _is_macro(first[reply.seq]) or _is_short(first[reply.seq])
    ]
    runs = _runs(connection, scope, thin)
    rows = [
        _row(visit, reply.agent_id)
        | {
            "answer": True,
            "dismissal": False,
            "macro_only": all(map(_is_macro, run)),
            "greeting_only": sum(_chars(said) for said in run) <= GREETING_CHARS
            and all(map(_is_short, run)),
        }
        for visit, reply in replies
        for run in (runs.get(reply.seq) or [first[reply.seq]],)
    ]
    dismissed = [(visit, seq) for visit in visits for seq in visit.dismissed]
    actors = _actors(connection, [seq for _, seq in dismissed])
    rows += [
        _row(visit, actors[seq])
        | {
            "answer": False,
            "dismissal": True,
            "macro_only": False,
            "greeting_only": False,
        }
        for visit, seq in dismissed
        if seq in actors
    ]
    return framed(
        connection,
        scope,
        rows,
        texts=("conversation_id",),
        numbers=("session_no", "answer", "dismissal", "macro_only", "greeting_only", "waiting"),
    )


def _row(visit: Visit, agent_id: str | None) -> dict[str, object]:
    return {
        "conversation_id": visit.conversation_id,
        "session_no": visit.session_no,
        "at_ms": visit.started_at_ms,
        "agent_id": agent_id,
        "team_id": visit.team_id,
        "channel": visit.channel,
        "labels": visit.labels,
        "waiting": False,
    }


def _events(connection: Connection, seqs: Sequence[int]) -> dict[int, dict[str, object]]:
    """What was said by the numbers of events."""
    statement = select(EVENT.c.seq, EVENT.c.data).where(
        EVENT.c.seq.in_(bindparam("seqs", expanding=True))
    )
    found: dict[int, dict[str, object]] = {}
    for start in range(0, len(seqs), _PORTION):
        rows = connection.execute(statement, {"seqs": seqs[start : start + _PORTION]})
        found |= {seq: orjson.loads(data) for seq, data in rows}
    return found


def _actors(connection: Connection, seqs: Sequence[int]) -> dict[int, str]:
    """The agents who did what these numbers of the log say; others are left out."""
    statement = select(EVENT.c.seq, EVENT.c.actor_id).where(
        EVENT.c.seq.in_(bindparam("seqs", expanding=True)),
        EVENT.c.kind == "turn.dismissed",
        EVENT.c.actor_kind == "agent",
    )
    found: dict[int, str] = {}
    for start in range(0, len(seqs), _PORTION):
        rows = connection.execute(statement, {"seqs": seqs[start : start + _PORTION]})
        found |= {row[0]: row[1] for row in rows}
    return found


def _runs(
    connection: Connection, scope: Scope, wanted: Iterable[tuple[Visit, int]]
) -> dict[int, list[dict[str, object]]]:
    """All counted messages of the runs that begin with some numbers of the log, by these."""
    firsts = {seq: visit.conversation_id for visit, seq in wanted}
    said: dict[str, list[Logged]] = {}
    for event in load_events_of(connection, scope, _SAID, firsts.values()):
        said.setdefault(event.conversation_id or "", []).append(event)
    runs: dict[int, list[dict[str, object]]] = {}
    for events in said.values():
        run: list[dict[str, object]] | None = None
        for event in events:
            if event.seq in firsts:
                run = runs[event.seq] = []
            public = event.data.get("visibility", "public") == "public"
            if event.actor_kind == "customer" and public:
                run = None
            elif run is not None and is_reply(event):
                run.append(event.data)
    return runs


def _is_macro(said: dict[str, object]) -> bool:
    return said.get("origin") == "macro"


def _is_short(said: dict[str, object]) -> bool:
    return (
        said.get("origin") != "kb"
        and not said.get("attachment")
        and _chars(said) <= (GREETING_CHARS)
    )


def _chars(said: dict[str, object]) -> int:
    chars = said.get("chars", 0)
    return chars if isinstance(chars, int) else 0
