"""What is owed is said when it is due, in the words of its outcome."""

from handlers.cards import appeals
from handlers.context import Context
from handlers.feedback.closing import close_if_done
from handlers.replies import Choice, Reply, choose
from handlers.replies.intake import FeedbackBulletin, FeedbackCorrection, FeedbackOther
from handlers.replies.triage import Alarm
from matrix.core.bulletin import Bulletin, BulletinState, Kind
from matrix.core.delivery import FEEDBACK, Feedback, FeedbackState
from matrix.core.lead import LEAD, Lead
from matrix.core.roles import MACHINE, Role


async def send_due(ctx: Context) -> None:
    """Say what is due. The row stays *due* until the channel has accepted it."""
    due = await ctx.work.feedback.find(
        state=FeedbackState.DUE, due_at__lte=ctx.at, outcome__notin=await _doubted(ctx),
        order="due_at", limit=200,
    )  # fmt: skip
    for one in due:
        dedup = f"feedback:{one.id}:{len(one.tried)}"
        if await ctx.work.deliveries.count(dedup=dedup):
            continue
        if await _replaced(ctx, one):
            await ctx.work.feedback.remove(one.id)
            await ctx.note("feedback", one.id, "forget", one.case)
            continue
        lead = await ctx.work.leads.get(one.lead)
        told = await _words(ctx, one, lead)
        delivery = None
        if told is not None:
            delivery = await ctx.tell(
                one.person, told[0], *told[1], purpose=f"feedback:{one.id}", dedup=dedup,
                subject=f"mine:{lead.id}", skip=one.tried,
            )  # fmt: skip
        if delivery is None:
            failed = await ctx.move(FEEDBACK, ctx.work.feedback, one, "fail", by=MACHINE)
            await give_up(ctx, failed)


async def _doubted(ctx: Context) -> list[str]:
    """Outcomes that wait: a correction or withdrawal of their text is being written."""
    cases = [one.id for one in await ctx.work.cases.find(correction_open=True)]
    texts = await ctx.work.bulletins.find(case__in=cases, state=BulletinState.CURRENT)
    return [f"bulletin:{one.id}" for one in texts]


_GONE = (BulletinState.SUPERSEDED, BulletinState.CORRECTED, BulletinState.WITHDRAWN)


async def _replaced(ctx: Context, one: Feedback) -> bool:
    """Whether another text stands in the place of the one that was owed: that one is told."""
    kind, _, target = one.outcome.partition(":")
    return kind == "bulletin" and bool(await ctx.work.bulletins.count(id=target, state__in=_GONE))


async def _was_told(ctx: Context, person: str, bulletin: Bulletin) -> bool:
    """Whether the person was told, or answered with, any text that this one stands for."""
    old = await ctx.work.bulletins.maybe(bulletin.supersedes)
    if old is None:
        return False
    said = await ctx.work.feedback.count(
        person=person, outcome=f"bulletin:{old.id}", state__ne=FeedbackState.DUE
    )
    if said or await ctx.work.leads.count(reporter=person, bulletin=old.id):
        return True
    return await _was_told(ctx, person, old)


async def give_up(ctx: Context, one: Feedback) -> None:
    """No lawful channel is left: the desk sees it."""
    one = await ctx.move(FEEDBACK, ctx.work.feedback, one, "give_up", by=MACHINE)
    lead = await ctx.work.leads.get(one.lead)
    await ctx.tell_role(Role.DESK, Alarm(what="undeliverable", number=lead.number))
    if one.case:
        await close_if_done(ctx, one.case)


async def _words(ctx: Context, one: Feedback, lead: Lead) -> tuple[Reply, list[Choice]] | None:
    kind, _, target = one.outcome.partition(":")
    dispute = choose("lead.dispute", lead.id, label="lead_unsatisfied")
    if kind != "bulletin":
        return FeedbackOther(
            number=lead.number,
            outcome=kind.replace("-", "_"),
            detail=lead.reason,
            url=lead.reference,
        ), [dispute] if LEAD.has(lead.state, "dispute") else []
    bulletin = await ctx.work.bulletins.get(target)
    told = await _was_told(ctx, one.person, bulletin)
    if bulletin.kind is Kind.WITHDRAWAL or (bulletin.kind is Kind.CORRECTION and told):
        return (
            FeedbackCorrection(
                told=lead.number if told else "", fresh="" if told else lead.number,
                title=bulletin.title, short=bulletin.short, url=bulletin.url,
                withdrawn="yes" if bulletin.kind is Kind.WITHDRAWAL else "",
            ),
            [choose("lead.copy", bulletin.id, keep=True)] if bulletin.answers else [],
        )  # fmt: skip
    claim = await ctx.work.claims.maybe(lead.claim)
    first = claim is not None and claim.first_lead == lead.id
    return (
        FeedbackBulletin(
            number=lead.number, verdict=bulletin.verdict,
            holding="yes" if bulletin.kind is Kind.HOLDING else "",
            issuer=ctx.directory.unit_name(bulletin.issuer), short=bulletin.short,
            url=bulletin.url, first="yes" if first else "",
        ),
        [
            *([choose("lead.copy", bulletin.id, keep=True)] if bulletin.answers else []),
            choose("lead.rate", lead.id, label="rate_useful", rating="useful"),
            dispute,
            *appeals.offered(bulletin),
        ],
    )  # fmt: skip
