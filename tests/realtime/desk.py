"""A shop with people and teams behind a real serving process, and hands to change it by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from server.actions import people, shop
from server.actions.sign_in import hash_password, start_sign_in
from server.config import Settings
from server.domain.actors import SYSTEM
from server.storage.database import Database
from server.storage.unit import Tx
from tests.support.server import ServerProcess
from tests.support.sqlite import put_migrated
from tests.support.waiting import LIMIT_S

T = TypeVar("T")
PASSWORD = "correct horse battery"
# Hashing takes 66 ms, so everybody has the same password.
HASH = hash_password(PASSWORD)
UNLIMITED = {"SHOPBELL_RATE_LIMITS": "off"}
# To say goodbye to many takes a machine longer that is busy with other things.
PATIENT = {"SHOPBELL_DRAIN_S": "60"}
# As in a shop: who waits for the database is told soon.
IMPATIENT = {"SHOPBELL_DATABASE_PATIENCE_S": "5"}
# name -> (role, team)
PEOPLE = {
    "mei": ("agent", "north"),
    "tom": ("agent", "south"),
    "ana": ("supervisor", None),
    "ida": ("admin", None),
}


@dataclass(slots=True)
class Staff:
    """A person of the shop with both ways to sign in."""

    id: str
    email: str
    token: str
    cookie: str


@dataclass(slots=True)
class Desk:
    """The shop: who is there, and the process that serves it."""

    server: ServerProcess
    site: str
    people: dict[str, Staff] = field(default_factory=dict)
    teams: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the server answers."""
        return self.server.url

    def write(self, job: Callable[[Tx], T]) -> T:
        """What a transaction beside the server answered, as commands of the shell make them."""
        database = _opened(self.server.data_dir, self.server.database_url)
        try:
            return database.write_now(job)
        finally:
            database.close()

    def hire(self, name: str, role: str = "agent", team: str | None = None) -> Staff:
        """A person of this test's own, whom it may change and send away."""
        database = _opened(self.server.data_dir, self.server.database_url)
        try:
            return _hire(database, name, role, self.teams.get(team or ""))
        finally:
            database.close()


def make_desk(
    data_dir: Path, database_url: str | None, *, env: dict[str, str] | None = None
) -> Desk:
    """A shop on a fresh, migrated database, its server prepared but not started."""
    server = ServerProcess(
        data_dir, database_url=database_url, env=UNLIMITED if env is None else env
    )
    database = _opened(data_dir, database_url)
    try:
        site = database.write_now(
            lambda tx: shop.init_shop(
                tx, name="Mori & Oak", locale="en", timezone="Asia/Shanghai", currency="CNY"
            )
        )
        desk = Desk(server, site)
        for name in ("north", "south"):
            desk.teams[name] = database.write_now(
                lambda tx, name=name: people.add_team(tx, SYSTEM, name=name)  # type: ignore[misc]  # bound default
            )
        for name, (role, team) in PEOPLE.items():
            desk.people[name] = _hire(database, name, role, desk.teams.get(team or ""))
    finally:
        database.close()
    return desk


def _hire(database: Database, name: str, role: str, team_id: str | None) -> Staff:
    email = f"{name}@shop.example"
    agent_id = database.write_now(
        lambda tx: people.add_person(
            tx,
            SYSTEM,
            email=email,
            name=name.title(),
            role=role,
            password_hash=HASH,
            capacity=50,
            team_ids=[team_id] if team_id else [],
        )
    )
    token = database.write_now(
        lambda tx: people.create_token(tx, SYSTEM, name=name, agent_id=agent_id)
    )
    issued = database.write_now(lambda tx: start_sign_in(tx, agent_id=agent_id, password_hash=HASH))
    return Staff(agent_id, email, token, issued.cookie)


def _opened(data_dir: Path, database_url: str | None) -> Database:
    data_dir.mkdir(parents=True, exist_ok=True)
    path = Settings(data_dir=data_dir).sqlite_path
    if database_url is None:
        put_migrated(path)
    return Database(database_url, path, patience_s=LIMIT_S)
