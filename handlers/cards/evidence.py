"""Evidence in a list, and the button under it that opens what came as a picture or a document."""

from handlers.context import Context
from handlers.replies import Choice, choose
from handlers.replies.assignment import EvidenceLine
from matrix.core.verification import Evidence


def line(one: Evidence, most: int) -> EvidenceLine:
    """A piece of evidence, its words up to ``most`` characters."""
    return EvidenceLine(
        source=one.source[:most],
        file="yes" if one.attachment else "",
        public="yes" if one.publishable else "",
    )


def files(held: list[Evidence]) -> tuple[str, ...]:
    """The attachments among the evidence, in its order."""
    return tuple(one.attachment for one in held if one.attachment)


async def offered(ctx: Context, case: str) -> list[Choice]:
    """看依据附件, with how many there are; nothing where there are none."""
    count = len(files(await ctx.work.evidence.find(case=case)))
    if not count:
        return []
    return [choose("pictures.open", f"case:{case}", "evidence_open", str(count), keep=True)]
