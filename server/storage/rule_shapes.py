"""What is told of rules, as classes from which the descriptions for programs are made."""

from __future__ import annotations

from typing import Annotated, Any, Literal  # Any: JSON values

from pydantic import Field

from server.storage.shapes import AtMs, Shape

Subject = Literal["chat", "ticket", "order", "cart"]
Part = dict[str, Any]  # Any: JSON values
Parts = list[dict[str, Any]]  # Any: JSON values


class Rule(Shape):
    """A rule that acts by itself; docs/automation.md says what it may ask and do."""

    id: str
    version: Annotated[int, Field(description="Grows with each change; changes name it.")]
    name: str
    on: Annotated[Part, Field(description="`events`, or `time` and `minutes`.")]
    when: Annotated[Part, Field(description="`join` and `groups` of `clauses`.")]
    then: Annotated[Parts, Field(description="What it does: `do` and what that is told.")]
    enabled: bool
    position: Annotated[int, Field(description="Rules look in this order.")]
    stopped: Annotated[str | None, Field(description="Why the program switched it off.")]
    updated_at_ms: AtMs
    updated_by: str | None


class RuleWhy(Shape):
    """The conditions that hold, in words."""

    en: str
    zh: str


class RuleHit(Shape):
    """An object that a rule would act on."""

    kind: Subject
    id: str
    number: Annotated[str | None, Field(description="Of a ticket or order.")]
    customer_id: str | None
    because: Annotated[Parts, Field(description="The clauses that hold.")]
    why: RuleWhy


class RuleTrial(Shape):
    """What a rule would meet: of how many, how many match, the latest of them; nothing is done."""

    looked: int
    count: int
    more: Annotated[bool, Field(description="Whether older ones were not looked at.")]
    items: list[RuleHit]


class RuleRun(Shape):
    """What a rule did on one object for one cause, or why it did not."""

    id: str
    version: int
    at_ms: AtMs
    outcome: Literal["done", "partly", "failed", "held", "put_off", "passed"]
    held: Annotated[str | None, Field(description="What kept it from acting.")]
    kind: Subject
    object_id: str
    because: Parts
    steps: Annotated[Parts, Field(description="What became of each action.")]
