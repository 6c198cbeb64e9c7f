"""The rows of a conversation, made from what was noted of it."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # Any: fields of rows

from server.domain.conversation import Session
from server.domain.events import MessagePosted
from server.domain.facts.fold import Fold, Line
from server.domain.facts.shapes import (
    AnswerRow,
    CaseRow,
    Facts,
    HandlingRow,
    MessageRow,
    OwnedRow,
    SessionRow,
    ShareRow,
    TurnRow,
    VisitRow,
)
from server.domain.turns import Turn

# (team, from, to) -> business time between two instants; None where no hours were set.
Business = Callable[[str | None, int, int], int | None]


@dataclass(slots=True)
class RowMaker:
    """Writes the rows of a fold into ``found``; ``teams`` are those of events by their number."""

    fold: Fold
    found: Facts
    teams: dict[int, str | None]
    business: Business | None

    def write(self) -> None:
        """Adds every row there is."""
        turns = sorted(self.fold.turns.values(), key=lambda turn: turn.turn_no)
        self._visits(turns)
        if not turns:
            return
        for turn in turns:
            self.found.turns.append(self._turn(turn))
            self.found.shares.extend(self._shares(turn, self.found.turns[-1]))
        self._sessions()
        self._messages()
        self._case()

    def _turn(self, turn: Turn) -> TurnRow:
        fold, state = self.fold, self.fold.state
        waiting = turn.end_at_ms is None
        team_id = state.team_id if waiting else self.teams.get(turn.end_seq or 0)
        return TurnRow(
            conversation=fold.key,
            customer_id=state.customer_id,
            channel=state.channel,
            at_ms=turn.ask_at_ms,
            session_no=turn.session_no,
            team_id=team_id,
            agent_id=turn.owner_id if waiting else turn.answered_by or turn.owner_id,
            labels=self._labels(turn.session_no),
            turn_no=turn.turn_no,
            is_first_in_session=turn.is_first_in_session,
            outcome=turn.outcome,
            end_at_ms=turn.end_at_ms,
            biz_ms=self._span(team_id, turn.ask_at_ms, turn.end_at_ms),
            bot_reply_at_ms=turn.bot_reply_at_ms,
            handed_off_at_ms=fold.handed_off.get(turn.turn_no),
            queued=turn.turn_no in fold.queued,
            customer_messages=fold.writings.get(turn.turn_no, 0),
        )

    def _shares(self, turn: Turn, row: TurnRow) -> Iterable[ShareRow]:
        waiting = turn.end_at_ms is None
        owner = self.fold.state.owner
        spans: list[tuple[str, str | None, int, int | None]] = [
            (share.kind, share.id, share.start_at_ms, share.end_at_ms) for share in turn.shares
        ]
        if waiting:
            spans.append((owner.kind, owner.id, turn.shares_until_ms, None))
        for place, (kind, owner_id, start_at_ms, end_at_ms) in enumerate(spans):
            last = place + 1 == len(spans)
            team_id = owner_id if kind == "queue" else row.team_id
            if last:
                done = turn.outcome == "answered" and (
                    kind == "queue" or (kind == "agent" and owner_id == turn.answered_by)
                )
            else:
                done = kind == "queue" and spans[place + 1][0] == "agent"
            yield ShareRow(
                conversation=row.conversation,
                customer_id=row.customer_id,
                channel=row.channel,
                at_ms=row.at_ms,
                session_no=row.session_no,
                team_id=team_id,
                agent_id=owner_id if kind == "agent" else None,
                labels=row.labels,
                turn_no=row.turn_no,
                kind=kind,
                start_at_ms=start_at_ms,
                end_at_ms=end_at_ms,
                biz_ms=self._span(team_id, start_at_ms, end_at_ms),
                done=done,
                passed_on=kind == "agent" and not last,
            )

    def _sessions(self) -> None:
        by_session: dict[int, list[TurnRow]] = {}
        for row in self.found.turns:
            by_session.setdefault(row.session_no, []).append(row)
        later: int | None = None
        rows: list[SessionRow] = []
        for session_no, turns in sorted(by_session.items(), reverse=True):
            first, last = turns[0], turns[-1]
            noted = self.fold.note_of(session_no)
            session = self.fold.sessions.get(session_no)
            rows.append(
                SessionRow(
                    conversation=first.conversation,
                    customer_id=first.customer_id,
                    channel=first.channel,
                    at_ms=session.started_at_ms if session else first.at_ms,
                    session_no=session_no,
                    team_id=noted.team_id,
                    agent_id=first.agent_id,
                    labels=noted.labels,
                    cause=session.cause if session else "new",
                    ended_at_ms=session.ended_at_ms if session else None,
                    first_ask_at_ms=first.at_ms,
                    first_end_at_ms=first.end_at_ms,
                    first_outcome=first.outcome,
                    last_outcome=last.outcome,
                    last_owner_id=last.agent_id,
                    customer_messages=noted.customer_messages,
                    reply_runs=noted.reply_runs,
                    first_reply_at_ms=noted.first_reply_at_ms,
                    first_reply_by=noted.first_reply_by,
                    last_reply_at_ms=noted.last_reply_at_ms,
                    last_reply_by=noted.last_reply_by,
                    queued_at_ms=noted.queued_at_ms,
                    offered_to=noted.offered_to,
                    transfers=noted.transfers,
                    transferred_by=noted.transferred_by,
                    last_public_at_ms=noted.last_public_at_ms,
                    resolved_at_ms=noted.resolved_at_ms,
                    resolved_by=noted.resolved_by,
                    next_ask_at_ms=later,
                    rating_asked_at_ms=session.rating_asked_at_ms if session else None,
                    rating=session.rating if session else None,
                    most_replies_by=noted.most_replies_by,
                )
            )
            asked = [row.at_ms for row in turns if row.outcome != "dismissed"]
            later = min(asked) if asked else later
        self.found.sessions.extend(reversed(rows))

    def _messages(self) -> None:
        whose = {row.turn_no: row.agent_id for row in self.found.turns}
        state = self.fold.state
        for said in self.fold.said:
            self.found.messages.append(
                MessageRow(
                    conversation=self.fold.key,
                    customer_id=state.customer_id,
                    channel=state.channel,
                    at_ms=said.at_ms,
                    session_no=said.session_no,
                    team_id=said.team_id,
                    agent_id=whose.get(said.turn_no) if said.of_customer else said.by,
                    labels=self._labels(said.session_no),
                    seq=said.seq,
                    of_customer=said.of_customer,
                    starts_run=said.starts_run,
                    turn_no=said.turn_no,
                )
            )

    def _case(self) -> None:
        fold, turns = self.fold, self.found.turns
        still = [row.at_ms for row in turns if row.end_at_ms is None]
        first_at, first_by = fold.first_resolved or (None, None)
        last_at, last_by = fold.resolved or (None, None)
        self.found.cases.append(
            CaseRow(
                conversation=fold.key,
                customer_id=fold.state.customer_id,
                channel=fold.state.channel,
                at_ms=turns[0].at_ms,
                session_no=turns[-1].session_no,
                team_id=fold.state.team_id,
                agent_id=last_by or fold.state.assignee_id or turns[-1].agent_id,
                labels=self._labels(turns[-1].session_no),
                waited_ms=sum(
                    row.end_at_ms - row.at_ms for row in turns if row.end_at_ms is not None
                ),
                open_ask_at_ms=still[-1] if still else None,
                first_resolved_at_ms=first_at,
                first_resolved_by=first_by,
                resolved_at_ms=last_at,
                resolved_by=last_by,
                reached_people=fold.reached_people,
            )
        )

    def _visits(self, turns: Sequence[Turn]) -> None:
        fold, state = self.fold, self.fold.state
        runs = _runs(fold.lines, {turn.end_seq for turn in turns})
        for session in fold.sessions.values():
            own = [turn for turn in turns if turn.session_no == session.session_no]
            ended = [turn for turn in own if turn.end_at_ms is not None]
            replies = [turn for turn in ended if turn.outcome == "answered" and turn.answered_by]
            end = session.ended_at_ms
            handed_off = any(
                session.started_at_ms <= at_ms and (end is None or at_ms <= end)
                for at_ms in fold.handed
            )
            same: dict[str, Any] = {  # Any: fields of rows
                "conversation": fold.key,
                "customer_id": state.customer_id,
                "channel": state.channel,
                "at_ms": session.started_at_ms,
                "session_no": session.session_no,
                "team_id": self.teams.get(ended[-1].end_seq or 0) if ended else state.team_id,
                "labels": self._labels(session.session_no),
            }
            self.found.visits.append(
                VisitRow(
                    **same,
                    agent_id=replies[-1].answered_by if replies else None,
                    ended_at_ms=end,
                    resolved_by=None if end is None else session.resolved_by,
                    last_reply_at_ms=replies[-1].end_at_ms if replies else None,
                    bot=handed_off or any(turn.bot_reply_at_ms is not None for turn in own),
                    handed_off=handed_off,
                )
            )
            self.found.answers.extend(self._answers(ended, runs, same))
            self._handled(session, same)

    def _answers(
        self,
        ended: Iterable[Turn],
        runs: Mapping[int, Sequence[MessagePosted]],
        same: Mapping[str, Any],  # Any: fields of rows
    ) -> Iterable[AnswerRow]:
        for turn in ended:
            seq, end_at_ms = turn.end_seq, turn.end_at_ms
            if seq is None or end_at_ms is None:
                continue
            by = turn.answered_by if turn.outcome == "answered" else self.fold.dismissed_by.get(seq)
            if by is None or turn.outcome not in ("answered", "dismissed"):
                continue
            run = runs.get(seq, ())
            yield AnswerRow(
                **same,
                agent_id=by,
                turn_no=turn.turn_no,
                seq=seq,
                end_at_ms=end_at_ms,
                dismissal=turn.outcome == "dismissed",
                chars=sum(said.chars for said in run),
                plain=not any(said.attachment or said.origin == "kb" for said in run),
                macro_only=bool(run) and all(said.origin == "macro" for said in run),
            )

    def _handled(self, session: Session, same: Mapping[str, Any]) -> None:  # Any: fields of rows
        spans = owned_spans(self.fold.owners, session.started_at_ms, session.ended_at_ms)
        by_agent: dict[str, tuple[int, int | None]] = {}
        for agent_id, start, end in spans:
            total, _ = by_agent.get(agent_id, (0, None))
            length = 0 if end is None else end - start
            by_agent[agent_id] = (total + length, start if end is None else None)
            self.found.owned.append(
                OwnedRow(**same, agent_id=agent_id, start_at_ms=start, end_at_ms=end)
            )
        focused = {
            agent_id: covered_ms(own)
            for (session_no, agent_id), own in self.fold.focused.items()
            if session_no == session.session_no
        }
        for agent_id in sorted({*by_agent, *focused}):
            owned_ms, owned_from_ms = by_agent.get(agent_id, (0, None))
            self.found.handlings.append(
                HandlingRow(
                    **same,
                    agent_id=agent_id,
                    handle_ms=focused.get(agent_id, 0),
                    owned_ms=owned_ms,
                    owned_from_ms=owned_from_ms,
                    ended=session.ended_at_ms is not None,
                )
            )

    def _labels(self, session_no: int) -> str:
        noted = self.fold.noted.get(session_no)
        return noted.labels if noted else ""

    def _span(self, team_id: str | None, start_at_ms: int, end_at_ms: int | None) -> int | None:
        if self.business is None or end_at_ms is None:
            return None
        return self.business(team_id, start_at_ms, end_at_ms)


def _runs(lines: Iterable[Line], firsts: Container[int | None]) -> dict[int, list[MessagePosted]]:
    """All counted messages of the runs that begin with some numbers of the log, by these."""
    runs: dict[int, list[MessagePosted]] = {}
    run: list[MessagePosted] | None = None
    for line in lines:
        if line.said is None:
            run = None
            continue
        if line.seq in firsts:
            run = runs[line.seq] = []
        if run is not None:
            run.append(line.said)
    return runs


def owned_spans(
    owners: Iterable[tuple[int, str | None]], start_ms: int, end_ms: int | None
) -> list[tuple[str, int, int | None]]:
    """Who owned a session from when to when: from accepting it until passing it on or its end.

    ``owners`` are those of its conversation, from when on, in order. The last stretch of a session
    that goes on has no end.

    >>> owned_spans([(5, "amy"), (8, None), (9, "bo")], 7, 20)
    [('amy', 7, 8), ('bo', 9, 20)]
    """
    spans: list[tuple[str, int, int | None]] = []
    owner: str | None = None
    since = start_ms
    for at_ms, to in owners:
        until = max(at_ms, start_ms) if end_ms is None else min(max(at_ms, start_ms), end_ms)
        if owner is not None and until > since:
            spans.append((owner, since, until))
        owner, since = to, max(since, until)
        if end_ms is not None and at_ms >= end_ms:
            return spans
    if owner is not None and (end_ms is None or end_ms > since):
        spans.append((owner, since, end_ms))
    return spans


def covered_ms(spans: Iterable[tuple[int, int]]) -> int:
    """How much time spans cover together.

    >>> covered_ms([(0, 10), (5, 20), (30, 31)])
    21
    """
    total, until = 0, -1
    for start, end in sorted(spans):
        total += max(0, end - max(start, until))
        until = max(until, end)
    return total
