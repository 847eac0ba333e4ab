"""What is sent is not taken in beyond a size that no form of ours accepts: it fills neither memory nor disk."""

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, StopUpload

LARGEST_MB = 512


class CappedUploadHandler(FileUploadHandler):
    """Stands before Django's own handlers. A larger file never reaches its form, which then says that it is missing."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if start + len(raw_data) > LARGEST_MB << 20:
            raise StopUpload(connection_reset=False)
        return raw_data

    def file_complete(self, file_size: int) -> Any:
        return None
