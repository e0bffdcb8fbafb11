"""The card that asks the publisher."""

from handlers import clocks
from handlers.context import Context
from handlers.replies import Choice, choose
from handlers.replies.drafting import PublishCard
from matrix.core.bulletin import Bulletin, Kind, Revision, RevisionState
from matrix.core.case import Case
from matrix.core.directory import Account, Tier
from matrix.core.roles import Role
from matrix.triage.linter import compose


def main_account(ctx: Context) -> Account | None:
    """The main force: the district's own account."""
    return next(
        (
            account
            for account in ctx.directory.accounts.values()
            if account.tier is Tier.MAIN and not account.ended
        ),
        None,
    )


def channel_of(ctx: Context, account: Account) -> str:
    """The channel that posts to an account: its platform's, or its own; empty when there is none.

    A platform with several sending accounts has a channel for each, named by the address.
    """
    names = (account.platform, f"{account.platform}@{account.address}")
    return next((name for name in names if name in ctx.services.direct_platforms), "")


def is_direct(ctx: Context, account: Account) -> bool:
    """Whether a channel of ours posts to the account by itself."""
    ready = bool(account.address) and bool(channel_of(ctx, account))
    return account.capability == "direct" and ready and not account.paused


def date_choices(kind: str, thing: Revision | Bulletin) -> list[Choice]:
    """The buttons of a text's two dates; ``kind`` is revision or bulletin.

    A withdrawal has no dates.
    """
    if thing.kind is Kind.WITHDRAWAL:
        return []
    return [
        choose("date.ask", thing.id, label="date_expiry", kind=kind, of="expires_at", keep=True),
        choose("date.ask", thing.id, label="date_review", kind=kind, of="review_at", keep=True),
    ]


async def ask_publisher(ctx: Context, case: Case, revision: Revision) -> None:
    """Signed: every publisher gets the text; the first to publish settles it for all."""
    account = main_account(ctx)
    shown = PublishCard(
        number=case.number,
        grade=case.grade,
        kind=revision.kind,
        title=revision.title,
        text=compose(
            title="", fact=revision.fact, rumor=revision.rumor, why=revision.why,
            todo=revision.todo,
        ),
        account=account.name if account and not case.drill else "",
        urgent="yes" if revision.state is RevisionState.SIGNED_URGENT else "",
        expires_at=revision.expires_at,
        review_at=revision.review_at,
        publish_by=await clocks.due_of(ctx, f"case:{case.id}"),
    )  # fmt: skip
    buttons = [choose("publish.drill" if case.drill else "publish.link", revision.id)]
    if not case.drill and account is not None and is_direct(ctx, account):
        buttons.insert(0, choose("publish.direct", revision.id))
    if revision.state is RevisionState.SIGNED:
        buttons.append(choose("draft.pull_back", revision.id, label="publish_return"))
    buttons += date_choices("revision", revision)
    await ctx.tell_role(Role.PUBLISHER, shown, *buttons, subject=f"publish:{revision.id}")
