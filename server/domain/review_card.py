"""The scorecard of quality reviews: what a conversation is judged by, and what comes of the marks.

A scorecard is versioned; a review names the version by which it was given, so that changing the
scorecard never moves what was judged before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from server.domain.errors import InvalidInput

# A whole score: scores are ten-thousandths, so that figures of them are sums of whole numbers.
FULL = 10_000
MAX_CRITERIA = 20
MAX_WEIGHT = 100
# What a criterion that is met or not is marked with, and one with a middle.
KNOWN_STEPS = (1, 2, 4)
_ID = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One line of a scorecard, in both languages.

    It is marked with 0 to ``steps`` points, or as not applicable. ``weight`` is what it is worth
    beside the others. One that is ``critical`` and gets no point fails the whole review.
    """

    id: str
    en: str
    zh: str
    hint_en: str = ""
    hint_zh: str = ""
    weight: int
    steps: int = 1
    critical: bool = False

    def name(self, locale: str) -> str:
        """What it is called in the language of a locale."""
        return self.zh if locale.startswith("zh") else self.en

    def hint(self, locale: str) -> str:
        """What to look at, in the language of a locale; may be empty."""
        return self.hint_zh if locale.startswith("zh") else self.hint_en


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """A version of the scorecard; ``pass_mark`` is the score to reach, in ten-thousandths."""

    version: int
    pass_mark: int
    criteria: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What comes of the marks: the score in ten-thousandths, and whether that passes.

    ``critical`` when a critical criterion got no point; the score stays as it is, so that a mean of
    scores still tells of the rest.
    """

    score: int
    passed: bool
    critical: bool


Marks = Mapping[str, int | None]


def check_card(card: Scorecard) -> None:
    """Returns nothing. Raises InvalidInput for a scorecard that cannot be used."""
    if not 0 < card.pass_mark <= FULL:
        raise InvalidInput("The pass mark is between 1 and 100.", field="pass_mark")
    if not card.criteria or len(card.criteria) > MAX_CRITERIA:
        raise InvalidInput(
            f"Between 1 and {MAX_CRITERIA} criteria.", field="criteria", reason="card_size"
        )
    ids = [one.id for one in card.criteria]
    if len(set(ids)) < len(ids) or not all(_ID.fullmatch(id_) for id_ in ids):
        raise InvalidInput("Each criterion needs an id of its own.", field="criteria")
    for one in card.criteria:
        if not one.en or not one.zh:
            raise InvalidInput(
                "Name the criterion in both languages.", field="criteria", reason="card_names"
            )
        if not 0 <= one.weight <= MAX_WEIGHT or one.steps not in KNOWN_STEPS:
            raise InvalidInput("A weight is between 0 and 100.", field="criteria")
    if not any(one.weight for one in card.criteria):
        raise InvalidInput(
            "At least one criterion needs a weight.", field="criteria", reason="card_weights"
        )


def check_marks(card: Scorecard, marks: Marks) -> None:
    """Returns nothing. Raises InvalidInput for marks that the scorecard does not have."""
    known = {one.id: one for one in card.criteria}
    for id_, points in marks.items():
        if id_ not in known or (points is not None and not 0 <= points <= known[id_].steps):
            raise InvalidInput("There is no such mark.", field=id_, reason="no_such_mark")


def judge(card: Scorecard, marks: Marks) -> Verdict:
    """What comes of the marks of all criteria; None marks what is not applicable.

    The score is the weighted mean of the marks that apply, halves of a ten-thousandth up. Raises
    InvalidInput when a criterion has no mark, or nothing that has a weight applies.
    """
    check_marks(card, marks)
    weight, gained = 0, Fraction(0)
    critical = False
    for one in card.criteria:
        if one.id not in marks:
            raise InvalidInput("Mark every criterion.", field=one.id, reason="unmarked")
        points = marks[one.id]
        if points is None:
            continue
        weight += one.weight
        gained += Fraction(one.weight * points, one.steps)
        critical = critical or (one.critical and points == 0)
    if not weight:
        raise InvalidInput("Something has to apply.", field="marks", reason="nothing_applies")
    score = int(gained / weight * FULL + Fraction(1, 2))
    return Verdict(score, passed=score >= card.pass_mark and not critical, critical=critical)


FIRST_CARD = Scorecard(
    version=1,
    pass_mark=8_000,
    criteria=(
        Criterion(
            id="understood",
            en="Understood what was asked",
            zh="准确理解问题",
            hint_en="Answers the question that was asked, and asks back where it was unclear.",
            hint_zh="回应顾客真正的问题；不清楚时主动追问。",
            weight=20,
            steps=2,
        ),
        Criterion(
            id="right",
            en="The answer is right",
            zh="答复正确",
            hint_en="Agrees with the order, the product page and the shop's rules.",
            hint_zh="与订单、商品页面和店铺规则一致。",
            weight=30,
            steps=2,
        ),
        Criterion(
            id="complete",
            en="Brought to an end",
            zh="处理完整",
            hint_en="Says what happens next, who does it and when; nothing is left hanging.",
            hint_zh="说明后续由谁、在何时处理，没有遗留问题。",
            weight=20,
            steps=2,
        ),
        Criterion(
            id="tone",
            en="Friendly and to the point",
            zh="态度友好、表达简洁",
            hint_en="Respectful, no blame, no needless phrases; takes the shopper's mood up.",
            hint_zh="尊重顾客，不推责、不敷衍，能照顾顾客情绪。",
            weight=15,
            steps=2,
        ),
        Criterion(
            id="language",
            en="Clear, correct language",
            zh="用语规范",
            hint_en="The shopper's language; no slips that change the meaning.",
            hint_zh="使用顾客的语言，没有影响理解的错别字。",
            weight=5,
            steps=1,
        ),
        Criterion(
            id="promise",
            en="No promise that the shop cannot keep",
            zh="无违规承诺",
            hint_en="No compensation, date or discount beyond the rules.",
            hint_zh="不超出规则承诺赔付、时效或优惠。",
            weight=5,
            steps=1,
            critical=True,
        ),
        Criterion(
            id="privacy",
            en="Personal data kept safe",
            zh="保护个人信息",
            hint_en="Order details only to whom they belong; nothing asked for that is not needed.",
            hint_zh="订单信息只告知本人，不索取不必要的信息。",
            weight=5,
            steps=1,
            critical=True,
        ),
    ),
)
