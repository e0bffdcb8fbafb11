"""Files in: typed by content, size-limited, EXIF stripped, kept by hash, never as HTML."""

import asyncio
import contextlib
import dataclasses
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from matrix.core.conversation import Attachment
from matrix.core.errors import NotFound, Refusal, StaleVersion
from matrix.ports import Clock, Ids, Store

LIMIT = 10 * 1024 * 1024
PIXELS = 40_000_000
_AUDIO = {
    b"#!AMR": "audio/amr",
    b"OggS": "audio/ogg",
    b"ID3": "audio/mpeg",
    b"\xff\xfb": "audio/mpeg",
}


def content_type(data: bytes) -> str:
    """By content, never by name; unknown bytes are ``application/octet-stream``."""
    for magic, kind in _AUDIO.items():
        if data.startswith(magic):
            return kind
    if data.startswith(b"%PDF-"):
        return "application/pdf"
    try:
        with Image.open(io.BytesIO(data)) as image:
            return Image.MIME.get(image.format or "", "application/octet-stream")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        return "application/octet-stream"


def strip(data: bytes) -> bytes:
    """A picture without EXIF, place and camera. Raises Refusal for what is too large to open."""
    with Image.open(io.BytesIO(data)) as image:
        if image.width * image.height > PIXELS:
            raise Refusal("picture_too_large")
        kind = image.format or "PNG"
        plain = Image.new(image.mode, image.size)
        plain.paste(image)
        if image.mode == "P" and (palette := image.getpalette()):
            plain.putpalette(palette)
        out = io.BytesIO()
        plain.save(out, format=kind)
        return out.getvalue()


class Attachments:
    """Keeps files in the data folder, named by hash."""

    def __init__(self, folder: Path, store: Store, clock: Clock, ids: Ids) -> None:
        """``folder`` is made when the first file comes."""
        self._folder = folder
        self._store = store
        self._clock = clock
        self._ids = ids

    async def keep(self, data: bytes, name: str) -> str:
        """Store a file and return its id; the same bytes are one file.

        Raises:
            Refusal: too large, or of a kind that is not taken.
        """
        if len(data) > LIMIT:
            raise Refusal("file_too_large")
        kind = content_type(data)
        if kind == "application/octet-stream":
            raise Refusal("file_kind")
        if kind.startswith("image/"):
            data = await asyncio.to_thread(strip, data)
        digest = hashlib.sha256(data).hexdigest()
        await asyncio.to_thread(self._write, digest, data)
        made = Attachment(
            id=self._ids.new(), digest=digest, content_type=kind, size=len(data),
            name=name[:100], at=self._clock.now(),
        )  # fmt: skip
        async with self._store.work() as work:
            known = await work.attachments.one(digest=digest)
            if known is not None:
                kept = dataclasses.replace(known, at=self._clock.now(), removed_at=None)
                await work.attachments.save(kept)
                await work.commit()
                return known.id
            with contextlib.suppress(StaleVersion):
                await work.attachments.add(made)
            await work.commit()
        return made.id

    def _write(self, digest: str, data: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / digest
        if not path.exists():
            partial = path.with_suffix(".part")
            partial.write_bytes(data)
            partial.rename(path)

    async def remove(self, digests: Sequence[str]) -> None:
        """Delete bytes whose time is over."""
        for digest in digests:
            await asyncio.to_thread((self._folder / digest).unlink, missing_ok=True)

    async def read(self, attachment_id: str) -> tuple[bytes, str]:
        """Bytes and content type. Raises NotFound when they are gone."""
        async with self._store.read() as work:
            kept = await work.attachments.get(attachment_id)
        if kept.removed_at is not None:
            raise NotFound("attachment")
        path = self._folder / kept.digest
        try:
            return await asyncio.to_thread(path.read_bytes), kept.content_type
        except FileNotFoundError:
            raise NotFound("attachment") from None
