"""Whoever was right about a text hears of its correction."""

from handlers.context import Context
from handlers.replies.appeals import AppealCorrected
from matrix.core.appeal import AppealState
from matrix.core.bulletin import Bulletin


async def tell(ctx: Context, old: Bulletin, new: Bulletin) -> None:
    """The correction, to those whose appeal against the old text was upheld, once.

    Who is owed it as a reporter hears of it so.
    """
    for appeal in await ctx.work.appeals.find(bulletin=old.id, state=AppealState.UPHELD):
        if await ctx.work.feedback.count(person=appeal.person, outcome=f"bulletin:{new.id}"):
            continue
        await ctx.tell(
            appeal.person,
            AppealCorrected(
                number=appeal.number, title=new.title, short=new.short, url=new.url
            ),
            dedup=f"appeal-corrected:{appeal.id}:{new.id}", subject=f"appellant:{appeal.id}",
        )  # fmt: skip
