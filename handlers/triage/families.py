"""大事件: a case hangs below a main case, one level deep; each keeps its own clocks.

While the main case is open its alerts stand for all: those of its children wait (lessons §5).
"""

import dataclasses

from handlers.context import Context
from handlers.replies import choose
from handlers.replies.shared import AskText, Done
from handlers.router import Args, action, answer
from matrix.core.case import CASE, Case
from matrix.core.conversation import Dialog, Inbound
from matrix.core.errors import Refusal
from matrix.core.roles import Role


def _open(case: Case) -> bool:
    """Before anything is out, and not merged: only then has it alerts of its own."""
    return not case.merged_into and CASE.has(case.state, "undo_merge")


async def inhibited(ctx: Context, case: Case | None) -> bool:
    """Whether the main case speaks for this one now."""
    if case is None or not case.parent:
        return False
    return _open(await ctx.work.cases.get(case.parent))


@action("case.link", Role.DESK)
async def link(ctx: Context, subject: str, args: Args) -> None:
    """挂到主案件: asks for the number of the main case."""
    del args
    case = await ctx.work.cases.get(subject)
    ctx.require("link_open", holds=_open(case))
    await ctx.ask("case.link", AskText(what="main_case", subject=case.number), case=case.id)


@answer("case.link")
async def link_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The number. One level only: a main case is nobody's child."""
    case = await ctx.work.cases.get(str(dialog.data["case"]))
    number = message.text.strip()
    main = await ctx.work.cases.one(number=number)
    if main is None:
        raise Refusal("no_such_case", {"what": number[:20]})
    ctx.require("link_open", holds=_open(case) and _open(main))
    below = await ctx.work.cases.count(parent=case.id)
    ctx.require("link_one_level", holds=main.id != case.id and not main.parent and not below)
    await ctx.work.cases.save(dataclasses.replace(case, parent=main.id))
    await ctx.note("case", case.id, "link", case.id, to=main.id)
    await ctx.reply(
        Done(what="linked", subject=case.number, detail=main.number),
        choose("case.detach", case.id),
        choose("case.open", case.id, keep=True),
    )


@action("case.detach", Role.DESK)
async def detach(ctx: Context, subject: str, args: Args) -> None:
    """解除关联: what its clocks had to say meanwhile is said with the next bundle."""
    del args
    case = await ctx.work.cases.get(subject)
    ctx.require("link_there", holds=bool(case.parent))
    await ctx.work.cases.save(dataclasses.replace(case, parent=""))
    await ctx.note("case", case.id, "detach", case.id, was=case.parent)
    await ctx.reply(
        Done(what="detached", subject=case.number), choose("case.open", case.id, keep=True)
    )
