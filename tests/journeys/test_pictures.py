"""看图片: what came with a lead or an appeal, opened from its card by those who may see it."""

import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from bot.attachments import strip
from bot.page_links import OPENS
from bot.signer import Grant
from bot.web.app import public_app
from tests.journeys import story
from tests.journeys.play import Play, stage

REPORTER, DESK, COLLEAGUE, UNIT, OTHER_UNIT = "王芳", "陈静", "黄书宁", "范北辰", "王倩"
PDF = b"%PDF-1.4\n<html><script>alert(1)</script>"
AMR = b"#!AMR\n" + bytes(40)
FOREIGN = re.compile(r"(?:src|href)=\"(?!/)|https?:|<script|<style|style=")


def photo(kind: str = "JPEG") -> bytes:
    """A picture with a camera and a place in it."""
    exif = Image.Exif()
    exif[0x010F] = "Camera of Wang"
    out = BytesIO()
    Image.new("RGB", (12, 8), (200, 30, 30)).save(out, kind, exif=exif)
    return out.getvalue()


async def kept(p: Play, data: bytes, name: str = '"><script>.jpg') -> str:
    """Uploaded; its id."""
    answer = await p.http.post("/api/webchat/files", files={"file": (name, data)})
    return str(answer.json()["id"])


async def reported(p: Play, *files: bytes) -> Any:
    """A lead with files; the lead."""
    await p.say(REPORTER, story.LAMPS, files=[await kept(p, one) for one in files])
    return await story.the(p, "leads")


async def link(p: Play, who: str, button: str = "pictures_open") -> str:
    """The address that a press of the button gives."""
    return re.search(r"http\S+", await p.press(who, button))[0]  # type: ignore[index]


async def given_to(p: Play, who: str, subject: str) -> str:
    """An address as it would be signed for somebody, whether or not they have a button."""
    bound = (await p.all("identities", person=p.ids[who], revoked_at=None))[0]
    return p.parts.pages.pictures(identity=bound.id, subject=subject, at=p.clock.now())[0]


async def statuses(p: Play, address: str) -> list[int]:
    """Of the page and of its first file."""
    return [(await p.http.get(one)).status_code for one in (address, f"{address}/1")]


async def test_the_desk_sees_what_came_with_a_lead(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        lead = await reported(p, photo(), PDF, AMR)
        assert "附件：3 个" in await p.last(DESK)
        address = await link(p, DESK)
        said = await p.last(DESK)
        assert f"线索 {lead.number} 的附件共 3 个" in said
        assert "只给您一人看" in said
        page = await p.http.get(address)
        assert page.status_code == 200
        assert f"线索 {lead.number} · 附件 3 个" in page.text
        assert REPORTER not in page.text
        assert not FOREIGN.search(page.text.replace('href="/', "").replace('src="/', ""))
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'")
        assert re.findall(r'<img src="([^"]+)"', page.text) == [httpx.URL(address).path + "/1"]
        picture = await p.http.get(f"{address}/1")
        assert picture.content == strip(photo())
        assert b"Camera" in photo()
        assert b"Camera" not in picture.content
        assert picture.headers["content-type"] == "image/jpeg"
        assert "content-disposition" not in picture.headers
        for place, data, kind, ending in ((2, PDF, "application/pdf", "pdf"),
                                          (3, AMR, "audio/amr", "amr")):  # fmt: skip
            file = await p.http.get(f"{address}/{place}")
            assert (file.content, file.headers["content-type"]) == (data, kind)
            name = f"attachment; filename*=UTF-8''{lead.number}-{place}.{ending}"
            assert file.headers["content-disposition"] == name
        for answer in (page, picture, file):
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert await statuses(p, f"{address}/4") == [404, 404]
        assert (await p.http.get(f"{address}/0")).status_code == 404
        assert (await p.http.get("/page.css")).headers["content-type"].startswith("text/css")


async def test_every_opening_is_noted_once(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        lead = await reported(p, photo(), PDF)
        address = await link(p, DESK)
        for one in (address, f"{address}/1", f"{address}/2", address):
            assert (await p.http.get(one)).status_code == 200
        async with p.parts.store.read() as work:
            looks = await work.events(entity="lead", entity_id=lead.id, action="look")
        assert [(one.person, one.data) for one in looks] == [(p.ids[DESK], {"files": 2})] * 2


async def test_who_looked_has_not_settled_a_card(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await reported(p, photo())
        file = await p.button(COLLEAGUE, "lead_file")
        await p.press(DESK, "lead_file")
        await p.http.get(await given_to(p, COLLEAGUE, await _subject(p)))
        assert DESK in await p.token(COLLEAGUE, file, ok=False)


async def _subject(p: Play) -> str:
    return f"lead:{(await story.the(p, 'leads')).id}"


async def test_the_unit_sees_it_once_it_has_the_case(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        lead = await reported(p, photo())
        early = await given_to(p, UNIT, await _subject(p))
        assert await statuses(p, early) == [403, 403]
        await p.press(DESK, "lead_file")
        assert await statuses(p, early) == [200, 200]
        await p.press(UNIT, "assignment_acknowledge")
        assert "附件 1 个" in await p.press(UNIT, "case_leads")
        assert await p.button(UNIT, "pictures_of")
        address = await link(p, UNIT, "pictures_of")
        assert (await p.http.get(f"{address}/1")).content == strip(photo())
        page = (await p.http.get(address)).text
        assert lead.number in page
        assert REPORTER not in page


@pytest.mark.parametrize("who", [OTHER_UNIT, REPORTER, "李敏", "邬沐阳"])
async def test_nobody_else_sees_it(tmp_path: Path, who: str) -> None:
    async with stage(tmp_path) as p:
        await reported(p, photo())
        await p.press(DESK, "lead_file")
        address = await given_to(p, who, await _subject(p))
        assert "不能看" in (await p.http.get(address)).text
        assert await statuses(p, address) == [403, 403]
        async with p.parts.store.read() as work:
            assert not await work.events(action="look")


async def test_only_the_link_as_it_was_given_opens(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await reported(p, photo())
        address = await link(p, DESK)
        links, now = p.parts.pages, p.clock.now()
        grant = links.looking.read(address.rpartition("/")[2], now)
        root = address.rpartition("/")[0]
        forged = [
            "x.y",
            links.editing.sign(grant, now + OPENS),
            links.saving.sign(grant, now + OPENS),
            address.rpartition("/")[2][:-1],
        ]
        for token in forged:
            assert "链接不对" in (await p.http.get(f"{root}/{token}")).text
            assert await statuses(p, f"{root}/{token}") == [404, 404]
        for gone in (replace(grant, subject="lead:nothing"), replace(grant, subject="nothing"),
                     Grant(identity="nobody", subject=grant.subject)):  # fmt: skip
            token = links.looking.sign(gone, now + OPENS)
            assert await statuses(p, f"{root}/{token}") == [403, 403]
        draft = address.replace("/pictures/", "/draft/")
        assert (await p.http.get(draft)).status_code == 404
        p.clock.forward(minutes=30)
        assert "已过期" in (await p.http.get(address)).text
        assert await statuses(p, address) == [404, 404]


async def test_a_lost_phone_opens_nothing_even_when_its_owner_is_back(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await reported(p, photo())
        address = await link(p, DESK)
        assert await statuses(p, address) == [200, 200]
        said = await p.say("高原", f"邀请 {DESK}")
        await p.say("高原", f"解绑 {DESK}")
        assert await statuses(p, address) == [403, 403]
        await p.say(DESK, re.search(r"PY-[\w-]+", said, re.ASCII)[0])  # type: ignore[index]
        assert await p.all("identities", person=p.ids[DESK], revoked_at=None)
        assert await statuses(p, address) == [403, 403]
        assert await statuses(p, await given_to(p, DESK, await _subject(p))) == [200, 200]


async def test_after_its_time_a_file_is_gone_and_the_page_says_so(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        lead = await reported(p, photo(), PDF)
        p.clock.forward(days=91)
        await p.parts.forget_old()
        await p.say(DESK, lead.number)
        address = await link(p, DESK)
        page = (await p.http.get(address)).text
        assert page.count("已过保存期") == 2
        assert "<img" not in page
        gone = await p.http.get(f"{address}/1")
        assert gone.status_code == 410
        assert "已经不在" in gone.text


async def test_bytes_that_are_missing_are_said_to_be_gone(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await reported(p, photo())
        address = await link(p, DESK)
        one = await story.the(p, "attachments")
        await p.parts.attachments.remove([one.digest])
        assert await statuses(p, address) == [200, 410]


async def test_what_a_browser_may_not_draw_is_only_saved(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await reported(p, *(photo(kind) for kind in ("PNG", "WEBP", "TIFF")))
        address = await link(p, DESK)
        answers = [await p.http.get(f"{address}/{place}") for place in (1, 2, 3)]
        kinds = [one.headers["content-type"] for one in answers]
        assert kinds == ["image/png", "image/webp", "application/octet-stream"]
        assert "attachment" in answers[2].headers["content-disposition"]
        assert (await p.http.get(address)).text.count("<img") == 2


async def test_the_button_stands_on_every_card_of_the_lead(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        lead = await reported(p, photo(), photo("PNG"))
        shown = (await p.heard(DESK))[-1]["buttons"]
        assert "看图片（2）" in [one["label"] for one in shown]
        assert len(shown) <= 5
        assert shown[-1]["label"] == "更多"
        await p.press(DESK, "lead_more")
        assert "看图片（2）" in [one["label"] for one in (await p.heard(DESK))[-1]["buttons"]]
        await p.press(DESK, "lead_file")
        await p.say(DESK, lead.number)
        assert [one["label"] for one in (await p.heard(DESK))[-1]["buttons"]] == ["看图片（2）"]


async def test_without_files_there_is_no_button(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await reported(p)
        assert not await p.has(DESK, "pictures_open")
        assert "附件" not in await p.last(DESK)


async def test_the_pictures_of_an_appeal(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_published) as p:
        await p.say("李敏", "查 金穗家园路灯收费")
        await p.press("李敏", "appeal_file")
        await p.say("李敏", "我家收到了收费单", files=[await kept(p, photo())])
        appeal = await story.the(p, "appeals")
        address = await link(p, DESK)
        assert f"异议 {appeal.number}" in (await p.http.get(address)).text
        assert (await p.http.get(f"{address}/1")).content == strip(photo())
        subject = f"appeal:{appeal.id}"
        for who in (OTHER_UNIT, "李敏", "孙丽"):
            assert await statuses(p, await given_to(p, who, subject)) == [403, 403]
        await p.say(UNIT, await p.number())
        await p.press(UNIT, "case_appeals")
        assert await statuses(p, await link(p, UNIT, "pictures_of")) == [200, 200]
        async with p.parts.store.read() as work:
            looks = await work.events(entity="appeal", entity_id=appeal.id, action="look")
        assert [one.person for one in looks] == [p.ids[DESK], p.ids[UNIT]]


async def test_at_a_public_address_and_refused_where_there_is_none(tmp_path: Path) -> None:
    public = {"PIYAO_PUBLIC_URL": "https://piyao.example/bot/"}
    async with stage(tmp_path, **public) as p:
        await reported(p, photo())
        address = await link(p, DESK)
        assert address.startswith("https://piyao.example/bot/pictures/")
        transport = httpx.ASGITransport(app=public_app(p.parts))
        async with httpx.AsyncClient(transport=transport, base_url="https://x.example") as http:
            path = address.removeprefix("https://piyao.example/bot")
            page = await http.get(path)
            assert f'<img src="/bot{path}/1"' in page.text
            assert 'href="/bot/page.css"' in page.text
            assert (await http.get(f"{path}/1")).content == strip(photo())
        p.parts.pages.base = ""
        assert "没有网页可用" in await p.press(DESK, "pictures_open", ok=False)


async def test_no_address_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with stage(tmp_path) as p:
        await reported(p, photo())
        token = (await link(p, DESK)).rpartition("/")[2]
        await p.http.get(f"/pictures/{token}")
        await p.http.get(f"/pictures/{token[:-1]}")
        # The test's own client, and the database's driver, which bot/logs.py keeps quiet.
        others = ("httpx", "httpcore", "aiosqlite")
        ours = [one.getMessage() for one in caplog.records if not one.name.startswith(others)]
        assert not [one for one in ours if token[:20] in one]


async def test_the_evidence_is_seen_by_who_decides_on_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await p.say(REPORTER, story.LAMPS)
        await p.press(DESK, "lead_file")
        await p.press(UNIT, "assignment_acknowledge")
        await p.press(UNIT, "evidence_add")
        await p.say(UNIT, "", files=[await kept(p, photo())])
        await p.press(UNIT, "public_yes")
        said = await p.press(UNIT, "evidence_add")
        assert "有附件" in said
        address = await link(p, UNIT, "evidence_open")
        assert (await p.http.get(f"{address}/1")).content == strip(photo())
        case = await story.the(p, "cases")
        assert f"案件依据 {case.number}" in (await p.http.get(address)).text
        subject = f"case:{case.id}"
        for who in (DESK, "孙丽"):
            assert await statuses(p, await given_to(p, who, subject)) == [200, 200]
        for who in (OTHER_UNIT, REPORTER, "邬沐阳"):
            assert await statuses(p, await given_to(p, who, subject)) == [403, 403]


async def test_a_screenshot_is_seen_by_who_checks_it(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_running) as p:
        await p.say("邬沐阳", "", files=[await kept(p, photo())])
        address = await link(p, DESK, "screenshot_open")
        assert (await p.http.get(f"{address}/1")).content == strip(photo())
        task = await story.task(p, "a049")
        account = (await p.all("accounts", id="a049"))[0].name
        assert f"回执截图 {account}" in (await p.http.get(address)).text
        subject = f"task:{task.id}"
        assert await statuses(p, await given_to(p, "邬沐阳", subject)) == [200, 200]
        for who in ("华明川", UNIT, REPORTER):
            assert await statuses(p, await given_to(p, who, subject)) == [403, 403]
        await p.press(DESK, "task_reject")
        await p.say("邬沐阳", "", files=[await kept(p, photo("PNG"))])
        assert (await p.http.get(await link(p, DESK, "screenshot_open"))).text.count("<img") == 2
