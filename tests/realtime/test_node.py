"""The main path with the official JavaScript client, over both transports and through a kill."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any  # Any: JSON

import pytest

from tests.realtime.desk import Desk
from tests.support import processes
from tests.support.tools import TOOLS_DIR, require
from tests.support.waiting import wait_until

JOURNEY = Path(__file__).parent / "node" / "journey.mjs"
Json = dict[str, Any]


class Traveller:
    """One run of the program: what it told, line by line."""

    def __init__(self, url: str, auth: Json, transports: str, log: Path) -> None:
        self.told: list[Json] = []
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [str(require("node")), str(JOURNEY), url, json.dumps(auth), transports],
                cwd=TOOLS_DIR,
                env=processes.clean_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                encoding="utf-8",
            )
        processes.kill_at_exit(self._process)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def post(self, client_id: str, **message: Any) -> None:
        self._tell({"post": client_id, "body": f"text {client_id}", **message})

    def drop(self) -> None:
        self._tell({"drop": True})

    def all(self, key: str) -> list[Any]:
        return [line[key] for line in list(self.told) if key in line]

    @property
    def bodies(self) -> list[str]:
        """The texts shown, in order."""
        shown = [e["data"] for e in self.all("shown") if e["kind"] == "message.posted"]
        return [data["message"]["body"] for data in shown]

    def waits(self, condition: Callable[[], Any], what: str) -> Any:
        try:
            return wait_until(condition, what=what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.told[-8:]}") from None

    def shows(self, body: str) -> None:
        self.waits(lambda: body in self.bodies, f"the message {body}")

    def close(self) -> None:
        self._process.kill()
        self._process.wait(processes.STOP_LIMIT_S)
        self._reader.join(5)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _tell(self, step: Json) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(step) + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.told.append(json.loads(line))


@pytest.fixture
def travel(tmp_path: Path) -> Iterator[Callable[..., Traveller]]:
    """Starts clients, and ends them after the test."""
    require("socket.io-client")
    travellers: list[Traveller] = []

    def start(url: str, auth: Json, transports: str = "websocket") -> Traveller:
        travellers.append(Traveller(url, auth, transports, tmp_path / "node.log"))
        return travellers[-1]

    yield start
    for traveller in travellers:
        traveller.close()
    assert (tmp_path / "node.log").read_text() == ""


@pytest.mark.parametrize("transports", ["websocket", "polling,websocket", "polling"])
def test_shopper_and_agent_talk_through_drops_a_reload_and_a_kill(
    own_desk: Desk, travel: Callable[..., Traveller], transports: str
) -> None:
    own_desk.server.start()
    agent_auth = {"token": own_desk.people["ana"].token}
    shopper = travel(f"{own_desk.url}/visitor", {"site": own_desk.site}, transports)
    agent = travel(f"{own_desk.url}/agent", agent_auth, transports)
    shopper.post("1")
    agent.shows("text 1")
    conversation_id = agent.all("shown")[-1]["conversation_id"]
    agent.post("a", conversation_id=conversation_id)
    shopper.shows("text a")
    if transports == "polling,websocket":
        shopper.waits(lambda: "websocket" in shopper.all("transport"), "the upgrade")
    # A lost network.
    shopper.drop()
    shopper.post("2")
    agent.post("b", conversation_id=conversation_id)
    agent.shows("text 2")
    shopper.waits(lambda: {"text 2", "text b"} <= set(shopper.bodies), "both messages")
    # A killed server, with messages written while it is away.
    own_desk.server.kill()
    shopper.post("3")
    agent.post("c", conversation_id=conversation_id)
    own_desk.server.start()
    for client in (shopper, agent):
        for body in ("text 3", "text c"):
            client.shows(body)
    # An orderly restart: the official client comes back by itself.
    assert own_desk.server.terminate() == 0
    own_desk.server.start()
    shopper.post("4")
    agent.shows("text 4")
    shopper.shows("text 4")
    assert any(s["kind"] == "server.drain" for s in shopper.all("signal"))
    # A reload: another program with the kept token sees the same.
    token = shopper.all("welcome")[0]["visitor_token"]
    reloaded = travel(
        f"{own_desk.url}/visitor", {"site": own_desk.site, "visitor_token": token}, transports
    )
    reloaded.shows("text 4")
    assert shopper.bodies == agent.bodies == reloaded.bodies
    assert sorted(shopper.bodies) == sorted(f"text {name}" for name in "1234abc")
    for client in (shopper, agent, reloaded):
        numbers = [e["conversation_seq"] for e in client.all("shown")]
        assert numbers == list(range(1, len(numbers) + 1))
        assert client.all("failed") == []
    assert "Traceback" not in own_desk.server.stderr


def test_a_refusal_carries_the_error_object_to_the_official_client(
    own_desk: Desk, travel: Callable[..., Traveller]
) -> None:
    own_desk.server.start()
    stranger = travel(f"{own_desk.url}/visitor", {"site": "wrong"})
    refused = stranger.waits(lambda: stranger.all("refused"), "the refusal")[0]
    assert refused["error"]["code"] == "not_allowed"
    nobody = travel(f"{own_desk.url}/agent", {"token": "sb_wrong"})
    refused = nobody.waits(lambda: nobody.all("refused"), "the refusal")[0]
    assert refused["error"]["code"] == "not_signed_in"
