"""首发: the main force's link is recorded (or a direct channel publishes); all else follows."""

import dataclasses
from datetime import timedelta
from urllib.parse import urlsplit

from handlers import clocks, matters
from handlers.cards.publishing import channel_of, is_direct, main_account
from handlers.context import Context
from handlers.drafting.writing import grounds, is_main
from handlers.feedback import appellants, closing, owing
from handlers.replies import choose
from handlers.replies.drafting import CopyText
from handlers.replies.shared import AskText, Confirm, Done, Settled
from handlers.reposting import planning
from handlers.router import Args, action, answer
from matrix.broadcast.plan import Job
from matrix.core import drill
from matrix.core.bulletin import (
    BULLETIN,
    Bulletin,
    BulletinState,
    Kind,
    Revision,
    RevisionState,
    verdict_allows,
)
from matrix.core.campaign import Campaign
from matrix.core.case import CASE, Case, CaseState
from matrix.core.conversation import Dialog, Inbound
from matrix.core.deadline import Stage
from matrix.core.delivery import Delivery, Lane
from matrix.core.errors import Refusal
from matrix.core.lifecycle import Step
from matrix.core.roles import MACHINE, Role
from matrix.core.url import URL
from matrix.triage.linter import compose, short_form

_SIGNED = {RevisionState.SIGNED, RevisionState.SIGNED_URGENT, RevisionState.RATIFIED}


@action("publish.link", Role.PUBLISHER)
async def link(ctx: Context, subject: str, args: Args) -> None:
    """The text to paste, then the link of what was published."""
    del args
    revision = await ctx.work.revisions.get(subject)
    case = await _ready(ctx, revision)
    await ctx.reply(CopyText(text=_text(revision)))
    await ctx.ask("publish.link", AskText(what="main_link", subject=case.number), id=revision.id)


async def _unpublished(ctx: Context, revision: Revision) -> None:
    if revision.state not in _SIGNED:
        raise Refusal("not_signed")
    if await ctx.work.bulletins.count(revision=revision.id):
        raise Refusal("already_published")


async def _ready(ctx: Context, revision: Revision, *, in_drill: bool = False) -> Case:
    """What must hold when a person publishes, for real or in a drill. Raises Refusal."""
    await _unpublished(ctx, revision)
    case = await matters.of(ctx, revision.case)
    ctx.require("drill_apart", holds=case.drill == in_drill)
    if any(at is not None and at <= ctx.at for at in (revision.expires_at, revision.review_at)):
        raise Refusal("date_over")
    if revision.kind is Kind.CORRECTION:
        # The case went on meanwhile: a verdict that was taken back carries no correction.
        facts = await grounds(ctx, case)
        ctx.require("verdict_allows", holds=verdict_allows(revision, MACHINE, facts))
    return case


@answer("publish.link")
async def link_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The link; its host must be one of the main account's."""
    found = URL.search(message.text)
    account = main_account(ctx)
    if found is None:
        raise Refusal("no_link")
    host = (urlsplit(found.group(0)).hostname or "").lower()
    if account is not None and account.hosts and host not in account.hosts:
        raise Refusal("wrong_host", {"what": host, "detail": "、".join(account.hosts)})
    revision = await ctx.work.revisions.get(str(dialog.data["id"]))
    await _ready(ctx, revision)
    await publish(ctx, revision, found.group(0))


@action("publish.direct", Role.PUBLISHER)
async def direct(ctx: Context, subject: str, args: Args) -> None:
    """直接发布 through the main account's own channel: shown, asked once, then sent."""
    revision = await ctx.work.revisions.get(subject)
    case = await _ready(ctx, revision)
    account = main_account(ctx)
    if account is None or not is_direct(ctx, account):
        raise Refusal("no_direct")
    if "sure" not in args:
        await ctx.reply(
            Confirm(what="publish", subject=case.number, detail=account.name, count=1),
            choose("publish.direct", revision.id, label="confirm", sure="yes"),
            choose("dialog.cancel"),
        )
        return
    dedup = f"publish:{revision.id}"
    if await ctx.work.deliveries.count(dedup=dedup):
        raise Refusal("already_published")
    platform = channel_of(ctx, account)
    await ctx.work.deliveries.add(
        Delivery(
            id=ctx.services.ids.new(), lane=Lane.BROADCAST, platform=platform,
            address=account.address, account=account.id, purpose=dedup, dedup=dedup,
            subject=dedup, content={"plain": _text(revision)}, created_at=ctx.at,
        )
    )  # fmt: skip
    await ctx.work.enqueue("broadcast", Job(subject=dedup, line=platform).name)
    await ctx.reply(Done(what="publishing", subject=case.number))


@action("publish.drill", Role.PUBLISHER)
async def in_drill(ctx: Context, subject: str, args: Args) -> None:
    """演练发布: as if the main account had published; nothing leaves the house."""
    del args
    revision = await ctx.work.revisions.get(subject)
    await _ready(ctx, revision, in_drill=True)
    await publish(ctx, revision, "")


def _text(revision: Revision, mark: str = "") -> str:
    return compose(
        title=f"{mark}{revision.title}", fact=revision.fact, rumor=revision.rumor, why=revision.why,
        todo=revision.todo,
    )  # fmt: skip


async def touch(ctx: Context, bulletin: Bulletin) -> Bulletin:
    """Give the bulletin the next change number, which the index follows."""
    return dataclasses.replace(bulletin, change=await ctx.work.serial("bulletin-change"))


async def publish(ctx: Context, revision: Revision, url: str) -> Bulletin:
    """The bulletin is current; reporters are owed the outcome; a broadcast is planned."""
    await _unpublished(ctx, revision)
    case = await matters.of(ctx, revision.case)
    bulletin = await _make(ctx, case, revision, url)
    old = await _retire(ctx, case, revision, bulletin)
    case = await _mirror(ctx, case, revision, bulletin)
    await ctx.settle_cards(
        f"publish:{revision.id}",
        Settled(what="published", who=ctx.person.name if ctx.person else "", at=ctx.at),
    )
    await owing.owe_publication(ctx, case, bulletin, old)
    if old is not None:
        await appellants.tell(ctx, old, bulletin)
    campaign = await planning.plan(ctx, case, bulletin, old)
    await _tell(ctx, case, bulletin, campaign)
    return bulletin


async def _make(ctx: Context, case: Case, revision: Revision, url: str) -> Bulletin:
    known = await ctx.work.bulletins.count(case=case.id)
    claim = await ctx.work.claims.maybe(case.claim)
    mark = drill.MARK if case.drill else ""
    bulletin = Bulletin(
        id=ctx.services.ids.new(),
        state=BulletinState.SIGNED,
        kind=revision.kind,
        number=case.number if not known else f"{case.number}·{known + 1}",
        case=case.id,
        revision=revision.id,
        title=f"{mark}{revision.title}",
        short=f"{mark}{short_form(revision.fact)}",
        body=_text(revision, mark),
        claim_text=claim.wording if claim else case.wording,
        claim_key=claim.key if claim else "",
        url=url,
        issuer=case.owner,
        verdict=case.verdict,
        issued_at=ctx.at,
        expires_at=revision.expires_at,
        review_at=revision.review_at,
        supersedes=revision.corrects,
        references=(revision.corrects,) if revision.corrects else (),
        topics=case.topics,
        areas=case.areas,
        drill=case.drill,
    )
    bulletin = await ctx.work.bulletins.add(await touch(ctx, bulletin))
    await ctx.log(
        Step(
            entity=BULLETIN.name, entity_id=bulletin.id, action="sign", source="",
            target=bulletin.state.value, actor=MACHINE,
        ),
        bulletin,
    )  # fmt: skip
    by = MACHINE if ctx.person is None else None
    return await ctx.move(BULLETIN, ctx.work.bulletins, bulletin, "publish", by=by)


_RETIRES = {Kind.CORRECTION: "correct", Kind.WITHDRAWAL: "withdraw", Kind.UPDATE: "supersede"}


async def _retire(
    ctx: Context, case: Case, revision: Revision, bulletin: Bulletin
) -> Bulletin | None:
    """What this one corrects, withdraws or supersedes leaves matching in this transaction."""
    old = await ctx.work.bulletins.maybe(revision.corrects)
    verb = _RETIRES.get(revision.kind, "")
    if old is None:
        # A holding notice, or what was said before the case was opened again.
        for said in await ctx.work.bulletins.find(
            case=case.id, state=BulletinState.CURRENT, id__ne=bulletin.id
        ):
            if revision.kind is Kind.HOLDING and said.kind is not Kind.HOLDING:
                continue
            await _leave(ctx, said, "supersede")
        return None
    if old is None or not verb:
        return None
    await _leave(ctx, old, verb)
    return old


async def _leave(ctx: Context, old: Bulletin, verb: str) -> None:
    old = await touch(ctx, old)
    await ctx.move(
        BULLETIN, ctx.work.bulletins, old, verb, by=MACHINE if ctx.person is None else None
    )
    for campaign in await ctx.work.campaigns.find(bulletin=old.id):
        await planning.stop(ctx, campaign, "bulletin-gone")


async def _mirror(ctx: Context, case: Case, revision: Revision, bulletin: Bulletin) -> Case:
    if matters.stands_alone(case):
        return case
    if revision.corrects:
        gone = revision.kind is Kind.WITHDRAWAL
        case = dataclasses.replace(
            case, correction_open=False, bulletin=case.bulletin if gone else bulletin.id
        )
        case = await ctx.work.cases.save(case)
        await ctx.note("case", case.id, "correction-closed", case.id)
        return case
    if case.state is not CaseState.APPROVED or not is_main(revision, case):
        await clocks.stop(ctx, f"case:{case.id}", Stage.HOLDING)
        return case
    case = await ctx.move(
        CASE, ctx.work.cases, case, "publish", by=MACHINE if ctx.person is None else None,
        bulletin=bulletin.id, stage_since=ctx.at,
    )  # fmt: skip
    await clocks.stop(ctx, f"case:{case.id}")
    if revision.kind is not Kind.HOLDING:
        await closing.finish_assignments(ctx, case)
    return case


async def _watch(ctx: Context, case: Case, bulletin: Bulletin) -> None:
    """Nothing is settled yet: watched until its review date, then verified again."""
    days = timedelta(days=ctx.policy.review_days)
    review_at = bulletin.review_at or ctx.at + days
    await clocks.stop_case(ctx, case)
    await ctx.move(
        CASE, ctx.work.cases, case, "watch", by=MACHINE, facts={"review_at": review_at},
        review_at=review_at, stage_since=ctx.at,
    )  # fmt: skip


async def _tell(ctx: Context, case: Case, bulletin: Bulletin, campaign: Campaign | None) -> None:
    if campaign is None:
        await ctx.tell_role(Role.PUBLISHER, Done(what="published", subject=case.number))
        if bulletin.kind is Kind.HOLDING and CASE.has(case.state, "watch"):
            await _watch(ctx, case, bulletin)
        elif case.bulletin == bulletin.id and CASE.has(case.state, "check"):
            # Nobody is asked to spread it: what is left is to tell the reporters.
            await ctx.move(CASE, ctx.work.cases, case, "check", by=MACHINE, stage_since=ctx.at)
            await closing.close_if_done(ctx, case.id)
        return
    shown = await planning.card(ctx, campaign)
    buttons = [
        choose("campaign.start", campaign.id),
        choose("campaign.arm", campaign.id),
        choose("campaign.targets", campaign.id, keep=True),
    ]
    if not bulletin.supersedes and case.state is CaseState.PUBLISHED:
        buttons.append(choose("campaign.none", campaign.id))
    await ctx.tell_role(Role.PUBLISHER, shown, *buttons, subject=f"campaign:{campaign.id}")
