"""Evidence: kept with its hash, who added it, and whether it may be published."""

import hashlib

from handlers.cards import evidence as cards
from handlers.context import Context
from handlers.replies import choose
from handlers.replies.shared import AskText, Done, Listing, Pick
from handlers.router import Args, action, answer
from handlers.verification.beginning import begin
from matrix.core.case import Case
from matrix.core.conversation import Dialog, Inbound
from matrix.core.errors import Refusal
from matrix.core.roles import OWNERS
from matrix.core.verification import Evidence


async def add(
    ctx: Context, case: Case, source: str, *, publishable: bool, unit: str, file: str = ""
) -> Evidence:
    """Keep one piece of evidence."""
    made = Evidence(
        id=ctx.services.ids.new(), case=case.id, source=source,
        digest=hashlib.sha256((source + file).encode()).hexdigest(),
        publishable=publishable, attachment=file, added_by=ctx.me.id, unit=unit, added_at=ctx.at,
    )  # fmt: skip
    await ctx.work.evidence.add(made)
    await ctx.note("evidence", made.id, "add", case.id, publishable=publishable)
    return made


@action("evidence.add", *OWNERS)
async def ask(ctx: Context, subject: str, args: Args) -> None:
    """添加依据: a sentence, a link, or a picture."""
    del args
    case = await ctx.work.cases.get(subject)
    await ctx.actor(OWNERS, case, "conclude")
    held = await ctx.work.evidence.find(case=case.id, order="added_at")
    if held:
        lines = tuple(cards.line(one, 80) for one in held)
        await ctx.reply(
            Listing(what="evidence", subject=case.number, total=len(lines), lines=lines),
            *await cards.offered(ctx, case.id),
        )
    await ctx.ask("evidence.source", AskText(what="evidence", subject=case.number), case=case.id)


@answer("evidence.source")
async def source_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """What it is; then whether it may be published."""
    if not message.text.strip() and not message.files:
        raise Refusal("empty")
    await ctx.reply(
        Pick(what="publishable"),
        *[
            choose(
                "evidence.keep", str(dialog.data["case"]), label=f"public_{public}",
                public=public, source=message.text.strip()[:1000],
                file=message.files[0] if message.files else "",
            )
            for public in ("yes", "no")
        ],
    )  # fmt: skip


@action("evidence.keep", *OWNERS)
async def keep(ctx: Context, subject: str, args: Args) -> None:
    """Kept; verification has begun with it."""
    case = await begin(ctx, await ctx.work.cases.get(subject))
    actor = await ctx.actor(OWNERS, case, "conclude")
    await add(
        ctx, case, args["source"], publishable=args["public"] == "yes",
        unit=actor.unit, file=args["file"],
    )  # fmt: skip
    await ctx.reply(
        Done(what="evidence_kept", subject=case.number),
        choose("evidence.add", case.id, keep=True),
        choose("case.conclude", case.id),
        choose("case.open", case.id, keep=True),
    )
