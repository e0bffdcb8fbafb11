"""The ways to speak: answers, cards, questions, and what becomes of a card that is settled."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from handlers import access
from handlers.replies import Choice, Reply, choose
from handlers.replies.shared import PostLine
from handlers.services import Directory, Policy, Services
from handlers.wire import encode_reply
from matrix.core.conversation import Button, Dialog
from matrix.core.delivery import Delivery, DeliveryState
from matrix.core.directory import Person, Post, UnitKind
from matrix.core.entity import Entity
from matrix.core.errors import NotAllowed
from matrix.core.roles import Role
from matrix.ports import Work

E = TypeVar("E", bound=Entity)
NUMBERS = 99
"""Choice numbers run on across questions and wrap here."""


@dataclass(slots=True, kw_only=True)
class Voice:
    """Who speaks where, and what has been said in this request.

    ``answering`` is the platform's id of the message that is being answered.
    """

    services: Services
    work: Work
    at: datetime
    person: Person | None = None
    platform: str = ""
    chat: str = ""
    answering: str = ""
    said: list[Delivery] = field(default_factory=list)

    @property
    def policy(self) -> Policy:
        """The district's numbers."""
        return self.services.policy

    @property
    def directory(self) -> Directory:
        """The directory in force."""
        return self.services.directory

    @property
    def me(self) -> Person:
        """The person. Raises NotAllowed for strangers."""
        if self.person is None:
            raise NotAllowed("person")
        return self.person

    async def reply(
        self, reply: Reply, *choices: Choice, subject: str = "", purpose: str = ""
    ) -> Delivery:
        """Answer where the person spoke."""
        return await self._say(
            self.platform,
            self.chat,
            self.person.id if self.person else "",
            reply,
            choices,
            subject=subject,
            purpose=purpose,
            answers=self.answering,
        )

    async def tell(
        self,
        person: str,
        reply: Reply,
        *choices: Choice,
        subject: str = "",
        purpose: str = "",
        dedup: str | None = None,
        skip: Sequence[str] = (),
        roles: Collection[Role] = (),
        unit: str = "",
    ) -> Delivery | None:
        """Speak to a person where they can be reached; None when nowhere.

        ``skip`` are ``platform:chat`` already tried. The newest binding is preferred. ``roles``
        (in ``unit``) say which of the person's posts is spoken to.
        """
        identities = await self.work.identities.find(
            person=person, revoked_at=None, order="-bound_at"
        )
        usable = [one for one in identities if f"{one.platform}:{one.chat}" not in skip]
        if not usable:
            return None
        first = usable[0]
        here = (first.platform, first.chat) == (self.platform, self.chat)
        return await self._say(
            first.platform,
            first.chat,
            person,
            reply,
            choices,
            subject=subject,
            purpose=purpose,
            dedup=dedup,
            post=self.post_line(person, roles, unit) if choices else None,
            answers=self.answering if here else "",
        )

    def post_line(self, person: str, roles: Collection[Role], unit: str) -> PostLine | None:
        """Which post a card asks, where its reader holds several; None where there is no doubt."""
        today = access.beijing_date(self.at)
        held = [one for one in self.directory.posts_of(person) if access.in_force(one, today)]
        meant = [p for p in held if p.role in roles and (not unit or p.unit == unit)]
        if not meant or len(held) == 1:
            return None
        units = dict.fromkeys(post.unit for post in meant if post.role is meant[0].role)
        return PostLine(unit="、".join(map(self._body, units)), role=meant[0].role)

    def _body(self, code: str) -> str:
        """The short name of a unit; the desk and posts without a unit are the district's."""
        unit = self.directory.units.get(code)
        own = unit is None or unit.kind is UnitKind.DESK
        return self.policy.short_name if own else self.directory.unit_name(code)

    async def tell_role(
        self, role: Role, reply: Reply, *choices: Choice, unit: str = "", subject: str = ""
    ) -> int:
        """Speak to everyone who holds a role (in a unit); returns how many were reached."""
        reached = 0
        for person in dict.fromkeys(self.holders(role, unit=unit)):
            told = await self.tell(
                person, reply, *choices, subject=subject, roles=(role,), unit=unit
            )
            reached += told is not None
        return reached

    def holders(self, *roles: Role, unit: str = "") -> list[str]:
        """Persons who hold one of the roles today."""
        return [post.person for post in self.posts_held(*roles, unit=unit)]

    def posts_held(self, *roles: Role, unit: str = "") -> list[Post]:
        """Posts with one of the roles that are held today."""
        today = access.beijing_date(self.at)
        return [
            post
            for post in self.directory.posts_with(*roles)
            if (not unit or post.unit == unit) and access.in_force(post, today)
        ]

    async def _say(
        self,
        platform: str,
        chat: str,
        person: str,
        reply: Reply,
        choices: Sequence[Choice],
        *,
        subject: str = "",
        purpose: str = "",
        dedup: str | None = None,
        post: PostLine | None = None,
        answers: str = "",
    ) -> Delivery:
        delivery_id = self.services.ids.new()
        buttons = await self._buttons(delivery_id, platform, chat, person, choices)
        delivery = Delivery(
            id=delivery_id,
            platform=platform,
            address=chat,
            person=person,
            purpose=purpose,
            subject=subject,
            content=encode_reply(reply, buttons, post),
            dedup=dedup,
            harmless=dedup is None and bool(choices),
            answers=answers,
            created_at=self.at,
        )
        await self.work.deliveries.add(delivery)
        await self.work.buttons.add_all([button for _, button in buttons])
        self.said.append(delivery)
        return delivery

    async def _buttons(
        self, delivery: str, platform: str, chat: str, person: str, choices: Sequence[Choice]
    ) -> list[tuple[Choice, Button]]:
        """Tokens and numbers; the numbers of a chat run on across questions."""
        if not choices:
            return []
        first = await self.work.serial(f"choice:{platform}:{chat}", len(choices))
        expires_at = self.at + timedelta(days=self.policy.button_days)
        return [
            (
                choice,
                Button(
                    id=self.services.ids.token(),
                    delivery=delivery,
                    platform=platform,
                    chat=chat,
                    person=person,
                    action=choice.action,
                    subject=choice.subject,
                    args=dict(choice.args),
                    number=(first + place - 1) % NUMBERS + 1,
                    created_at=self.at,
                    expires_at=expires_at,
                    reusable=choice.reusable,
                ),
            )
            for place, choice in enumerate(choices)
        ]

    async def ask(self, question: str, reply: Reply, *choices: Choice, **data: str) -> None:
        """Ask for free text; the next typed message of this person here answers it."""
        await self.close_dialog()
        dialog = Dialog(
            id=self.services.ids.new(),
            platform=self.platform,
            chat=self.chat,
            person=self.me.id,
            question=question,
            data=data,
            expires_at=self.at + timedelta(minutes=self.policy.dialog_minutes),
        )
        await self.work.dialogs.add(dialog)
        await self.reply(reply, *choices, choose("dialog.cancel"))

    async def close_dialog(self) -> None:
        """Forget the open question of this person here."""
        for dialog in await self.work.dialogs.find(
            platform=self.platform, chat=self.chat, person=self.me.id
        ):
            await self.work.dialogs.remove(dialog.id)

    async def settle_cards(self, subject: str, note: Reply, *, keep: str = "") -> None:
        """Cards about a subject change to their new state and lose their buttons.

        ``keep`` is a delivery whose card stays as it is.
        """
        for card in await self.work.deliveries.find(subject=subject, edits=""):
            if card.id == keep or card.state is DeliveryState.CANCELLED:
                continue
            if await self._void_buttons(card.id):
                await self._edit(card, note)

    async def _void_buttons(self, delivery: str) -> int:
        live = await self.work.buttons.find(delivery=delivery, used_at=None, void="")
        for button in live:
            await self.work.buttons.save(dataclasses.replace(button, void="settled"))
        return len(live)

    async def rewrite(self, card: Delivery, reply: Reply, newest: Delivery) -> None:
        """A card says how things stand now; its buttons stay. ``newest`` is how it looks so far."""
        content = {**card.content, **encode_reply(reply, []), "choices": card.content["choices"]}
        if content != newest.content:
            await self._change(card, content, card.subject)

    async def _edit(self, card: Delivery, note: Reply) -> None:
        content = dict(card.content)
        content["choices"] = []
        content["note"] = encode_reply(note, [])
        await self._change(card, content)

    async def _change(
        self, card: Delivery, content: Mapping[str, object], subject: str = ""
    ) -> None:
        await self.work.deliveries.add(
            Delivery(
                id=self.services.ids.new(),
                platform=card.platform,
                address=card.address,
                person=card.person,
                subject=subject,
                content=content,
                edits=card.id,
                harmless=True,
                created_at=self.at,
            )
        )
