"""The shape of a scene: one matter, in one language."""

from dataclasses import dataclass

from server.demo.words import Locale

Texts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """One matter, in one language: how it opens, what is answered, what may follow.

    `follows` are pairs of a shopper's further questions and the agent's answers, in the order in
    which they make sense. `mood` moves the rating: -1 annoyed, 0 neutral, 1 pleased.
    """

    topic: str
    team: str
    locale: Locale
    weight: int
    opens: Texts
    answers: Texts
    follows: tuple[tuple[Texts, Texts], ...]
    notes: Texts = ()
    mood: int = 0
