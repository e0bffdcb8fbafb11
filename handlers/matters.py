"""What a text is about: its case, or itself, where it is 普法 and answers no rumor."""

from handlers.context import Context
from matrix.core.case import Case, Grade
from matrix.core.errors import NotFound

_PREFIX = "普法-"


async def number_for(ctx: Context) -> str:
    """The number of a new 普法 text, which is also its key: every revision of it carries it."""
    return f"{_PREFIX}{await ctx.work.serial(_PREFIX):04d}"


async def maybe(ctx: Context, key: str) -> Case | None:
    """The case with this id; for a 普法 text a case that is never stored and never moves."""
    case = await ctx.work.cases.maybe(key)
    if case is not None or not key.startswith(_PREFIX):
        return case
    newest = await ctx.work.revisions.find(case=key, order="-serial", limit=1)
    if not newest:
        return None
    text = newest[0]
    return Case(
        id=key, number=key, claim="", wording=text.title, grade=Grade.BLUE, owner=text.unit,
        received_at=text.created_at, filed_at=text.created_at, stage_since=text.created_at,
    )  # fmt: skip


async def of(ctx: Context, key: str) -> Case:
    """The same. Raises NotFound."""
    found = await maybe(ctx, key)
    if found is None:
        raise NotFound("case")
    return found


def stands_alone(case: Case) -> bool:
    """Whether there is no case behind the text."""
    return case.id == case.number
