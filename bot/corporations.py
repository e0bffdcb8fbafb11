"""`piyao import wecom`: departments and members of WeCom into units, people, posts, bindings."""

from collections.abc import Callable
from datetime import UTC, datetime

from bot.means import RandomIds
from bot.platforms.wecom.directory import read_directory
from bot.tables.commands import NOTHING_WRITTEN, Rows, Texts, import_rows
from bot.tokens import Tokens
from bot.wechat.client import wecom_api
from bot.wechat.outcomes import ApiError
from config.settings import Settings
from handlers.importing.corporation import Corporation, bind, rows_of
from matrix.core.roles import Role
from matrix.matching.text import normalise
from matrix.ports import Store, Work

_SHOWN = 20
"""Names that are listed."""


async def import_wecom(
    store: Store,
    settings: Settings,
    tokens: Tokens,
    roles: dict[str, Role],
    *,
    confirm: Callable[[str], bool],
    show: Callable[[str], None],
    texts: Texts,
    today: str,
) -> int:
    """Read, show what would change, ask, write all or nothing; returns the exit status."""
    secret = settings.wecom_contact_secret.get_secret_value()
    api = wecom_api(
        account="wecom:contacts" if secret else f"wecom:{settings.wecom_agent_id}",
        corp_id=settings.wecom_corp_id,
        secret=secret or settings.wecom_secret.get_secret_value(),
        root=settings.wecom_base_url,
        tokens=tokens,
    )
    try:
        departments, members = await read_directory(api)
    except ApiError as error:
        show(texts("import.unread", {"detail": f"{error.code} {error.said}".strip()}))
        return NOTHING_WRITTEN
    finally:
        await api.aclose()
    read = Corporation(platform="wecom", departments=departments, members=members, roles=roles)
    async with store.read() as work:
        found = await rows_of(work, read, today)
    if found.idle:
        names = "、".join(found.idle[:_SHOWN])
        show(texts("import.idle", {"count": len(found.idle), "names": names}))

    async def besides(work: Work) -> int:
        return await bind(work, "wecom", found.handles, ids=RandomIds(), at=datetime.now(UTC))

    rows = Rows(rows={k: v for k, v in found.tables.items() if v}, first_rows={})
    return await import_rows(
        store, rows, confirm=confirm, show=show, texts=texts, today=today,
        key_of=lambda text: normalise(text).key, besides=besides,
    )  # fmt: skip
