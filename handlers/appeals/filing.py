"""提出异议: which bulletin, then what is wrong with it."""

import re

from handlers import clocks
from handlers.cards.appeals import tell_desk
from handlers.context import Context
from handlers.replies.appeals import AppealKept
from handlers.replies.shared import AskText
from handlers.router import Args, action, answer
from matrix.core.appeal import APPEAL, Appeal, AppealState
from matrix.core.bulletin import Bulletin, BulletinState
from matrix.core.case import Grade
from matrix.core.conversation import Dialog, Inbound
from matrix.core.deadline import Stage
from matrix.core.errors import Refusal
from matrix.core.lifecycle import Step
from matrix.core.roles import REPORTERS, Actor
from matrix.privacy import mask
from matrix.triage.calendar import LOCAL

# Characters: two pages on a phone; more belongs into a letter.
LIMIT = 2000
_NUMBER = re.compile(
    "(?:线索)?\\s*([\u4e00-\u9fff]{1,8}-[0-9]{4,5}(?:·[0-9]+)?|[0-9]{4}-[0-9]{2,4}|[0-9]{4,5})"
    "[\\s，,。：:]*(.*)",
    re.DOTALL,
)


@action("appeal.file", *REPORTERS)
async def begin(ctx: Context, subject: str, args: Args) -> None:
    """The button under a bulletin, or the word with its number and perhaps the text."""
    if subject:
        await _ask(ctx, await _current(ctx, await ctx.work.bulletins.get(subject)))
    elif args.get("text"):
        await _named(ctx, args["text"])
    else:
        await ctx.ask("appeal.which", AskText(what="appeal_which"))


@answer("appeal.which")
async def which_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The number, and perhaps the text."""
    del dialog
    await _named(ctx, message.text)


async def _named(ctx: Context, text: str) -> None:
    found = _NUMBER.fullmatch(text.strip())
    bulletin = await _bulletin(ctx, found[1]) if found else None
    if found is None or bulletin is None:
        raise Refusal("appeal_which", {"what": text.strip()[:20]})
    bulletin = await _current(ctx, bulletin)
    if found[2].strip():
        await _make(ctx, bulletin, found[2])
    else:
        await _ask(ctx, bulletin)


async def _bulletin(ctx: Context, number: str) -> Bulletin | None:
    """By its own number, its last digits, or the lead that it answered."""
    work = ctx.work
    exact = await work.bulletins.one(number=number)
    if exact is not None:
        return exact
    if number.isdigit():
        found = await work.bulletins.find(
            number__ends=f"-{number}", drill=False, order="-issued_at", limit=1
        )
        return found[0] if found else None
    leads = await work.leads.find(number=number, reporter=ctx.me.id, order="-received_at", limit=1)
    if not leads:
        return None
    case = await work.cases.maybe(leads[0].case)
    return await work.bulletins.maybe(leads[0].bulletin or (case.bulletin if case else ""))


async def _current(ctx: Context, bulletin: Bulletin) -> Bulletin:
    """The text that now stands in its place. Raises Refusal when there is none."""
    if bulletin.state is BulletinState.CURRENT:
        return bulletin
    newest = await ctx.work.bulletins.find(
        case=bulletin.case, state=BulletinState.CURRENT, order="-issued_at", limit=1
    )
    if not newest or not bulletin.case:
        raise Refusal("bulletin_gone")
    return newest[0]


async def _ask(ctx: Context, bulletin: Bulletin) -> None:
    await _none_open(ctx, bulletin)
    await ctx.ask(
        "appeal.text", AskText(what="appeal_text", subject=bulletin.number), bulletin=bulletin.id
    )


async def _none_open(ctx: Context, bulletin: Bulletin) -> None:
    known = await ctx.work.appeals.one(
        bulletin=bulletin.id, person=ctx.me.id, state=AppealState.OPEN
    )
    if known is not None:
        raise Refusal("appeal_open", {"what": known.number})


@answer("appeal.text")
async def text_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """What is wrong."""
    bulletin = await ctx.work.bulletins.get(str(dialog.data["bulletin"]))
    bulletin = await _current(ctx, bulletin)
    known = str(dialog.data.get("files") or "")
    files = (*filter(None, known.split(" ")), *message.files)
    if files and not message.text.strip():
        await ctx.ask(
            "appeal.text", AskText(what="appeal_words", subject=bulletin.number),
            bulletin=bulletin.id, files=" ".join(files),
        )  # fmt: skip
        return
    await _make(ctx, bulletin, message.text, files)


async def clock(ctx: Context, appeal: Appeal) -> None:
    """The desk's answer is due; without the case's id, which stops its clocks when it closes."""
    case = await ctx.work.cases.maybe(appeal.case)
    grade = case.grade if case is not None else Grade.BLUE
    await clocks.start(ctx, f"appeal:{appeal.id}", Stage.APPEAL, grade, business=ctx.at)


async def _make(ctx: Context, bulletin: Bulletin, text: str, files: tuple[str, ...] = ()) -> None:
    said = text.strip()
    if not said:
        raise Refusal("appeal_needs_text")
    if len(said) > LIMIT:
        raise Refusal("text_too_long", {"detail": str(LIMIT)})
    await _none_open(ctx, bulletin)
    local = ctx.at.astimezone(LOCAL)
    serial = await ctx.work.serial(f"appeal:{local.date().isoformat()}")
    appeal = Appeal(
        id=ctx.services.ids.new(), number=f"异{local:%m%d}-{serial:02d}", bulletin=bulletin.id,
        case=bulletin.case, person=ctx.me.id, text=mask(said),
        attachments=files, sealed=ctx.services.sealer.seal(said), received_at=ctx.at,
    )  # fmt: skip
    await ctx.work.appeals.add(appeal)
    post = ctx.post(*REPORTERS)
    actor = Actor(role=post.role, person=ctx.me.id, post=post.id, unit=post.unit)
    await ctx.log(
        Step(
            entity=APPEAL.name, entity_id=appeal.id, action="file", source="",
            target=appeal.state.value, actor=actor,
        ),
        appeal,
    )  # fmt: skip
    await clock(ctx, appeal)
    await tell_desk(ctx, appeal, bulletin)
    await ctx.reply(AppealKept(number=appeal.number, bulletin=bulletin.number))
