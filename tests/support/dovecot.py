"""A mailbox of the tests' own: Dovecot with one user, over IMAP."""

from __future__ import annotations

import contextlib
import getpass
import grp
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from imaplib import IMAP4
from pathlib import Path

from tests.support import processes
from tests.support.ports import HOST, free_port
from tests.support.waiting import LIMIT_S, wait_until

USER = "help@mori.example"
PASSWORD = "walnut-lamp-428"
# Mail of root is served to nobody.
NOBODY = 65534


class Dovecot:
    """Owns a Dovecot that keeps one mailbox in a folder. Call close() at the end."""

    def __init__(self, program: Path) -> None:
        """Starts the server and waits until it answers."""
        self.folder = Path(tempfile.mkdtemp(prefix="shopbell-dovecot-"))
        self.folder.chmod(0o755)
        self.port = free_port()
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        (self.folder / "dovecot.conf").write_text(self._configuration(), "utf-8")
        self.start()

    @property
    def url(self) -> str:
        """The address, as SHOPBELL_IMAP_URL takes it."""
        return f"imap://{USER.replace('@', '%40')}:{PASSWORD}@{HOST}:{self.port}/INBOX"

    def start(self) -> None:
        """Starts the server with what its mailbox has."""
        command: list[str | Path] = [self._program, "-F", "-c", self.folder / "dovecot.conf"]
        self._process = processes.start(command, log=self.folder / "out.log", cwd=self.folder)
        wait_until(self._answers, what=f"Dovecot ({self.folder / 'dovecot.log'})")

    def stop(self) -> None:
        """Stops the server; start() brings it back on the same port."""
        if self._process is not None:
            processes.stop(self._process, signal.SIGTERM)
            self._process = None

    def close(self) -> None:
        """Stops the server and removes its files."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def put(self, *mails: bytes) -> None:
        """Puts mails into the mailbox, as a mail server would."""
        with self._client() as client:
            for raw in mails:
                done, told = client.append("INBOX", None, time.localtime(), raw)
                assert done == "OK", told

    def empty(self) -> None:
        """Takes everything out of the mailbox."""
        with self._client() as client:
            count = client.select("INBOX")[1][0]
            if count and int(count):
                client.store("1:*", "+FLAGS", "(\\Deleted)")
                client.expunge()

    def unseen(self) -> int:
        """How many mails nobody has looked at."""
        with self._client() as client:
            client.select("INBOX", readonly=True)
            return len(client.search(None, "UNSEEN")[1][0].split())

    def renumber(self) -> None:
        """Makes the mailbox anew, as a move to another server does: mails stay, numbers do not."""
        with self._client() as client:
            client.select("INBOX")
            raws = [
                client.fetch(number, "(BODY.PEEK[])")[1][0][1]
                for number in client.search(None, "ALL")[1][0].split()
            ]
        self.stop()
        for inside in (self.folder / "mail").iterdir():
            shutil.rmtree(inside) if inside.is_dir() else inside.unlink()
        self.start()
        self.put(*[raw for raw in raws if isinstance(raw, bytes)])

    @contextlib.contextmanager
    def _client(self):  # type: ignore[no-untyped-def]  # a context manager of an imaplib client
        client = IMAP4(HOST, self.port, timeout=LIMIT_S)
        try:
            client.login(USER, PASSWORD)
            yield client
        finally:
            client.logout()

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.port), 2) as line:
            return line.recv(64).startswith(b"* OK")
        return False

    def _configuration(self) -> str:
        root = os.getuid() == 0
        # It refuses to talk to strangers as root, and as anybody else can be nobody else.
        user = "dovecot" if root else getpass.getuser()
        group = grp.getgrgid(os.getgid()).gr_name
        owner, owners = (NOBODY, NOBODY) if root else (os.getuid(), os.getgid())
        mail = self.folder / "mail"
        mail.mkdir()
        os.chown(mail, owner, owners)
        lines = (
            f"base_dir = {self.folder}/run",
            f"state_dir = {self.folder}/state",
            f"log_path = {self.folder}/dovecot.log",
            "protocols = imap",
            "ssl = no",
            "disable_plaintext_auth = no",
            f"listen = {HOST}",
            f"default_internal_user = {user}",
            f"default_internal_group = {group}",
            f"default_login_user = {'dovenull' if root else user}",
            "first_valid_uid = 0",
            "first_valid_gid = 0",
            f"mail_location = maildir:{mail}",
            "mail_fsync = never",
            f"passdb {{\n driver = static\n args = password={PASSWORD}\n}}",
            f"userdb {{\n driver = static\n args = uid={owner} gid={owners} home={mail}\n}}",
            "service imap-login {\n chroot =\n inet_listener imap {",
            f"  port = {self.port}\n }}\n inet_listener imaps {{\n  port = 0\n }}\n}}",
            "service anvil {\n chroot =\n}",
            "service stats {\n chroot =\n}",
        )
        return "\n".join(lines) + "\n"
