"""What ``evaluate`` says, and floors under how well the shop's own questions are answered."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from knowledge_base.__main__ import main
from knowledge_base.encoder import Encoder
from knowledge_base.evaluate import Evaluation, Options, articles_of, evaluate, load_set
from knowledge_base.perturb import PERTURBATIONS
from tests.support.encoder import shared_encoder

SET = Path(__file__).parent


@pytest.fixture(scope="module", params=["words alone", "with meaning"])
def encoder(request: pytest.FixtureRequest) -> Encoder | None:
    return None if request.param == "words alone" else shared_encoder()


def run(encoder: Encoder | None, *perturb: str, phrasings: int | None = None) -> Evaluation:
    options = Options(phrasings=phrasings, perturb=perturb)
    return evaluate(load_set(SET), options, encoder)


def test_the_shops_questions_are_answered(encoder: Encoder | None) -> None:
    found = run(encoder)
    assert found.recall_at_1 >= 0.85
    assert found.recall_at_3 >= 0.94
    assert found.answered_right >= 0.6
    assert found.auroc is not None
    assert found.auroc >= 0.9


@pytest.mark.parametrize("name", ["typo1", "typo2", "long", "traditional", "pinyin", "homophone"])
def test_questions_are_still_found_when_they_are_written(
    encoder: Encoder | None, name: str
) -> None:
    plain, changed = run(encoder), run(encoder, name)
    floor = 0.15 if name == "typo2" else 0.1
    assert changed.recall_at_3 >= plain.recall_at_3 - floor


def test_phrasings_help(encoder: Encoder | None) -> None:
    assert run(encoder).mrr_at_10 >= run(encoder, phrasings=0).mrr_at_10


def test_a_question_in_one_language_finds_the_answer_in_the_other() -> None:
    chinese = [a for a in load_set(SET).articles if a.locale == "zh"]
    from knowledge_base.index import build_index
    from knowledge_base.suggest import suggest

    index = build_index(chinese, encoder=shared_encoder())
    asked = {"When do I get my money back?": "refund-zh", "where is my parcel": "track-zh"}
    found = {q: [i.article_id for i in suggest(index, q, locale="zh").items] for q in asked}
    assert all(asked[question] in ids for question, ids in found.items()), found


def test_the_same_seed_gives_the_same_figures() -> None:
    first, second = run(None, "typo2", "long"), run(None, "typo2", "long")
    same = [
        {k: v for k, v in asdict(found).items() if not k.endswith(("_ms", "_mb"))}
        for found in (first, second)
    ]
    assert same[0] == same[1]


def test_label_noise_moves_that_share_of_the_phrasings() -> None:
    chosen = load_set(SET)
    right = {(a.id, text) for a in articles_of(chosen, Options()) for text in a.phrasings}
    noisy = {
        (a.id, text) for a in articles_of(chosen, Options(label_noise=0.5)) for text in a.phrasings
    }
    assert len(noisy) == len(right)
    assert 0.25 * len(right) < len(right - noisy) < 0.75 * len(right)


def test_the_command_prints_the_figures_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["evaluate", "--set", str(SET), "--no-encoder", "--perturb", "typo1", "--json"]
    assert main(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["encoder"] is None
    assert found["perturb"] == ["typo1"]
    assert found["articles"] == 16
    assert set(found) == set(Evaluation.__dataclass_fields__)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "/nowhere"], "No such file"),
        (["--set", str(SET), "--perturb", "upside-down"], "none of typo1"),
        (["--set", str(SET), "--label-noise", "2"], "between 0 and 1"),
    ],
)
def test_what_cannot_be_evaluated_is_said_in_a_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["evaluate", *arguments])
    except SystemExit as refused:
        status = int(refused.code or 0)
    assert status != 0
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_every_perturbation_takes_every_text(name: str) -> None:
    import random

    for text in ("", "?", "ok", "Where's my parcel??", "退款", "VIP 会员 2 折", "🙂"):
        assert isinstance(PERTURBATIONS[name](text, random.Random(1)), str)
