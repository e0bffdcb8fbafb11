"""What came with a lead, an appeal, evidence or a receipt: a page that is opened from its card."""

from dataclasses import dataclass

from handlers.cards import cases as case_cards
from handlers.cards import evidence
from handlers.context import Context
from handlers.replies.shared import PicturePage
from handlers.router import Args, action
from matrix.core.appeal import Appeal
from matrix.core.conversation import Attachment
from matrix.core.errors import NotAllowed, Refusal
from matrix.core.lead import Lead
from matrix.core.roles import OWNERS, Role

_JUDGING = OWNERS | {
    Role.DESK, Role.LEADER, Role.REVIEWER_1, Role.REVIEWER_2, Role.REVIEWER_3, Role.PUBLISHER,
}  # fmt: skip

LOOK = "look"
"""The event of somebody who has opened the page: nothing is done by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """What came with ``kind`` (lead, appeal, case or task), in the order in which it came.

    Of a case its evidence, of a task its screenshots. ``number`` is what people call it. A file
    whose time is over still stands in its place, with ``removed_at``.
    """

    kind: str
    id: str
    number: str
    case: str
    files: tuple[Attachment, ...]


@action("pictures.open")
async def link(ctx: Context, subject: str, args: Args) -> None:
    """A fresh link for this person. It is a secret: it expires soon and names one thing."""
    del args
    found = await seen(ctx, subject)
    if not found.files:
        raise Refusal("no_pictures")
    if not ctx.services.pages.reachable:
        raise Refusal("no_picture_page")
    url, until = ctx.services.pages.pictures(identity=ctx.identity, subject=subject, at=ctx.at)
    await ctx.reply(
        PicturePage(
            of=found.kind, number=found.number, count=len(found.files), url=url, until=until
        )
    )


async def seen(ctx: Context, subject: str) -> Pictures:
    """What this person may see of it now. Raises NotAllowed, NotFound."""
    kind, _, entity_id = subject.partition(":")
    match kind:
        case "case":
            number, case, names = await _evidence(ctx, entity_id)
        case "task":
            number, case, names = await _screenshots(ctx, entity_id)
        case _:
            item = await _item(ctx, kind, entity_id)
            await _require_sight(ctx, item)
            number, case, names = item.number, item.case, item.attachments
    files = [await ctx.work.attachments.get(one) for one in names]
    return Pictures(kind=kind, id=entity_id, number=number, case=case, files=tuple(files))


async def opened(ctx: Context, subject: str) -> Pictures:
    """The same, and it is noted who has looked. Raises NotAllowed, NotFound."""
    found = await seen(ctx, subject)
    await ctx.note(found.kind, found.id, LOOK, found.case, files=len(found.files))
    return found


async def _evidence(ctx: Context, case_id: str) -> tuple[str, str, tuple[str, ...]]:
    """For whoever decides on it: its owner, reviewers, the desk, leaders."""
    case = await ctx.work.cases.get(case_id)
    await ctx.actor(_JUDGING, case, "conclude")
    held = await ctx.work.evidence.find(case=case.id, order="added_at")
    return case.number, case.id, evidence.files(held)


async def _screenshots(ctx: Context, task_id: str) -> tuple[str, str, tuple[str, ...]]:
    """For whoever checks receipts, and the operator who sent it."""
    task = await ctx.work.tasks.get(task_id)
    await ctx.actor({Role.PUBLISHER, Role.DESK, Role.OPERATOR}, task, "verify")
    kept = await ctx.work.receipts.find(task=task.id, undone=False, order="at")
    account = ctx.directory.accounts[task.account].name
    return account, task.case, tuple(one.attachment for one in kept if one.attachment)


async def _item(ctx: Context, kind: str, entity_id: str) -> Lead | Appeal:
    if kind == "lead":
        return await ctx.work.leads.get(entity_id)
    return await ctx.work.appeals.get(entity_id)


async def _require_sight(ctx: Context, item: Lead | Appeal) -> None:
    """The desk, and who may read it under its case (看线索, 看异议).

    A supervisor reads the leads of an area in masked words; a picture cannot be masked.
    """
    if ctx.has(Role.DESK):
        return
    case = await ctx.work.cases.maybe(item.case)
    if case is None or (isinstance(item, Appeal) and not ctx.has(*OWNERS)):
        raise NotAllowed("pictures.open")
    await case_cards.require_sight(ctx, case)
