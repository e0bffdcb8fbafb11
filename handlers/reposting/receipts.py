"""Receipts: links are assigned by host, screenshots by question; proof is checked by others."""

import dataclasses
from urllib.parse import urlsplit

from handlers import clocks, matters
from handlers.context import Context
from handlers.replies import choose
from handlers.replies.drafting import ReceiptKept, ToCheck
from handlers.replies.shared import Done, Pick, Settled
from handlers.reposting import planning
from handlers.reposting import tasks as tasking
from handlers.router import Args, action, answer
from matrix.core.campaign import TASK, Receipt, RepostTask
from matrix.core.conversation import Dialog, Inbound
from matrix.core.deadline import Stage
from matrix.core.errors import Refusal
from matrix.core.roles import MACHINE, Role
from matrix.core.url import URL


async def offer(ctx: Context, message: Inbound) -> bool:
    """Book links and screenshots of an operator for their open tasks.

    False when the message is no receipt, or nothing waits for one.
    """
    links = list(dict.fromkeys(URL.findall(message.text)))
    if message.forwarded or not (links or message.files):
        return False
    waiting = await tasking.own_open(ctx)
    if not waiting:
        return False
    if links and all(task.drill for task in waiting):
        raise Refusal("drill_no_link")
    waiting = [task for task in waiting if not task.drill]
    booked = await _links(ctx, waiting, links)
    if not links:
        booked += await _screenshots(ctx, waiting, message.files)
    if booked:
        await _kept(ctx, booked)
    return True


async def _links(ctx: Context, waiting: list[RepostTask], links: list[str]) -> list[RepostTask]:
    booked: list[RepostTask] = []
    for url in links:
        taken = {task.id for task in booked}
        fitting = [t for t in waiting if _fits(ctx, t, url) and t.id not in taken]
        if not fitting:
            await _wrong_host(ctx, waiting, url)
        elif len({task.account for task in fitting}) > 1:
            await _which(ctx, fitting, "link", url)
        else:
            booked.append(await post(ctx, fitting[0], url=url))
    return booked


async def _screenshots(
    ctx: Context, waiting: list[RepostTask], files: tuple[str, ...]
) -> list[RepostTask]:
    if len(waiting) == 1:
        return [await post(ctx, waiting[0], file=files[0])]
    for file in files:
        await _which(ctx, waiting, "screenshot", file)
    return []


def _fits(ctx: Context, task: RepostTask, url: str) -> bool:
    host = (urlsplit(url).hostname or "").lower()
    account = ctx.directory.accounts.get(task.account)
    return account is not None and host in account.hosts


async def _wrong_host(ctx: Context, waiting: list[RepostTask], url: str) -> None:
    hosts = sorted({h for task in waiting for h in ctx.directory.accounts[task.account].hosts})
    raise Refusal(
        "wrong_host",
        {"what": (urlsplit(url).hostname or "")[:60], "detail": "、".join(hosts)[:200]},
    )


async def _which(ctx: Context, tasks: list[RepostTask], kind: str, value: str) -> None:
    await ctx.reply(
        Pick(what="receipt_for", detail=value[:120] if kind == "link" else ""),
        *[
            choose(
                "task.receipt", task.id,
                text=ctx.directory.accounts[task.account].name, kind=kind, value=value,
            )
            for task in tasks[:10]
        ],
    )  # fmt: skip


@action("task.receipt", Role.OPERATOR)
async def receipt(ctx: Context, subject: str, args: Args) -> None:
    """Which account it was for."""
    task = await ctx.work.tasks.get(subject)
    is_link = args["kind"] == "link"
    task = await post(
        ctx, task, url=args["value"] if is_link else "", file="" if is_link else args["value"]
    )
    await _kept(ctx, [task])


@answer("task.link")
async def link_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """A link recorded by the publisher."""
    found = URL.search(message.text)
    if found is None:
        raise Refusal("no_link")
    task = await ctx.work.tasks.get(str(dialog.data["task"]))
    ctx.require("drill_apart", holds=not task.drill)
    if not _fits(ctx, task, found.group(0)):
        await _wrong_host(ctx, [task], found.group(0))
    task = await post(ctx, task, url=found.group(0))
    await _kept(ctx, [task])


async def post(ctx: Context, task: RepostTask, *, url: str = "", file: str = "") -> RepostTask:
    """The task is claimed done; a late post is accepted and marked."""
    task = await ctx.move(
        TASK, ctx.work.tasks, task, "post", url=url, posted_at=ctx.at,
        late=ctx.at > task.due_at, reason="",
    )  # fmt: skip
    kept = Receipt(
        id=ctx.services.ids.new(), task=task.id, case=task.case,
        kind="link" if url else "screenshot", url=url, attachment=file, by=ctx.me.id, at=ctx.at,
    )  # fmt: skip
    await ctx.work.receipts.add(kept)
    await ctx.note("receipt", kept.id, kept.kind, task.case)
    case = await matters.of(ctx, task.case)
    await clocks.start(
        ctx, f"task:{task.id}", Stage.CHECK, case.grade, business=case.received_at, case=case.id
    )
    if not url:
        await to_person(ctx, task, "screenshot")
        await ctx.work.receipts.save(
            dataclasses.replace(kept, checked_at=ctx.at, check="screenshot")
        )
    return task


async def _kept(ctx: Context, booked: list[RepostTask]) -> None:
    left = await tasking.own_open(ctx) if ctx.has(Role.OPERATOR) else []
    await ctx.reply(
        ReceiptKept(lines=tuple([await tasking.line(ctx, t) for t in booked]), left=len(left)),
        *[
            choose(
                "task.undo",
                task.id,
                "task_undo",
                text=ctx.directory.accounts[task.account].name,
                version=str(task.version),
            )
            for task in booked
            if task.operator == ctx.me.id
        ],
    )


async def to_person(ctx: Context, task: RepostTask, why: str) -> None:
    """Somebody else than the operator looks at it."""
    case = await matters.of(ctx, task.case)
    shown = ToCheck(
        number=case.number, account=ctx.directory.accounts[task.account].name,
        url=task.url, why=why,
    )  # fmt: skip
    buttons = [choose("task.verify", task.id), choose("task.reject", task.id)]
    if why == "screenshot":
        buttons.append(choose("pictures.open", f"task:{task.id}", "screenshot_open", keep=True))
    for role in (Role.PUBLISHER, Role.DESK):
        await ctx.tell_role(role, shown, *buttons, subject=f"task:{task.id}")


@action("task.verify", Role.PUBLISHER, Role.DESK)
async def verify(ctx: Context, subject: str, args: Args) -> None:
    """核对无误."""
    del args
    task = await ctx.work.tasks.get(subject)
    task = await ctx.move(TASK, ctx.work.tasks, task, "verify")
    await clocks.stop(ctx, f"task:{task.id}", Stage.CHECK)
    await ctx.settle_cards(f"task:{task.id}", Settled(what="verified", who=ctx.me.name, at=ctx.at))
    await ctx.reply(Done(what="verified", subject=ctx.directory.accounts[task.account].name))
    await planning.advance(ctx, task.campaign)


@action("task.reject", Role.PUBLISHER, Role.DESK)
async def reject(ctx: Context, subject: str, args: Args) -> None:
    """回执不符: the operator is asked again."""
    del args
    task = await ctx.work.tasks.get(subject)
    await rejected(ctx, task, "person")
    await ctx.reply(
        Done(what="rejected_receipt", subject=ctx.directory.accounts[task.account].name)
    )


async def rejected(ctx: Context, task: RepostTask, why: str) -> None:
    """Rejected, and at once open again for its operator."""
    by = None if ctx.person is not None else MACHINE
    task = await ctx.move(TASK, ctx.work.tasks, task, "reject", by=by, reason=why)
    await clocks.stop(ctx, f"task:{task.id}", Stage.CHECK)
    task = await ctx.move(TASK, ctx.work.tasks, task, "redo", by=MACHINE, url="", posted_at=None)
    await ctx.settle_cards(
        f"task:{task.id}",
        Settled(what="rejected_receipt", who=ctx.person.name if ctx.person else "", at=ctx.at),
    )
    name = ctx.directory.accounts[task.account].name
    await ctx.tell(
        task.operator, Done(what="please_redo", subject=name, detail=f"check_{why}"),
        choose("task.mine", keep=True), roles=(Role.OPERATOR,),
    )  # fmt: skip


async def checked(ctx: Context, receipt_id: str, code: str) -> None:
    """What the automatic check of a link said: ok verifies, all else goes to a person."""
    kept = await ctx.work.receipts.get(receipt_id)
    if kept.checked_at is not None or kept.undone:
        return
    await ctx.work.receipts.save(dataclasses.replace(kept, checked_at=ctx.at, check=code))
    task = await ctx.work.tasks.get(kept.task)
    if not TASK.has(task.state, "verify"):
        return
    if code == "ok":
        await ctx.move(TASK, ctx.work.tasks, task, "verify", by=MACHINE)
        await clocks.stop(ctx, f"task:{task.id}", Stage.CHECK)
        await planning.advance(ctx, task.campaign)
    elif code == "gone":
        await rejected(ctx, task, code)
    else:
        await to_person(ctx, task, code)
