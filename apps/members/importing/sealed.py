"""A file that names people, waiting on disk: in encrypted blocks, read back from any place."""

import hashlib
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO
from uuid import uuid4

from django.conf import settings

from apps.core.reading import FileRefused, pieces_of
from apps.core.uploads import LARGEST_MB
from apps.members.crypto import NONCE, key_number, newest_key, open_sealed_bytes, seal_bytes

BLOCK = 1 << 20
PURPOSE = "import:file"
OVERHEAD = 3 + NONCE + 16
"""Bytes that sealing adds to a block: format, key, nonce and tag."""


def keep(content: IO[bytes]) -> tuple[Path, bytes]:
    """Where the file is kept, and its digest. Raises FileRefused where it is empty or too large."""
    path = Path(settings.MEDIA_ROOT) / "imports" / uuid4().hex
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    try:
        with path.open("xb") as copy:
            for block in _blocks(pieces_of(content, LARGEST_MB)):
                digest.update(block)
                sealed = seal_bytes(block, PURPOSE)
                copy.write(len(sealed).to_bytes(4, "big") + sealed)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path, digest.digest()


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Whole blocks, and what is left: pieces are as long as they came."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= BLOCK:
            yield bytes(held[:BLOCK])
            del held[:BLOCK]
    if held:
        yield bytes(held)


def opened(path: Path) -> IO[bytes]:
    """The file in clear; to be read from any place. Raises FileRefused where it is gone."""
    if not path.is_file():
        raise FileRefused(reason="missing", name=path.name)
    return io.BufferedReader(_Sealed(path), BLOCK)


def seal_again(path: Path) -> bool:
    """Encrypts a kept file under the newest key; False where it is already, or gone. Whoever reads it meanwhile goes on
    in the old one. Raises as `open_sealed_bytes`."""
    if not path.is_file():
        return False
    fresh = path.with_suffix(".fresh")
    try:
        with path.open("rb") as old, fresh.open("wb") as new:
            while size := int.from_bytes(old.read(4), "big"):
                block = old.read(size)
                if key_number(block) == newest_key():
                    return False
                sealed = seal_bytes(open_sealed_bytes(block, PURPOSE), PURPOSE)
                new.write(len(sealed).to_bytes(4, "big") + sealed)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return True


class _Sealed(io.RawIOBase):
    """Reads a sealed file as if it were not. Each block but the last holds `BLOCK` bytes: any place is found at once."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._step = 4 + int.from_bytes(self._file.read(4), "big")
        stored = path.stat().st_size
        whole, rest = divmod(stored, self._step)
        self._size = whole * BLOCK + (rest - 4 - OVERHEAD if rest else 0)
        if whole == 1 and not rest:
            self._size = self._step - 4 - OVERHEAD
        self._at = 0
        self._held: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        number, start = divmod(self._at, BLOCK)
        piece = self._block(number)[start : start + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _block(self, number: int) -> bytes:
        if self._held[0] != number:
            self._file.seek(number * self._step)
            size = int.from_bytes(self._file.read(4), "big")
            self._held = number, open_sealed_bytes(self._file.read(size), PURPOSE) if size else b""
        return self._held[1]

    def close(self) -> None:
        self._file.close()
        super().close()
