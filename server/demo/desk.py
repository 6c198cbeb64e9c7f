"""Who of the demo shop would take a chat, and when: hours of work and chats already taken."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from server.demo.load import Stretch
from server.demo.people import DemoPerson
from server.demo.words import Locale
from server.domain.spans import DAY_MS, HOUR_MS, MINUTE_MS

# How many chats somebody really keeps going before the next one has to wait.
COMFORTABLE = 3
LAST_CALL_MS = 10 * MINUTE_MS


@dataclass(slots=True)
class Desk:
    """The agents with their stretches of work and the chats that they hold."""

    people: Sequence[DemoPerson]
    stretches: Sequence[Stretch]
    _held: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    _hours: dict[str, list[Stretch]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for person in self.people:
            self._held[person.email] = []
            mine = [one for one in self.stretches if one.email == person.email]
            self._hours[person.email] = sorted(mine, key=lambda one: one.start_at_ms)

    def person(self, email: str) -> DemoPerson:
        """The agent with that e-mail."""
        return next(person for person in self.people if person.email == email)

    def load(self, email: str, at_ms: int) -> int:
        """How many chats the agent holds at that instant."""
        return sum(start <= at_ms < end for start, end in self._held[email][-40:])

    def on_shift(self, locale: Locale, at_ms: int) -> list[DemoPerson]:
        """Who is there at that instant and speaks the language."""
        return [
            person
            for person in self.people
            if locale in person.speaks and self._works(person.email, at_ms)
        ]

    def next_free(
        self, locale: Locale, team: str, at_ms: int, *, other_than: str | None = None
    ) -> tuple[int, DemoPerson] | None:
        """The first instant from ``at_ms`` on at which somebody can take a chat, and who; or None.

        The least loaded wins; the chat's team is preferred, the language is a must.
        """
        for then_ms in self._moments(locale, at_ms):
            free = [
                person
                for person in self.on_shift(locale, then_ms)
                if person.email != other_than and self.load(person.email, then_ms) < COMFORTABLE
            ]
            if free:
                chosen = min(free, key=lambda one: self._order(one, team, then_ms))
                return then_ms, chosen
        return None

    def hold(self, email: str, start_at_ms: int, end_at_ms: int) -> None:
        """Notes that the agent had a chat in that time."""
        self._held[email].append((start_at_ms, end_at_ms))

    def presence(self) -> Iterable[tuple[int, str, str]]:
        """Rows (instant, e-mail, status): a short gap is being away, a long one being offline."""
        for email, hours in self._hours.items():
            for number, one in enumerate(hours):
                yield one.start_at_ms, email, "online"
                following = hours[number + 1].start_at_ms if number + 1 < len(hours) else None
                if following is not None and following <= one.end_at_ms:
                    continue
                pause = following is not None and following - one.end_at_ms < HOUR_MS
                yield one.end_at_ms, email, "away" if pause else "offline"

    def _order(self, person: DemoPerson, team: str, at_ms: int) -> tuple[bool, int, bool, int, str]:
        """Smaller is asked first: own team, least loaded, fewer languages, longest without one."""
        held = self._held[person.email]
        last = held[-1][0] if held else 0
        other_team = team not in person.teams
        return (
            other_team,
            self.load(person.email, at_ms),
            len(person.speaks) > 1,
            last,
            person.email,
        )

    def _works(self, email: str, at_ms: int) -> bool:
        return any(
            one.start_at_ms <= at_ms < one.end_at_ms - LAST_CALL_MS for one in self._hours[email]
        )

    def _moments(self, locale: Locale, at_ms: int) -> list[int]:
        """Instants at which the answer to "who is free" may change, for a day."""
        found = {at_ms}
        for person in self.people:
            if locale not in person.speaks:
                continue
            found.update(end for _, end in self._held[person.email][-40:])
            found.update(one.start_at_ms for one in self._hours[person.email])
        return sorted(one for one in found if at_ms <= one < at_ms + DAY_MS)
