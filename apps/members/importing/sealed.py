"""A file that names people, waiting on disk: in encrypted blocks, read back from any place."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from uuid import uuid4

from django.conf import settings

from apps.core.reading import FileRefused
from apps.core.uploads import LARGEST_MB
from apps.members.crypto import NONCE, open_sealed_bytes, seal_bytes

BLOCK = 1 << 20
PURPOSE = "import:file"
OVERHEAD = 3 + NONCE + 16
"""Bytes that sealing adds to a block: format, key, nonce and tag."""


def keep(content: IO[bytes]) -> tuple[Path, bytes]:
    """Where the file is kept, and its digest. Raises FileRefused where it is empty or too large."""
    path = Path(settings.MEDIA_ROOT) / "imports" / uuid4().hex
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("xb") as copy:
            for piece in _pieces(content):
                size += len(piece)
                if size > LARGEST_MB << 20:
                    raise FileRefused(reason="too_large", most=LARGEST_MB)
                digest.update(piece)
                block = seal_bytes(piece, PURPOSE)
                copy.write(len(block).to_bytes(4, "big") + block)
        if not size:
            raise FileRefused(reason="empty")
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path, digest.digest()


def _pieces(content: IO[bytes]) -> Iterator[bytes]:
    """Whole blocks, and what is left: a stream may give less than it is asked for."""
    block = b""
    while piece := content.read(BLOCK - len(block)):
        block += piece
        if len(block) == BLOCK:
            yield block
            block = b""
    if block:
        yield block


def opened(path: Path) -> IO[bytes]:
    """The file in clear; to be read from any place. Raises FileRefused where it is gone."""
    if not path.is_file():
        raise FileRefused(reason="missing", name=path.name)
    return io.BufferedReader(_Sealed(path), BLOCK)


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
