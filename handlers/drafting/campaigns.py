"""普法: a text against what is told every year, of no case and without a verdict."""

from handlers import matters
from handlers.context import Context
from handlers.drafting import writing
from handlers.replies import choose
from handlers.replies.shared import Pick
from handlers.router import Args, action
from matrix.core.bulletin import Kind, RevisionState
from matrix.core.case import Case, Grade
from matrix.core.roles import OWNERS

_UNSIGNED = (
    RevisionState.DRAFT, RevisionState.REVIEW_1, RevisionState.REVIEW_2, RevisionState.REVIEW_3,
    RevisionState.SENT_BACK,
)  # fmt: skip


@action("draft.campaign", *OWNERS)
async def campaign(ctx: Context, subject: str, args: Args) -> None:
    """普法: the unit's texts that are not out yet, or a new one; no case and no verdict."""
    del subject
    units = list({post.unit for post in ctx.posts if post.role in OWNERS})
    texts = await ctx.work.revisions.find(
        kind=Kind.CAMPAIGN, unit__in=units, state__in=_UNSIGNED, corrects="", order="-created_at"
    )
    if texts and "new" not in args:
        await ctx.reply(
            Pick(what="campaign_text"),
            *[choose("draft.open", one.case, text=one.case, keep=True) for one in texts[:5]],
            choose("draft.campaign", label="campaign_new", new="yes"),
        )
        return
    key = await matters.number_for(ctx)
    post = ctx.post(*OWNERS)
    blank = Case(
        id=key, number=key, claim="", wording="", grade=Grade.BLUE, owner=post.unit,
        received_at=ctx.at, filed_at=ctx.at, stage_since=ctx.at,
    )  # fmt: skip
    revision = await writing.start(ctx, blank, Kind.CAMPAIGN)
    await writing.show(ctx, blank, revision)
