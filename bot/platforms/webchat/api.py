"""The JSON API of the web chat: what the page itself uses, so a script can play every role."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel, Field

from bot.attachments import Attachments
from bot.channel import Markup
from bot.platforms.webchat.channel import WebChat
from bot.presenter import Presenter
from handlers.services import Services
from matrix.core.conversation import Inbound
from matrix.core.errors import Refusal
from matrix.ports import Work

PLATFORM = WebChat.platform
SHOWN = ("sending", "sent", "in-doubt")
"""The row is the message: it is shown from the moment at which it is marked."""
LONGEST_WAIT = 25.0
"""Seconds a reader may wait for something new."""


class PersonOut(BaseModel):
    """A person who can be played."""

    id: str
    handle: str
    name: str
    posts: list[dict[str, str]]


class MessageIn(BaseModel):
    """What a person sends. ``message_id`` makes a repeat recognised; ``files`` are uploads."""

    text: Annotated[str, Field(max_length=200_000)] = ""
    message_id: Annotated[str, Field(max_length=100)] = ""
    forwarded: bool = False
    files: list[str] = []
    quoted: Annotated[str, Field(max_length=200_000)] = ""
    group: Annotated[str, Field(max_length=40)] = ""
    mentioned: bool = False
    edits: Annotated[str, Field(max_length=100)] = ""


class PressIn(BaseModel):
    """A button."""

    token: Annotated[str, Field(max_length=64)]
    message_id: Annotated[str, Field(max_length=100)] = ""


class StoredOut(BaseModel):
    """``new`` is false when the message was known already."""

    message_id: str
    new: bool


class RefusedOut(BaseModel):
    """Why something is not taken, as a sentence."""

    detail: str


class ButtonOut(BaseModel):
    """A choice under a message; ``open`` says whether it may still be pressed."""

    token: str
    label: str
    number: int
    open: bool


class MessageOut(BaseModel):
    """One bubble. ``html`` holds no markup but bold; ``text`` is plain."""

    id: str
    mine: bool
    at: datetime
    text: str
    html: str
    buttons: list[ButtonOut] = []
    files: list[str] = []
    failed: bool = False
    reply: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """What the API stands on."""

    services: Services
    presenter: Presenter
    attachments: Attachments
    store: Callable[[Inbound], Awaitable[bool]]
    webchat: WebChat
    look: float | None = None
    """Seconds between looks where another process sends; None where this one is told."""


def router(backend: Backend) -> APIRouter:
    """The API. The caller guards Host and Origin."""
    api = APIRouter(prefix="/api/webchat", tags=["webchat（演示）"])
    services = backend.services

    @api.get("/people")
    async def people() -> list[PersonOut]:
        """People who can be played, those with the most telling posts first."""
        return _people(services)

    @api.get("/chats/{chat}/messages")
    async def read(
        response: Response,
        chat: str,
        after: str = "",
        limit: int = 100,
        wait: float = 0,
        seen: str = "",
    ) -> list[MessageOut]:
        """The newest messages of a chat, oldest first; ``after`` leaves out older ones.

        With ``wait`` (seconds, at most 25) the answer comes when the bot has said or changed
        something since ``seen``, or when the time is over. The header ``X-Seen`` carries the
        next ``seen``: it also counts changes of cards, which are no messages of their own.
        """
        if wait > 0:
            await _something_new(backend, chat, seen or after, min(wait, LONGEST_WAIT))
        async with services.store.read() as work:
            newest = await work.deliveries.find(
                platform=PLATFORM, address=chat, state__in=SHOWN, order="-id", limit=1
            )
            response.headers["X-Seen"] = newest[0].id if newest else ""
            return await _read(backend, work, chat, after, max(1, min(limit, 500)))

    _said(api, backend)
    _files(api, backend)
    return api


def _said(api: APIRouter, backend: Backend) -> None:
    """Messages and presses of people."""
    services = backend.services

    @api.post("/chats/{person}/messages", status_code=202)
    async def send(person: str, message: MessageIn) -> StoredOut:
        """Send a message as a person. It is stored before this answers."""
        await _known(services, person)
        ids = services.ids
        message_id = message.message_id or ids.new()
        inbound = Inbound(
            id=ids.new(),
            platform=PLATFORM,
            message_id=f"{person}:{message_id}",
            external=person,
            chat=f"group:{message.group}" if message.group else person,
            kind="edit" if message.edits else "text",
            text=message.text,
            quoted=message.quoted,
            mentioned=message.mentioned,
            in_group=bool(message.group),
            forwarded=message.forwarded,
            files=tuple(message.files),
            edits=f"{person}:{message.edits}" if message.edits else "",
            received_at=services.clock.now(),
        )
        return StoredOut(message_id=message_id, new=await backend.store(inbound))

    @api.post("/chats/{person}/presses", status_code=202)
    async def press(person: str, pressed: PressIn) -> StoredOut:
        """Press a button as a person."""
        await _known(services, person)
        message_id = pressed.message_id or services.ids.new()
        inbound = Inbound(
            id=services.ids.new(), platform=PLATFORM, message_id=f"{person}:{message_id}",
            external=person, chat=person, kind="button", token=pressed.token,
            received_at=services.clock.now(),
        )  # fmt: skip
        return StoredOut(message_id=message_id, new=await backend.store(inbound))


def _files(api: APIRouter, backend: Backend) -> None:
    """Uploads and stored pictures."""

    @api.post("/files", status_code=201, responses={415: {"model": RefusedOut}})
    async def upload(file: UploadFile) -> dict[str, str]:
        """Upload a picture or voice; the answer's id goes into a message's ``files``."""
        try:
            kept = await backend.attachments.keep(await file.read(), file.filename or "")
        except Refusal as refusal:
            sentence = backend.presenter.text("refusal", refusal.key)
            raise HTTPException(status_code=415, detail=sentence) from None
        return {"id": kept}

    @api.get("/files/{attachment}")
    async def download(attachment: str) -> Response:
        """A stored picture; never rendered as a page."""
        try:
            data, kind = await backend.attachments.read(attachment)
        except Refusal:
            raise HTTPException(status_code=404) from None
        headers = {
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'",
        }
        return Response(data, media_type=kind, headers=headers)


async def _something_new(backend: Backend, chat: str, after: str, wait: float) -> None:
    """Return as soon as the chat has a newer bubble of the bot, or the time is over."""
    told = backend.webchat.listen()
    try:
        async with asyncio.timeout(wait):
            while not (backend.webchat.closing or await _newer(backend, chat, after)):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(backend.look):
                        await told.wait()
                # Before the look, not after it: what is said meanwhile is seen at the next.
                told.clear()
    except TimeoutError:
        return
    finally:
        backend.webchat.forget(told)


async def _newer(backend: Backend, chat: str, after: str) -> bool:
    async with backend.services.store.read() as work:
        return bool(
            await work.deliveries.count(
                platform=PLATFORM, address=chat, id__gt=after, state__in=SHOWN
            )
        )


async def _known(services: Services, person: str) -> None:
    async with services.store.read() as work:
        if await work.people.maybe(person) is None:
            raise HTTPException(status_code=404, detail="没有这个人。")


def _people(services: Services) -> list[PersonOut]:
    directory = services.directory
    found: dict[str, PersonOut] = {}
    for post in directory.posts:
        person = directory.people.get(post.person)
        if person is None or post.ended:
            continue
        shown = found.setdefault(
            person.id, PersonOut(id=person.id, handle=person.handle, name=person.name, posts=[])
        )
        shown.posts.append(
            {"role": post.role.value, "unit": directory.unit_name(post.unit) if post.unit else ""}
        )
    return sorted(found.values(), key=lambda one: one.handle)


async def _read(
    backend: Backend, work: Work, chat: str, after: str, limit: int
) -> list[MessageOut]:
    criteria: dict[str, Any] = {"id__gt": after} if after else {}
    sent = await work.deliveries.find(
        platform=PLATFORM, address=chat, edits="", state__in=SHOWN,
        order="-id", limit=limit, **criteria,
    )  # fmt: skip
    heard = await work.inbox.find(
        platform=PLATFORM, chat=chat, kind__in=("text", "edit"), order="-id", limit=limit,
        **criteria,
    )  # fmt: skip
    now = backend.services.clock.now()
    shown = [
        MessageOut(
            id=one.id, mine=True, at=one.received_at, text=one.text, html="",
            files=list(one.files), failed=one.state == "failed",
        )
        for one in heard
    ]  # fmt: skip
    edits: dict[str, Any] = {}
    ids = [one.id for one in sent]
    for edit in await work.deliveries.find(edits__in=ids, order="id") if ids else []:
        edits[edit.edits] = edit.content
    for one in sent:
        content = edits.get(one.id, one.content)
        shown.append(
            MessageOut(
                id=one.id,
                mine=False,
                at=one.sent_at or one.created_at,
                text=backend.presenter.render(content, now, Markup.PLAIN),
                html=backend.presenter.render(content, now, Markup.HTML),
                buttons=await _buttons(backend, work, one.id, content),
                reply=str(content.get("reply", "")),
            )
        )
    return sorted(shown, key=lambda one: one.id)[-limit:]


async def _buttons(
    backend: Backend, work: Work, delivery: str, content: dict[str, Any]
) -> list[ButtonOut]:
    choices = content.get("choices") or []
    if not choices:
        return []
    now = backend.services.clock.now()
    stored = {one.id: one for one in await work.buttons.find(delivery=delivery)}
    made = []
    for one in choices:
        button = stored.get(one["token"])
        is_open = (
            button is not None
            and not button.void
            and (button.used_at is None or button.reusable)
            and button.expires_at > now
        )
        made.append(
            ButtonOut(
                token=one["token"], label=backend.presenter.button(one), number=one["number"],
                open=is_open,
            )
        )  # fmt: skip
    return made
