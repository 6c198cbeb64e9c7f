"""A real nginx in front of processes of the tests, with the configuration that the docs give."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support import processes
from tests.support.ports import HOST, free_port
from tests.support.tools import require
from tests.support.waiting import wait_until

CONFIGURATION = processes.ROOT / "docs" / "deploy" / "nginx.conf"
_FRAME = """
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
    log_format process '$arg_transport $arg_sid $upstream_addr $status';
    access_log {folder}/access.log process;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/shopbell.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class Passed:
    """A request of a socket that nginx has passed on, or not."""

    transport: str
    sid: str
    ports: tuple[int, ...]
    status: int


class Nginx:
    """nginx with TLS in front of the processes on two ports."""

    def __init__(self, folder: Path, ports: Sequence[int], *, websocket_only: bool = False) -> None:
        """Prepares nginx without starting it; ``folder`` takes its files."""
        self.folder = folder
        self.plain_port, self.port = free_port(), free_port()
        self._program = require("nginx")
        self._process: subprocess.Popen[bytes] | None = None
        self._certify()
        text = CONFIGURATION.read_text(encoding="utf-8")
        changes = {
            r"listen \[::\]:\d+[^;]*;": "",
            r"listen 80;": f"listen {HOST}:{self.plain_port};",
            r"listen 443 ssl;": f"listen {HOST}:{self.port} ssl;",
            r"127\.0\.0\.1:8081": f"{HOST}:{ports[0]}",
            r"127\.0\.0\.1:8082": f"{HOST}:{ports[1]}",
            r"/etc/ssl/desk\.example\.(pem|key)": rf"{folder}/\1",
            # So that the test can see where a request went.
            r"access_log off;": "",
        }
        if websocket_only:
            changes[r"# (if \(\$arg_transport)"] = r"\1"
        for pattern, replacement in changes.items():
            text, count = re.subn(pattern, replacement, text)
            assert count, f"{CONFIGURATION.name} has no {pattern}"
        (folder / "shopbell.conf").write_text(text, encoding="utf-8")
        user = "user root;" if os.geteuid() == 0 else ""
        frame = _FRAME.format(folder=folder, user=user)
        (folder / "nginx.conf").write_text(frame, encoding="utf-8")

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"https://{HOST}:{self.port}"

    def start(self) -> None:
        """Starts nginx and waits until it answers."""
        self._process = processes.start(
            [self._program, "-p", self.folder, "-c", self.folder / "nginx.conf"],
            log=self.folder / "nginx.log",
        )
        wait_until((self.folder / "nginx.pid").exists, what=f"nginx ({self.folder})")

    def stop(self) -> None:
        """Ends nginx; what it had open is written to its log."""
        if self._process is not None:
            processes.stop(self._process, signal.SIGTERM)
            self._process = None

    @property
    def errors(self) -> str:
        """What nginx complained about."""
        return processes.tail(self.folder / "error.log")

    def passed(self) -> list[Passed]:
        """The requests of sockets so far. A websocket is written down when it ends."""
        found = []
        for line in (self.folder / "access.log").read_text(encoding="ascii").splitlines():
            transport, sid, *addresses, status = line.split()
            if transport != "-":
                ports = tuple(int(port) for port in re.findall(r":(\d+)", " ".join(addresses)))
                found.append(Passed(transport, sid, ports, int(status)))
        return found

    def _certify(self) -> None:
        made = subprocess.run(
            [
                *(str(require("openssl")), "req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"),
                *("-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=desk.example"),
                *("-addext", f"subjectAltName=IP:{HOST}"),
                *("-keyout", str(self.folder / "key"), "-out", str(self.folder / "pem")),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
