"""A bulletin as it is shown."""

from handlers.cards.appeals import answers
from handlers.context import Context
from handlers.replies.intake import BulletinShown
from matrix.core.bulletin import Bulletin


async def shown(ctx: Context, bulletin: Bulletin, *, dated: bool = False) -> BulletinShown:
    """A bulletin in short form; ``dated`` for colleagues, who keep its two dates."""
    return BulletinShown(
        title=bulletin.title,
        short=bulletin.short,
        issuer=ctx.directory.unit_name(bulletin.issuer),
        issued_at=bulletin.issued_at,
        expires_at=bulletin.expires_at if dated else None,
        review_at=bulletin.review_at if dated else None,
        url=bulletin.url,
        appeals=await answers(ctx, bulletin),
    )
