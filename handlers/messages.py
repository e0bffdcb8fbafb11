"""One stored message in, one transaction: who is it, what do they mean, who answers."""

import dataclasses
import re
from datetime import timedelta

from handlers import router
from handlers.context import Context
from handlers.intake import identity, receiving
from handlers.replies import choose
from handlers.replies.intake import GroupWelcome, Stranger, WhatNow
from handlers.replies.shared import AlreadyDone
from handlers.reporting import lookup, pictures
from handlers.reposting import receipts
from matrix.core.conversation import Button, Inbound
from matrix.core.errors import Refusal
from matrix.core.roles import REPORTERS, Role

_CHOICE = re.compile(r"[1-9][0-9]?")


async def receive(ctx: Context, message: Inbound) -> None:
    """Do what the message asks. Raises Refusal for what its sender can mend."""
    if message.kind == "joined":
        await ctx.reply(GroupWelcome())
        return
    if message.kind == "button":
        await press(ctx, message.token)
        return
    if message.in_group:
        await receiving.in_group(ctx, message)
        return
    if await identity.try_invitation(ctx, message.text):
        return
    if ctx.person is None and not await identity.admit_public(ctx, message):
        await ctx.reply(Stranger())
        return
    await _limit(ctx, message)
    await identity.greet(ctx)
    if message.kind == "edit":
        await receiving.edited(ctx, message)
        return
    await _understand(ctx, message)


async def _understand(ctx: Context, message: Inbound) -> None:
    text = message.text.strip()
    plain = not message.forwarded and not message.files
    if plain and _CHOICE.fullmatch(text) and await _by_number(ctx, int(text)):
        return
    if plain and await _command(ctx, text):
        return
    dialog = await ctx.work.dialogs.one(platform=ctx.platform, chat=ctx.chat, person=ctx.me.id)
    if dialog is not None and not message.forwarded:
        await ctx.work.dialogs.remove(dialog.id)
        if dialog.expires_at > ctx.at:
            await router.ANSWERS[dialog.question](ctx, dialog, message)
            return
    if plain and await lookup.find(ctx, text):
        return
    if ctx.has(Role.OPERATOR) and await _receipt(ctx, message):
        return
    if ctx.has(*REPORTERS) or message.forwarded:
        await receiving.take(ctx, message)
        return
    await ctx.reply(
        WhatNow(text=text[:60]),
        choose("lead.report_text", label="as_lead", text_=text[:2000]),
        choose("lead.search_text", label="as_search", text_=text[:60]),
        choose("help.show"),
    )


async def _limit(ctx: Context, message: Inbound) -> None:
    """Rate limits per person; what goes over is refused, the message itself stays stored."""
    policy = ctx.policy
    today = await _count(ctx, message, timedelta(days=1))
    # Who has not sent so many in a day has not sent them in a minute.
    if today <= min(policy.messages_per_minute, policy.messages_per_day):
        return
    minute = await _count(ctx, message, timedelta(minutes=1))
    if today > policy.messages_per_day or minute > policy.messages_per_minute:
        raise Refusal("too_many")


async def _count(ctx: Context, message: Inbound, span: timedelta) -> int:
    return await ctx.work.inbox.count(
        platform=message.platform, external=message.external, received_at__gt=ctx.at - span
    )


async def _command(ctx: Context, text: str) -> bool:
    """A word of the catalogue, alone or followed by what it is about."""
    words = ctx.services.words
    head, _, rest = text.partition(" ")
    for candidate, tail in ((text, ""), (head, rest.strip())):
        name = words.get(candidate.lower())
        if name is None:
            continue
        found = router.ACTIONS[name]
        if found.roles and not ctx.has(*found.roles):
            return False
        await ctx.close_dialog()
        await router.perform(ctx, name, "", {"text": tail})
        return True
    return False


async def _receipt(ctx: Context, message: Inbound) -> bool:
    """From an operator a link or screenshot is a receipt when a task waits for one."""
    return await receipts.offer(ctx, message)


async def _by_number(ctx: Context, number: int) -> bool:
    """The choice with this number in this chat: the newest one that was shown."""
    shown = await ctx.work.buttons.find(
        platform=ctx.platform, chat=ctx.chat, number=number, order="-created_at", limit=1
    )
    if not shown:
        return False
    await press(ctx, shown[0].id)
    return True


async def press(ctx: Context, token: str) -> None:
    """A button. Raises Refusal for forged, foreign, expired and settled ones."""
    button = await ctx.work.buttons.maybe(token)
    if button is None or button.chat != ctx.chat or button.platform != ctx.platform:
        raise Refusal("button_unknown")
    if button.person and (ctx.person is None or ctx.person.id != button.person):
        raise Refusal("button_not_yours")
    if button.expires_at <= ctx.at:
        raise Refusal("button_expired")
    if button.used_at is not None and not button.reusable:
        await ctx.reply(AlreadyDone(who=ctx.me.name, at=button.used_at))
        return
    if button.void:
        await _explain_void(ctx, button)
        return
    await ctx.work.buttons.save(dataclasses.replace(button, used_at=ctx.at))
    ctx.pressed = button
    args = {key: str(value) for key, value in button.args.items()}
    await router.perform(ctx, button.action, button.subject, args)


async def _explain_void(ctx: Context, button: Button) -> None:
    """The card has moved on: say who and when, from the log."""
    kind, _, entity_id = button.subject.partition(":")
    logged = await ctx.work.events(entity_id=entity_id or kind)
    events = [one for one in logged if one.action != pictures.LOOK]
    if not events:
        await ctx.reply(AlreadyDone())
        return
    last = events[-1]
    await ctx.reply(AlreadyDone(who=ctx.directory.person_name(last.person), at=last.at))
