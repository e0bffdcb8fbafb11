"""演练: a lead that begins a drill. What follows is the ordinary way, marked as a drill."""

from handlers.context import Context
from handlers.intake import deciding, storing
from handlers.replies.shared import AskText
from handlers.router import Args, action, answer
from matrix.core.conversation import Dialog, Inbound
from matrix.core.errors import Refusal
from matrix.core.roles import Role


@action("drill.start", Role.DESK, Role.PUBLISHER, Role.LEADER)
async def start(ctx: Context, subject: str, args: Args) -> None:
    """演练 <消息>: begins at once; without a text it is asked for."""
    del subject
    if args.get("text"):
        await begin(ctx, args["text"])
        return
    await ctx.ask("drill.start", AskText(what="drill"))


@answer("drill.start")
async def start_answer(ctx: Context, dialog: Dialog, message: Inbound) -> None:
    """The invented message."""
    del dialog
    await begin(ctx, message.text.strip())


async def begin(ctx: Context, text: str) -> None:
    """A new lead whose reporter is who began; it is compared with nothing."""
    if not text:
        raise Refusal("empty")
    if len(text) > ctx.policy.text_limit:
        raise Refusal("text_too_long", {"detail": str(ctx.policy.text_limit)})
    found = storing.apart(ctx.services.matching.find(text))
    message = Inbound(
        id=ctx.services.ids.new(), platform=ctx.platform, message_id="", external=ctx.external,
        chat=ctx.chat, received_at=ctx.at,
    )  # fmt: skip
    lead = await storing.store(ctx, message, text, found, in_drill=True)
    await deciding.decide(ctx, lead, found, text)
