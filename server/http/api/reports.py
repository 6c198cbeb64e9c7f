"""Figures for programs: the rows of ``shopbell report``."""

from __future__ import annotations

from typing import Annotated, Any  # Any: JSON values

import orjson
from pydantic import Field

from server.actions.desk import Look
from server.actions.payload import Payload
from server.domain.dimensions import Dimension
from server.domain.permissions import may
from server.reports.cli import report_command
from server.reports.rows import to_json
from server.storage.event_log import last_seq

# Nothing that grows when it is percent-encoded: a request line has at most 8 KiB.
Moment = Annotated[str, Field(max_length=40, pattern="^[0-9TtZz:+. -]+$")]


class ReadReport(Payload):
    """Metrics, separated by commas, and for what; times are ISO 8601, in the shop's zone."""

    metrics: Annotated[str, Field(max_length=500, pattern="^[a-z0-9_, ]+$")]
    from_: Annotated[Moment | None, Field(alias="from")] = None
    to: Moment | None = None
    by: Dimension | None = None
    as_of: Moment | None = None
    as_of_seq: Annotated[int, Field(ge=0, le=2**53)] | None = None


def read_report(look: Look, payload: ReadReport) -> Any:  # Any: the list of the contract
    """The report's rows; who may not see everybody's figures gets their own.

    Without ``as_of_seq`` they go as far as the log is settled, so that the number which they name
    gives the same figures again.
    """
    own = not may(look.actor, "report.read")
    settled = min(look.settled_seq, last_seq(look.connection))
    rows = report_command(
        look.connection,
        [name.strip() for name in payload.metrics.split(",") if name.strip()],
        now_ms=look.at_ms,
        from_=payload.from_,
        to=payload.to,
        by=payload.by,
        as_of=payload.as_of,
        as_of_seq=settled if payload.as_of_seq is None else payload.as_of_seq,
        agent_id=look.actor.id if own else None,
    )
    return orjson.loads(to_json(rows))
