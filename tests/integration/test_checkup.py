"""What `piyao doctor` says of WeCom, without sending anything."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.checkup import examine_channels
from config.settings import Settings, SettingsError, load
from tests.doubles.wecom_rig import token_store, without_proxy
from tests.doubles.wecom_server import WeCom


@pytest.fixture
async def api(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WeCom]:
    without_proxy(monkeypatch)
    async with WeCom() as api:
        yield api


def told(api: WeCom, **more: str) -> Settings:
    return load(
        {
            "PIYAO_WECOM_CORP_ID": api.corp, "PIYAO_WECOM_AGENT_ID": api.agent,
            "PIYAO_WECOM_SECRET": api.secret, "PIYAO_WECOM_BASE_URL": api.url, **more,
        }
    )  # fmt: skip


async def said(api: WeCom, folder: Path, **more: str) -> dict[str, str]:
    async with token_store(folder) as tokens:
        return dict(await examine_channels(told(api, **more), tokens))


async def test_all_is_well_and_nothing_was_sent(api: WeCom, tmp_path: Path) -> None:
    callback = {"PIYAO_WECOM_TOKEN": api.token, "PIYAO_WECOM_AES_KEY": api.aes_key}
    robots = {"PIYAO_DINGTALK_ROBOTS": "网格群=k:s,值班群=k2"}
    found = await said(
        api, tmp_path, **callback, **robots, PIYAO_WECOM_BOT_ID="b", PIYAO_WECOM_BOT_SECRET="s"
    )
    assert found == {
        "wecom": "辟谣矩阵", "wecom_customers": "", "wecom_bot": "b",
        "dingtalk_robots": "网格群、值班群",
    }  # fmt: skip
    assert not api.messages
    assert not api.mass


async def test_what_is_missing_is_named(api: WeCom, tmp_path: Path) -> None:
    api.agent_closed = True
    api.fail("externalcontact/groupchat/list", errcode=48002, errmsg="api forbidden")
    found = await said(api, tmp_path)
    assert set(found) == {"bad_wecom_closed", "wecom_deaf", "wecom_no_customers"}
    assert found["wecom_no_customers"] == "48002 api forbidden"


@pytest.mark.parametrize(
    ("code", "key"),
    [
        (60020, "bad_wecom_ip"), (40013, "bad_wecom_corp"), (301002, "bad_wecom_agent"),
        (99999, "bad_wecom"),
    ],
)  # fmt: skip
async def test_codes_and_what_to_do(api: WeCom, tmp_path: Path, code: int, key: str) -> None:
    api.fail("agent/get", errcode=code)
    assert key in await said(api, tmp_path)


async def test_a_wrong_secret(api: WeCom, tmp_path: Path) -> None:
    found = await said(api, tmp_path, PIYAO_WECOM_SECRET="wrong-secret-of-the-test")
    assert "bad_wecom_secret" in found
    assert "wrong-secret" not in str(found)


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"PIYAO_WECOM_SECRET": "x"}, "wecom_incomplete"),
        ({"PIYAO_WECOM_TOKEN": "x"}, "wecom_callback_incomplete"),
        ({"PIYAO_WECOM_BOT_ID": "x"}, "wecom_bot_incomplete"),
        ({"PIYAO_WECOM_AES_KEY": "short"}, "aes_key"),
        ({"PIYAO_WECOM_BASE_URL": "http://example.com"}, "needs_https"),
        ({"PIYAO_WECOM_BOT_URL": "ws://example.com"}, "needs_wss"),
        ({"PIYAO_FEISHU_ROBOTS": "网格群"}, "robots"),
        ({"PIYAO_EMAIL_HOST": "mail.example.com"}, "email_incomplete"),
        ({"PIYAO_WEIBO_TOKEN": "x"}, "weibo_incomplete"),
    ],
)
def test_settings_that_do_not_go_together(settings: dict[str, str], key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(settings)
    assert key in {fault for _, fault, _ in caught.value.faults}
