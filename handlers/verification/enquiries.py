"""向报告人提问: the unit asks under the pseudonym, the reporter answers through the bot."""

from handlers.context import Context
from handlers.intake.reporter import own
from handlers.replies import choose
from handlers.replies.intake import Enquiry
from handlers.replies.shared import AskText, Done, Line, Listing, Pick
from handlers.router import Args, action, answer
from matrix.core.conversation import Dialog, Inbound
from matrix.core.errors import Refusal
from matrix.core.roles import OWNERS


@action("enquiry.ask", *OWNERS)
async def ask(ctx: Context, subject: str, args: Args) -> None:
    """Which lead's reporter, then what."""
    case = await ctx.work.cases.get(subject)
    await ctx.actor(OWNERS, case, "conclude")
    leads = await ctx.work.leads.find(case=case.id, order="received_at", limit=6)
    if not leads:
        raise Refusal("no_leads")
    chosen = args.get("lead") or (leads[0].id if len(leads) == 1 else "")
    if not chosen:
        await ctx.reply(
            Pick(what="which_lead", subject=case.number),
            *[choose("enquiry.ask", case.id, text=one.number, lead=one.id) for one in leads],
        )
        return
    await ctx.ask("enquiry.question", AskText(what="enquiry", subject=case.number), lead=chosen)


@answer("enquiry.question")
async def question_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """Goes to the reporter, who stays unknown to the unit."""
    lead = await ctx.work.leads.get(str(dialog.data["lead"]))
    told = await ctx.tell(
        lead.reporter,
        Enquiry(number=lead.number, question=message.text.strip()[:500]),
        choose("enquiry.reply", lead.id, to=ctx.me.id),
        subject=f"enquiry:{lead.id}",
    )
    await ctx.note("lead", lead.id, "enquiry", lead.case)
    await ctx.reply(
        Done(what="enquiry_sent" if told else "enquiry_unreachable", subject=lead.number)
    )


@action("enquiry.reply")
async def reply(ctx: Context, subject: str, args: Args) -> None:
    """The reporter answers."""
    lead = await own(ctx, subject)
    await ctx.ask(
        "enquiry.reply",
        AskText(what="enquiry_reply", subject=lead.number),
        lead=lead.id,
        to=args["to"],
    )


@answer("enquiry.reply")
async def reply_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """Goes back under the lead's number only."""
    lead = await own(ctx, str(dialog.data["lead"]))
    await ctx.note("lead", lead.id, "enquiry-answer", lead.case)
    await ctx.tell(
        str(dialog.data["to"]),
        Listing(
            what="enquiry_answer", subject=lead.number, total=1,
            lines=(Line(label="says", text=message.text.strip()[:1000]),),
        ),
        choose("case.open", lead.case, keep=True), roles=OWNERS,
    )  # fmt: skip
    await ctx.reply(Done(what="enquiry_passed_on", subject=lead.number))
