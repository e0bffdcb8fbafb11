"""What stands in a new text before anybody has written: its drafter replaces what does not fit."""

from handlers.context import Context
from matrix.core.bulletin import REBUTTALS, Kind
from matrix.core.case import Case


async def prefilled(ctx: Context, case: Case, kind: Kind) -> dict[str, str]:
    """Parts by name: what the verdict rests on, the rumor, what may be published, what to do."""
    said = ctx.policy.prefill
    rebuts = kind in REBUTTALS
    return {
        "fact": case.verdict_basis,
        "rumor": case.wording if rebuts else "",
        "why": await _sources(ctx, case) if rebuts else "",
        "todo": said.get(f"todo_{kind}", ""),
    }


async def _sources(ctx: Context, case: Case) -> str:
    """Evidence that may be published, a line each with who stands for it."""
    template = ctx.policy.prefill.get("source", "{source}")
    found = await ctx.work.evidence.find(case=case.id, publishable=True, order="added_at")
    return "\n".join(
        template.format(unit=ctx.directory.unit_name(one.unit), source=one.source.rstrip("。"))
        for one in found
        if one.source != case.verdict_basis
    )
