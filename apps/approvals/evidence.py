"""Which files a request takes: a few kinds, told by what is in them, not by their name. Pure."""

from apps.approvals.errors import EvidenceRefused

LARGEST = 5 << 20
MOST_FILES = 10
_SIGNATURES = {
    "png": (b"\x89PNG\r\n\x1a\n", "image/png"),
    "jpg": (b"\xff\xd8\xff", "image/jpeg"),
    "jpeg": (b"\xff\xd8\xff", "image/jpeg"),
    "pdf": (b"%PDF-", "application/pdf"),
    "xlsx": (b"PK\x03\x04", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
_TEXTS = {"txt": "text/plain", "csv": "text/csv"}


def type_of(name: str, content: bytes) -> str:
    """The content type of a file that is taken. Raises EvidenceRefused."""
    if not 0 < len(content) <= LARGEST:
        raise EvidenceRefused(why="size")
    ending = name.rpartition(".")[2].lower()
    if ending in _SIGNATURES:
        signature, content_type = _SIGNATURES[ending]
        if content.startswith(signature):
            return content_type
    if ending in _TEXTS and b"\0" not in content and content.lstrip()[:1] != b"<":
        return _TEXTS[ending]
    raise EvidenceRefused(why="type")
