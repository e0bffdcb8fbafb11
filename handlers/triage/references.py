"""National policy is answered by the ministry: its answer is linked for the reporters."""

import dataclasses
from typing import cast

from handlers.context import Context
from handlers.feedback.owing import tree
from handlers.replies.shared import AskText, Done
from handlers.router import answer
from matrix.core.case import Case
from matrix.core.conversation import Dialog, Inbound
from matrix.core.errors import Refusal
from matrix.core.lead import Lead
from matrix.core.url import URL
from matrix.triage.routing import UPWARD, Why


async def ask(ctx: Context, about: Lead | Case, to: str) -> None:
    """After a referral upward of a matter that is national policy: where is the answer?"""
    routing = about.routing if isinstance(about, Case) else about.proposal.get("routing")
    reasons = cast("list[tuple[str, str, str]]", routing or [])
    if to == UPWARD and any(why == Why.NATIONAL for why, _, _ in reasons):
        kind = "case" if isinstance(about, Case) else "lead"
        await ctx.ask(
            "refer.link",
            AskText(what="ministry_answer", subject=about.number),
            kind=kind,
            id=about.id,
        )


@answer("refer.link")
async def link_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The link, which the reporters are told together with the referral."""
    found = URL.search(message.text)
    if found is None:
        raise Refusal("no_link")
    if dialog.data["kind"] == "case":
        case = await ctx.work.cases.get(str(dialog.data["id"]))
        number, leads = case.number, await tree(ctx, case)
    else:
        lead = await ctx.work.leads.get(str(dialog.data["id"]))
        number, leads = lead.number, [lead]
    for one in leads:
        await ctx.work.leads.save(dataclasses.replace(one, reference=found.group(0)))
        await ctx.note("lead", one.id, "reference", one.case)
    await ctx.reply(Done(what="reference_kept", subject=number))
