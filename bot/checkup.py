"""What `piyao doctor` says of WeCom, robots and e-mail, without sending anything anywhere."""

from collections.abc import Callable
from typing import Any

from bot.means import SystemClock
from bot.platforms.email.channel import Email, MailSettings
from bot.robots import read_robots
from bot.tokens import Tokens
from bot.wechat.client import Api, wecom_api
from bot.wechat.outcomes import ApiError
from config.settings import Settings

Finding = tuple[str, str]

# What to do about a refusal; all others are shown with the platform's own words.
_KNOWN = {
    40001: "bad_wecom_secret", 40013: "bad_wecom_corp", 40056: "bad_wecom_agent",
    301002: "bad_wecom_agent", 60020: "bad_wecom_ip",
}  # fmt: skip


async def examine_channels(settings: Settings, tokens: Tokens) -> list[Finding]:
    """(key, detail) of every configured channel; keys with ``bad_`` stop real use."""
    found: list[Finding] = []
    if settings.wecom_app:
        found += await _application(settings, tokens)
        found += await _customers(settings, tokens)
    if settings.wecom_bot_id:
        # Connecting would cut the line of the process that runs.
        found.append(("wecom_bot", settings.wecom_bot_id))
    for name in ("wecom_robots", "dingtalk_robots", "feishu_robots"):
        if robots := read_robots(getattr(settings, name).get_secret_value()):
            found.append((name, "、".join(robots)))
    if settings.weibo_token.get_secret_value():
        found.append(("weibo", ""))
    if settings.email_host:
        found.append(await _email(settings))
    return found


def _api(settings: Settings, tokens: Tokens, account: str, secret: str) -> Api:
    return wecom_api(
        account=account, corp_id=settings.wecom_corp_id, secret=secret, tokens=tokens,
        root=settings.wecom_base_url,
    )  # fmt: skip


async def _asked(api: Api, ask: Callable[[Any], Any]) -> dict[str, Any] | ApiError:
    try:
        answer: dict[str, Any] = await api.call(ask, repeatable=True)
    except ApiError as error:
        return error
    finally:
        await api.aclose()
    return answer


async def _application(settings: Settings, tokens: Tokens) -> list[Finding]:
    agent = settings.wecom_agent_id
    secret = settings.wecom_secret.get_secret_value()
    api = _api(settings, tokens, f"wecom:{agent}", secret)
    said = await _asked(api, lambda c: c.get("agent/get", params={"agentid": agent}))
    if isinstance(said, ApiError):
        return [(_KNOWN.get(said.errcode or 0, "bad_wecom"), f"{said.code} {said.said}".strip())]
    found = [("bad_wecom_closed" if said.get("close") else "wecom", str(said.get("name") or agent))]
    if not settings.wecom_token.get_secret_value():
        found.append(("wecom_deaf", ""))
    return found


async def _customers(settings: Settings, tokens: Tokens) -> list[Finding]:
    own = settings.wecom_customer_secret.get_secret_value()
    account = "wecom:customers" if own else f"wecom:{settings.wecom_agent_id}"
    api = _api(settings, tokens, account, own or settings.wecom_secret.get_secret_value())
    body = {"limit": 1}
    said = await _asked(api, lambda c: c.post("externalcontact/groupchat/list", data=body))
    if isinstance(said, ApiError):
        return [("wecom_no_customers", f"{said.code} {said.said}".strip())]
    return [("wecom_customers", "")]


async def _email(settings: Settings) -> Finding:
    told = MailSettings(
        host=settings.email_host, port=settings.email_port, sender=settings.email_from,
        user=settings.email_user, password=settings.email_password.get_secret_value(),
        tls=settings.email_tls,
    )  # fmt: skip
    fault = await Email(told, clock=SystemClock()).ping()
    return ("bad_email", fault) if fault else ("email", settings.email_host)
