"""The desk answers an appeal: upheld, and the text is corrected; or not, in public words."""

import dataclasses
from datetime import timedelta

from handlers import clocks
from handlers.cards import appeals as cards
from handlers.cards import cases as case_cards
from handlers.cards import pictures
from handlers.context import Context
from handlers.publishing.correcting import is_open, open_correction
from handlers.publishing.issuing import touch
from handlers.replies import choose
from handlers.replies.appeals import AppealDecided
from handlers.replies.shared import AskText, Done, Listing, Settled
from handlers.replies.triage import Alarm
from handlers.router import Args, action, answer
from matrix.core.appeal import APPEAL, Appeal, not_author
from matrix.core.bulletin import Bulletin, BulletinState
from matrix.core.conversation import Dialog, Inbound
from matrix.core.roles import Role


@action("appeal.open", Role.DESK)
async def show(ctx: Context, subject: str, args: Args) -> None:
    """The appeal beside the text in question."""
    del args
    appeal = await ctx.work.appeals.get(subject)
    bulletin = await ctx.work.bulletins.get(appeal.bulletin)
    await ctx.reply(
        await cards.card(ctx, appeal, bulletin),
        *cards.choices(appeal),
        subject=f"appeal:{appeal.id}",
    )  # fmt: skip


@action("case.appeals", Role.DESK, Role.HANDLER, Role.UNIT_HEAD)
async def of_case(ctx: Context, subject: str, args: Args) -> None:
    """看异议: what is held against the texts of a case, without who says so."""
    del args
    case = await ctx.work.cases.get(subject)
    await case_cards.require_sight(ctx, case)
    found = await ctx.work.appeals.find(case=case.id, order="-received_at")
    lines = tuple([await cards.line(ctx, one) for one in found[:10]])
    await ctx.reply(
        Listing(what="appeals", subject=case.number, total=len(found), lines=lines),
        *pictures.listed(found[:10]),
    )


@action("appeal.uphold", Role.DESK)
async def uphold(ctx: Context, subject: str, args: Args) -> None:
    """异议成立: why, in words that the appellant and the unit read."""
    del args
    await _ask(ctx, subject, "uphold")


@action("appeal.deny", Role.DESK)
async def deny(ctx: Context, subject: str, args: Args) -> None:
    """异议不成立: why, in public words."""
    del args
    await _ask(ctx, subject, "deny")


async def _ask(ctx: Context, appeal_id: str, verb: str) -> None:
    appeal = await ctx.work.appeals.get(appeal_id)
    APPEAL.rule(appeal.state, verb)
    ctx.require("not_appellant", holds=appeal.person != ctx.me.id)
    facts = await _authors(ctx, await ctx.work.bulletins.get(appeal.bulletin))
    actor = await ctx.actor({Role.DESK}, appeal, verb)
    ctx.require("not_author", holds=not_author(appeal, actor, facts))
    await ctx.ask(
        "appeal.decide",
        AskText(what=f"appeal_{verb}", subject=appeal.number),
        id=appeal.id, verb=verb,
    )  # fmt: skip


@answer("appeal.decide")
async def decide_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The reason: the appeal is answered, and the appellant told, once."""
    verb, reason = str(dialog.data["verb"]), message.text.strip()[:500]
    appeal = await ctx.work.appeals.get(str(dialog.data["id"]))
    bulletin = await ctx.work.bulletins.get(appeal.bulletin)
    appeal = await ctx.move(
        APPEAL, ctx.work.appeals, appeal, verb,
        facts={"reason": reason, **await _authors(ctx, bulletin)}, reason=reason,
        decided_by=ctx.me.id, decided_at=ctx.at,
    )  # fmt: skip
    await clocks.stop(ctx, f"appeal:{appeal.id}")
    outcome = await _correct(ctx, bulletin, reason) if verb == "uphold" else "denied"
    what = f"appeal_{verb}"
    await ctx.settle_cards(
        f"appeal:{appeal.id}", Settled(what=what, who=ctx.me.name, at=ctx.at, detail=reason)
    )
    await _tell(ctx, appeal, bulletin, outcome)
    await ctx.reply(
        Done(what=what, subject=appeal.number),
        choose("appeal.undo", appeal.id, version=str(appeal.version)),
        *([choose("case.open", appeal.case, keep=True)] if appeal.case else []),
    )


async def _correct(ctx: Context, bulletin: Bulletin, reason: str) -> str:
    """What an upheld appeal does to the text, as a key under ``appeal_outcome``.

    Ours is corrected by its unit. One that was imported belongs to its issuer: it is doubted here
    and only suggested from now on. One that is no longer in force needs nothing.
    """
    if bulletin.state is not BulletinState.CURRENT:
        return "replaced"
    if not bulletin.case:
        before = bulletin.review_at.isoformat() if bulletin.review_at else ""
        doubted = await touch(ctx, dataclasses.replace(bulletin, review_at=ctx.at))
        await ctx.work.bulletins.save(doubted)
        await ctx.note("bulletin", bulletin.id, "doubt", before=before)
        return "doubted"
    if not await is_open(ctx, bulletin):
        await open_correction(ctx, bulletin, reason=reason)
    return "correcting"


async def _tell(ctx: Context, appeal: Appeal, bulletin: Bulletin, outcome: str) -> None:
    """Said when the answer cannot be taken back any more."""
    purpose = f"appeal:{appeal.id}"
    told = await ctx.tell(
        appeal.person,
        AppealDecided(
            number=appeal.number, title=bulletin.title, outcome=outcome, reason=appeal.reason,
            url=bulletin.url,
        ),
        purpose=purpose, dedup=f"{purpose}:{appeal.version}", subject=f"appellant:{appeal.id}",
    )  # fmt: skip
    if told is None:
        await untold(ctx, appeal.id)
        return
    after = ctx.at + timedelta(minutes=ctx.policy.undo_minutes)
    await ctx.work.deliveries.save(dataclasses.replace(told, not_before=after))


async def _authors(ctx: Context, bulletin: Bulletin) -> dict[str, object]:
    """Who wrote and signed the text, and whether this person belongs to the unit behind it."""
    text = await ctx.work.revisions.maybe(bulletin.revision)
    signed = await ctx.work.reviews.find(revision=bulletin.revision, passed=True, undone=False)
    unit = text.unit if text is not None else bulletin.issuer
    return {
        "authors": {one.person for one in signed} | ({text.drafter} if text is not None else set()),
        "own_unit": bool(unit) and any(post.unit == unit for post in ctx.posts),
    }


async def untold(ctx: Context, appeal_id: str) -> None:
    """The answer reached nobody: the desk sees it."""
    appeal = await ctx.work.appeals.get(appeal_id)
    await ctx.tell_role(
        Role.DESK,
        Alarm(what="appeal_untold", number=appeal.number),
        choose("appeal.open", appeal.id, keep=True),
    )
