"""The official JavaScript Socket.IO client, in a Node process of its own."""

from __future__ import annotations

import itertools
import json
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self  # Any: JSON

from tests.support import processes
from tests.support.tools import TOOLS_DIR, require
from tests.support.waiting import wait_until

CALL_LIMIT_S = 60.0


def run_node(
    script: str | Path, *arguments: str, stdin: str = "", limit_s: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """What Node answered: for a Path that file, for a text an ES module of that content.

    Runs in tests/tools, so that its packages can be imported. Never raises for a failure.
    """
    source = [str(script)] if isinstance(script, Path) else ["--input-type=module", "-e", script]
    return subprocess.run(
        [str(require("node")), *source, *arguments],
        cwd=TOOLS_DIR,
        env=processes.clean_environment(),
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=limit_s,
        check=False,
    )


class NodeClient:
    """One socket.io-client connection. ``received`` is all that came, in order: (event, args)."""

    def __init__(self, log: Path) -> None:
        """Starts Node; ``log`` takes what it says on stderr. Close it, or use a ``with``."""
        require("socket.io-client")
        self.received: list[tuple[str, list[Any]]] = []
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Future[Any]] = {}
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [str(require("node")), str(TOOLS_DIR / "socket_client.mjs")],
                cwd=TOOLS_DIR,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                encoding="utf-8",
            )
        processes.kill_at_exit(self._process)
        assert self._process.stdout is not None
        self._reader = threading.Thread(
            target=self._read, args=(self._process.stdout,), daemon=True
        )
        self._reader.start()

    def connect(
        self, url: str, auth: dict[str, Any], *, limit_s: float = CALL_LIMIT_S, **options: Any
    ) -> dict[str, Any]:
        """The welcome of a namespace, as in ``connect(server.url + "/visitor", {"site": key})``.

        Options go to socket.io-client as they are.
        """
        before = len(self.received)
        self._do("connect", url=url, auth=auth, options=options)
        welcome: dict[str, Any] = self.wait_for("welcome", after=before, limit_s=limit_s)
        return welcome

    def call(
        self, event: str, payload: dict[str, Any] | None = None, limit_s: float = CALL_LIMIT_S
    ) -> dict[str, Any]:
        """The server's answer to a command. Raises AssertionError when none comes."""
        answer = self._do("call", event=event, payload=payload or {}, limit_ms=int(limit_s * 1000))
        assert isinstance(answer, dict), f"{event} answered {answer!r}"
        return answer

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The envelopes received so far, of one kind or all."""
        envelopes = [args[0] for name, args in list(self.received) if name == "event"]
        return [row for row in envelopes if kind is None or row["kind"] == kind]

    def wait_for(
        self,
        event: str,
        match: Callable[[Any], bool] = lambda _: True,
        *,
        after: int = 0,
        limit_s: float = CALL_LIMIT_S,
    ) -> Any:
        """The first argument of the first such event from position ``after`` on that matches."""

        def found() -> list[Any]:
            rows = self.received[after:]
            first = (args[0] if args else None for name, args in rows if name == event)
            return [argument for argument in first if match(argument)]

        return wait_until(found, limit_s, f"the event {event}")[0]

    def drop(self) -> None:
        """Cuts the transport as a lost network does; the client reconnects by itself."""
        self._do("drop")

    def disconnect(self) -> None:
        """Says good-bye to the server; does not reconnect."""
        self._do("disconnect")

    def close(self) -> None:
        """Ends the Node process."""
        self._process.kill()
        self._process.wait(processes.STOP_LIMIT_S)
        self._reader.join(5)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Self:
        """This client."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends the Node process."""
        self.close()

    def _do(self, step: str, **fields: Any) -> Any:
        number = next(self._numbers)
        answer: Future[Any] = Future()
        self._waiting[number] = answer
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": number, "do": step, **fields}) + "\n")
        self._process.stdin.flush()
        return answer.result(CALL_LIMIT_S * 2)

    def _read(self, pipe: IO[str]) -> None:
        for line in pipe:
            row = json.loads(line)
            if "event" in row:
                self.received.append((row["event"], row["args"]))
                continue
            waiting = self._waiting.pop(row["id"])
            if "error" in row:
                waiting.set_exception(AssertionError(row["error"]))
            else:
                waiting.set_result(row.get("answer"))
