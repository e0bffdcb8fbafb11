"""The administrator's hand on official accounts: menu, cover, QR code, and what is amiss."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.beginning import clock_of, make_key
from bot.means import KeySealer, RandomIds
from bot.platforms.wechat_official.account import OfficialAccount, open_account
from bot.platforms.wechat_official.channel import menu_of
from bot.presenter import Presenter
from bot.tokens import Tokens
from bot.wechat.outcomes import STOPPING, ApiError
from config.settings import Settings
from config.texts import load_texts
from matrix.core.errors import DeliveryError
from storage.engine import open_engine
from storage.migrate import upgrade

MENU = ("report", "search", "mine")
"""Entries of the menu, in order: keys under [wechat]."""

# How long a QR code leads to its invitation: as long as the invitation, at most 30 days.
SCENE_SECONDS = 72 * 3600

_PATHS = {
    "custom": "/cgi-bin/message/custom/send",
    "publish": "/cgi-bin/freepublish/submit",
    "mass": "/cgi-bin/message/mass/sendall",
}


@asynccontextmanager
async def accounts(settings: Settings) -> AsyncIterator[dict[str, OfficialAccount]]:
    """The configured accounts by name, sharing the tokens of the running processes."""
    settings.data.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(upgrade, settings.url)
    engine = open_engine(settings.url)
    tokens = Tokens(engine, KeySealer(make_key(settings)), RandomIds().new())
    clock = clock_of(settings)
    made = {
        one.name: open_account(one, root=settings.wechat_base_url, tokens=tokens, now=clock.now)
        for one in settings.wechat_accounts
    }
    try:
        yield made
    finally:
        for one in made.values():
            await one.api.aclose()
        await engine.dispose()


async def make_menus(settings: Settings) -> list[tuple[str, str]]:
    """Give every account its menu; name and fault, empty where it went well."""
    texts = Presenter(texts=load_texts())
    menu = menu_of(
        [(texts.text("wechat", key), texts.text("wechat", f"{key}_word")) for key in MENU]
    )
    async with accounts(settings) as made:
        return [(name, await _fault(one.make_menu(menu))) for name, one in made.items()]


async def _fault(call: object) -> str:
    try:
        await call  # type: ignore[misc]
    except ApiError as error:
        return f"{error.code} {error.said}".strip()
    except DeliveryError as error:
        return error.code
    return ""


async def upload_cover(settings: Settings, name: str, picture: Path) -> str:
    """The media id of a permanent picture for articles. Raises ApiError."""
    async with accounts(settings) as made:
        data = await asyncio.to_thread(picture.read_bytes)
        return await made[name].permanent_picture(picture.name, data)


async def scene(settings: Settings, name: str, code: str) -> str:
    """What a QR code must say so that a scan binds by this invitation. Raises ApiError."""
    async with accounts(settings) as made:
        return await made[name].scene(code, SCENE_SECONDS)


async def examine(settings: Settings) -> list[tuple[str, str]]:
    """(key, detail) of every account, for ``piyao doctor``; asks, changes nothing."""
    found: list[tuple[str, str]] = []
    if not (settings.wechat_accounts and settings.secret_key.get_secret_value()):
        return found
    async with accounts(settings) as made:
        for one in made.values():
            found += await _examine(one)
    return found


async def _examine(account: OfficialAccount) -> list[tuple[str, str]]:
    name = account.name
    try:
        await account.api.token()
    except ApiError as error:
        stopped = error.errcode if error.errcode in STOPPING else 0
        key = f"bad_wechat_{stopped}" if stopped else "bad_wechat"
        return [(key, f"{name} {error.code} {error.said}".strip())]
    found = [("wechat", name)]
    if account.settings.mode == "plain":
        found.append(("wechat_plain", name))
    if not account.settings.verified:
        return [*found, ("wechat_unverified", name)]
    asked = ["custom", *([account.settings.post] if account.settings.post else [])]
    found += [await _quota(account, what) for what in asked]
    if not account.settings.post:
        found.append(("wechat_by_hand", name))
    return found


async def _quota(account: OfficialAccount, what: str) -> tuple[str, str]:
    try:
        left, limit = await account.quota(_PATHS[what])
    except ApiError as error:
        return "wechat_no_quota", f"{account.name} {what} {error.code}"
    key = f"wechat_quota_{what}" if left else f"bad_wechat_quota_{what}"
    return key, f"{account.name} {left}/{limit}"
