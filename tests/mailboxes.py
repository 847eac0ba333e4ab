"""A mail server of the tests' own: speaks as much SMTP as a letter needs, and keeps what it is handed."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast


@dataclass
class Mailbox:
    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    refuses: bool = False
    """Whether it takes no letter just now."""
    connections: int = 0


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """A server on loopback."""
    box = Mailbox()

    class Conversation(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            box.connections += 1
            self._say(220)
            while line := self.rfile.readline():
                match line.strip().upper().split(b" ")[0]:
                    case b"DATA":
                        self._take()
                    case b"MAIL" if box.refuses:
                        self._say(451)
                    case b"QUIT":
                        self._say(221)
                        return
                    case _:
                        self._say(250)

        def _take(self) -> None:
            self._say(354)
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            letter = message_from_bytes(b"".join(lines), policy=policy.default)
            box.letters.append(cast(EmailMessage, letter))
            self._say(250)

        def _say(self, code: int) -> None:
            self.wfile.write(f"{code} ok\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Conversation) as server:
        box.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield box
        server.shutdown()
