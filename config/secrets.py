"""The secrets of a studio on one machine: made on first start, kept under the data folder, readable by its owner only.

A production installation sets the variables instead; nothing is read from or written to a file there.
"""

import base64
import os
import secrets
from pathlib import Path


def local_secrets(data_dir: Path) -> dict[str, str]:
    """`SECRET_KEY`, `PERSONAL_DATA_KEYS` and `LOOKUP_KEY` of this installation; made when missing."""
    path = data_dir / "secrets.env"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        lines = {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "PERSONAL_DATA_KEYS": "1:" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "LOOKUP_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        }
        # Written aside and linked into place: two commands that start together agree on one file.
        draft = path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            handle.writelines(f"{name}={value}\n" for name, value in lines.items())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    pairs = (line.strip().partition("=") for line in path.read_text().splitlines() if "=" in line)
    return {name: value for name, _, value in pairs}
