"""What the log says: plain lines without personal data."""

import logging
from typing import Any


class PlainFormatter(logging.Formatter):
    """Leaves out what PostgreSQL adds to a message: its details repeat the row at fault."""

    def formatException(self, ei: Any) -> str:
        return _without_details(super().formatException(ei))

    def formatMessage(self, record: logging.LogRecord) -> str:
        return _without_details(super().formatMessage(record))


def _without_details(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith(("DETAIL:", "CONTEXT:")))
