"""What a reporter may do with their own leads."""

import dataclasses
from typing import Any

from handlers import access, clocks
from handlers.cards import appeals
from handlers.cards import leads as lead_cards
from handlers.cards.bulletins import shown
from handlers.context import Context
from handlers.intake import receiving, supplementing
from handlers.proposing import answering, proposals
from handlers.replies import choose
from handlers.replies.intake import ForFriends, LeadLine
from handlers.replies.shared import Done, Listing, Pick, Settled
from handlers.router import Args, action, answer
from matrix.core.claim import LINK, LinkState
from matrix.core.conversation import Dialog, Inbound
from matrix.core.deadline import Stage
from matrix.core.errors import NotAllowed, NotFound, Refusal
from matrix.core.lead import LEAD, Lead, LeadState
from matrix.core.roles import MACHINE, REPORTERS, Role

AREA_PAGE = 10
"""Leads a page in 本辖区."""


async def own(ctx: Context, lead_id: str) -> Lead:
    """The reporter's own lead, by id, or their newest. Raises NotFound, NotAllowed."""
    if not lead_id:
        newest = await ctx.work.leads.find(reporter=ctx.me.id, order="-id", limit=1)
        if not newest:
            raise NotFound("lead")
        return newest[0]
    lead = await ctx.work.leads.get(lead_id)
    if lead.reporter != ctx.me.id:
        raise NotAllowed("lead")
    return lead


@action("lead.mine", *REPORTERS)
async def mine(ctx: Context, subject: str, args: Args) -> None:
    """我的线索: the last ten, newest first."""
    del subject, args
    leads = await ctx.work.leads.find(reporter=ctx.me.id, order="-id", limit=10)
    total = await ctx.work.leads.count(reporter=ctx.me.id)
    lines = tuple(_line(one) for one in leads)
    await ctx.reply(
        Listing(what="my_leads", total=total, lines=lines, empty="" if lines else "yes"),
        *([choose("lead.area", keep=True)] if ctx.has(Role.SUPERVISOR) else []),
    )


@action("lead.area", Role.SUPERVISOR)
async def area(ctx: Context, subject: str, args: Args) -> None:
    """本辖区: leads reported in the supervisor's area or about it, ten a page; never by whom."""
    del subject
    page = int(args.get("page") or 0)
    codes = access.area_of(ctx.directory, ctx.posts)
    live: dict[str, Any] = {"state__ne": LeadState.WITHDRAWN}
    newest: dict[str, Any] = {**live, "order": "-id", "limit": (page + 1) * AREA_PAGE}
    heard = await ctx.work.leads.find(heard_area__in=codes, **newest)
    about = await ctx.work.leads.find(about_area__in=codes, **newest)
    found = sorted({one.id: one for one in (*heard, *about)}.values(), key=lambda one: one.id)
    total = await ctx.work.leads.count(heard_area__in=codes, **live)
    total += await ctx.work.leads.count(about_area__in=codes, heard_area__notin=codes, **live)
    end = (page + 1) * AREA_PAGE
    lines = tuple(_line(one) for one in found[::-1][page * AREA_PAGE : end])
    more = choose("lead.area", label="next_page", keep=True, page=str(page + 1))
    await ctx.reply(
        Listing(what="area_leads", total=total, lines=lines, empty="" if lines else "yes"),
        *([more] if total > end else []),
    )


def _line(lead: Lead) -> LeadLine:
    return LeadLine(number=lead.number, state=lead.state, at=lead.received_at, text=lead.text[:40])


@action("lead.search")
async def search(ctx: Context, subject: str, args: Args) -> None:
    """查 <关键词>: what has been rebutted."""
    del subject
    if not args.get("text"):
        await ctx.ask("lead.search", Pick(what="search"))
        return
    await _search(ctx, args["text"])


@answer("lead.search")
async def search_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The words to look for."""
    del dialog
    await _search(ctx, message.text.strip())


@action("lead.search_text")
async def search_text(ctx: Context, subject: str, args: Args) -> None:
    """The unknown text was meant as a search."""
    del subject
    await _search(ctx, args["text_"])


async def _search(ctx: Context, words: str) -> None:
    found = ctx.services.matching.find(words)
    bulletins = []
    for one in found.candidates:
        bulletin = await ctx.work.bulletins.maybe(one.target)
        if bulletin is not None and answering.in_force(ctx, bulletin):
            bulletins.append(bulletin)
    lines = tuple([await shown(ctx, bulletin) for bulletin in bulletins[:3]])
    await ctx.reply(
        Listing(
            what="search",
            subject=words[:20],
            total=len(lines),
            lines=lines,
            empty="" if lines else "yes",
        ),
        *(
            one
            for bulletin in (bulletins[:3] if ctx.has(*REPORTERS) else [])
            for one in appeals.offered(bulletin)
        ),
    )


@action("lead.report_text")
async def report_text(ctx: Context, subject: str, args: Args) -> None:
    """The unknown text was meant as a lead."""
    del subject
    message = Inbound(
        id=ctx.services.ids.new(),
        platform=ctx.platform,
        message_id="",
        external=ctx.external,
        chat=ctx.chat,
        received_at=ctx.at,
    )
    await receiving.take(ctx, message, text=args["text_"])


@action("lead.view")
async def view(ctx: Context, subject: str, args: Args) -> None:
    """A tap on a candidate shows it and counts as the reporter's view; the desk confirms."""
    lead = await own(ctx, subject)
    bulletin = await ctx.work.bulletins.get(args["bulletin"])
    if not answering.in_force(ctx, bulletin):
        raise Refusal("bulletin_gone")
    await ctx.note("lead", lead.id, "viewed", lead.case, bulletin=bulletin.id)
    await ctx.reply(
        await shown(ctx, bulletin),
        choose("lead.same", lead.id, bulletin=bulletin.id),
        choose("lead.dispute", lead.id, label="lead_not_this"),
        *appeals.offered(bulletin),
    )


@action("lead.same")
async def same(ctx: Context, subject: str, args: Args) -> None:
    """The reporter says it is the same: noted for the desk, which confirms."""
    lead = await own(ctx, subject)
    await ctx.note("lead", lead.id, "says-same", lead.case, bulletin=args["bulletin"])
    await ctx.reply(Done(what="noted_for_desk", subject=lead.number))


@action("lead.copy")
async def copy(ctx: Context, subject: str, args: Args) -> None:
    """Words to paste into the group."""
    del args
    bulletin = await ctx.work.bulletins.get(subject)
    if not answering.in_force(ctx, bulletin):
        raise Refusal("bulletin_gone")
    await ctx.reply(ForFriends(title=bulletin.title, short=bulletin.short, url=bulletin.url))


@action("lead.rate", *REPORTERS)
async def rate(ctx: Context, subject: str, args: Args) -> None:
    """Useful or not."""
    lead = await own(ctx, subject)
    await ctx.work.leads.save(dataclasses.replace(lead, rating=args["rating"]))
    await ctx.note("lead", lead.id, f"rated-{args['rating']}", lead.case)
    await ctx.reply(Done(what="rated", subject=lead.number))


@action("lead.where")
async def where(ctx: Context, subject: str, args: Args) -> None:
    """Where the matter is about; the proposal is made again."""
    lead = await own(ctx, subject)
    if lead.state is not LeadState.QUEUED:
        raise Refusal("lead_moved_on")
    lead = dataclasses.replace(lead, about_area=args["area"])
    lead = dataclasses.replace(lead, proposal=await proposals.propose(ctx, lead))
    lead = await ctx.work.leads.save(lead)
    await ctx.note("lead", lead.id, "where", lead.case, area=args["area"])
    await ctx.settle_cards(
        f"lead:{lead.id}",
        Settled(what="where", at=ctx.at, detail=ctx.directory.area_name(args["area"])),
    )
    await lead_cards.tell_desk(ctx, lead)
    await ctx.reply(
        Pick(what="seen_where", subject=lead.number),
        choose("lead.seen", lead.id, label="seen_group", at="group"),
        choose("lead.seen", lead.id, label="seen_moments", at="moments"),
        choose("lead.seen", lead.id, label="seen_video", at="video"),
        choose("lead.seen", lead.id, label="seen_other", at="other"),
    )


@action("lead.seen")
async def seen(ctx: Context, subject: str, args: Args) -> None:
    """Where it was seen."""
    lead = await own(ctx, subject)
    await ctx.work.leads.save(dataclasses.replace(lead, seen_in=args["at"]))
    await ctx.note("lead", lead.id, f"seen-{args['at']}", lead.case)
    await ctx.reply(Done(what="seen_noted", subject=lead.number))


@action("lead.supplement", *REPORTERS)
async def supplement(ctx: Context, subject: str, args: Args) -> None:
    """补充: the next message joins the lead."""
    lead = await own(ctx, subject)
    if args.get("text"):
        await supplementing.supplement(ctx, lead, args["text"], ())
        return
    await ctx.ask("lead.supplement", Pick(what="supplement", subject=lead.number), lead=lead.id)


@answer("lead.supplement")
async def supplement_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """What is added."""
    lead = await own(ctx, str(dialog.data["lead"]))
    await supplementing.supplement(ctx, lead, message.text.strip(), message.files)


@action("lead.withdraw", *REPORTERS)
async def withdraw(ctx: Context, subject: str, args: Args) -> None:
    """撤回: take a lead back before it is dispatched."""
    del args
    lead = await own(ctx, subject)
    if lead.state is not LeadState.QUEUED:
        raise Refusal("withdraw_too_late")
    lead = await ctx.move(LEAD, ctx.work.leads, lead, "withdraw")
    await clocks.stop(ctx, f"lead:{lead.id}")
    for one in await ctx.work.links.find(lead=lead.id, state=LinkState.SUGGESTED):
        await ctx.move(LINK, ctx.work.links, one, "undo", by=MACHINE)
    await ctx.settle_cards(f"lead:{lead.id}", Settled(what="withdrawn", at=ctx.at))
    await ctx.reply(Done(what="withdrawn", subject=lead.number))


@action("lead.dispute", *REPORTERS)
async def dispute(ctx: Context, subject: str, args: Args) -> None:
    """不是同一件事 / 没有解决我的疑问: back to the desk, which looks again."""
    del args
    lead = await own(ctx, subject)
    if lead.state is LeadState.QUEUED:
        await ctx.note("lead", lead.id, "says-different", lead.case)
        for one in await ctx.work.links.find(lead=lead.id, state=LinkState.SUGGESTED):
            await ctx.move(LINK, ctx.work.links, one, "undo")
        await ctx.reply(Done(what="noted_for_desk", subject=lead.number))
        return
    lead = dataclasses.replace(lead, proposal=await proposals.propose(ctx, lead))
    lead = await ctx.move(LEAD, ctx.work.leads, lead, "dispute", case="", bulletin="")
    for one in await ctx.work.links.find(lead=lead.id, state__in=("matched", "confirmed")):
        await ctx.move(LINK, ctx.work.links, one, "undo")
    grade = proposals.grade_of(lead)
    await clocks.start(ctx, f"lead:{lead.id}", Stage.FILE, grade, business=lead.received_at)
    await lead_cards.tell_desk(ctx, lead, disputed=True)
    await ctx.reply(Done(what="disputed", subject=lead.number), choose("lead.supplement", lead.id))


@action("lead.enter", Role.DESK)
async def enter(ctx: Context, subject: str, args: Args) -> None:
    """代录: the desk enters a lead for a caller."""
    del subject
    if args.get("text"):
        await _enter(ctx, args["text"])
        return
    await ctx.ask("lead.enter", Pick(what="enter"))


@answer("lead.enter")
async def enter_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """What the caller said."""
    del dialog
    await _enter(ctx, message.text.strip(), message.files)


async def _enter(ctx: Context, text: str, files: tuple[str, ...] = ()) -> None:
    message = Inbound(
        id=ctx.services.ids.new(),
        platform=ctx.platform,
        message_id="",
        external=ctx.external,
        chat=ctx.chat,
        files=files,
        received_at=ctx.at,
    )
    await receiving.take(ctx, message, text=text, entered_by=ctx.me.id)
