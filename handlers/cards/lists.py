"""Cases in lists."""

from collections.abc import Sequence

from handlers import clocks
from handlers.context import Context
from handlers.replies.shared import CaseLine
from matrix.core.case import Case


async def case_lines(ctx: Context, cases: Sequence[Case]) -> tuple[CaseLine, ...]:
    """One line each, with the nearest due time."""
    return tuple(
        [
            CaseLine(
                number=case.number, grade=case.grade, state=case.state,
                wording=case.wording[:40], due_at=await clocks.case_due(ctx, case.id),
            )
            for case in cases
        ]
    )  # fmt: skip
