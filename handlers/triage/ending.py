"""不予受理, 转出: a lead ends without a case."""

from handlers import clocks
from handlers.context import Context
from handlers.feedback import owing
from handlers.replies import choose
from handlers.replies.shared import Pick, Settled
from handlers.router import Args, action
from handlers.triage import leads, references
from matrix.core.lead import LEAD, Lead
from matrix.core.roles import Role

REASONS = ("not_rumor", "unclear", "not_ours", "opinion", "duplicate")


@action("lead.reject", Role.DESK)
async def reject(ctx: Context, subject: str, args: Args) -> None:
    """不予受理, with a reason from the list; the reporter is told in public words."""
    lead = await ctx.work.leads.get(subject)
    if "reason" not in args:
        LEAD.rule(lead.state, "reject")
        await ctx.reply(
            Pick(what="reject_reason", subject=lead.number),
            *[choose("lead.reject", lead.id, label=f"reason_{one}", reason=one) for one in REASONS],
        )
        return
    await _end(ctx, lead, "reject", "rejected", args["reason"])


@action("lead.refer", Role.DESK)
async def refer(ctx: Context, subject: str, args: Args) -> None:
    """转出: to 12345, upward, or to another body."""
    lead = await ctx.work.leads.get(subject)
    if "to" not in args:
        LEAD.rule(lead.state, "refer")
        await ctx.reply(
            Pick(what="refer_to", subject=lead.number),
            *[choose("lead.refer", lead.id, label=f"refer_{to}", to=to) for to in REFERRALS],
        )
        return
    lead = await _end(ctx, lead, "refer", "referred", args["to"])
    await references.ask(ctx, lead, args["to"])


REFERRALS = ("12345", "upward", "other")


async def _end(ctx: Context, lead: Lead, verb: str, what: str, reason: str) -> Lead:
    lead = await ctx.move(LEAD, ctx.work.leads, lead, verb, reason=reason)
    await clocks.stop(ctx, f"lead:{lead.id}")
    await ctx.settle_cards(f"lead:{lead.id}", Settled(what=what, who=ctx.me.name, at=ctx.at))
    # Told when the undo window is over: what is taken back was never said.
    await owing.owe(ctx, lead, f"{what}:{lead.id}", after=owing.undo_over(ctx))
    await leads.undoable(ctx, lead, what, reason)
    return lead
