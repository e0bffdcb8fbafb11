"""The draft in a form on a page: opened from the card, saved like text that is sent."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import httpx

from bot.page_links import SAVES
from bot.web.app import public_app
from handlers.drafting.writing import LIMITS
from tests.journeys import story
from tests.journeys.play import Play, stage

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def _link(p: Play, who: str = "范北辰") -> str:
    said = await p.press(who, "draft_page")
    return re.search(r"http\S+", said)[0]  # type: ignore[index]


def _typed(page: httpx.Response) -> dict[str, str]:
    """The fields of the form as a browser reads them."""
    areas = re.findall(r'<textarea id="(\w+)"[^>]*>\n(.*?)</textarea>', page.text, re.DOTALL)
    token = re.search(r'name="token" value="([^"]+)"', page.text)
    assert token
    was = dict(re.findall(r'name="(was_\w+)" value="(\w+)"', page.text))
    return {"token": token[1], **was, **{name: html.unescape(text) for name, text in areas}}


async def _send(p: Play, fields: dict[str, str], **headers: str) -> httpx.Response:
    answer = await p.http.post("/draft", content=urlencode(fields), headers={**FORM, **headers})
    await p.settle()
    return answer


async def test_saved_in_the_form_and_submitted_in_the_chat(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_concluded) as p:
        await p.press("范北辰", "draft_start")
        page = await p.http.get(await _link(p))
        fields = _typed(page)
        assert "财政出资" in fields["fact"]
        assert "路灯" in fields["rumor"]
        assert fields["todo"], "the advice of its kind"
        assert "http" not in page.text.split("<body>")[1]
        emptied = await _send(p, fields | {"todo": ""})
        page = await p.http.get(emptied.headers["location"])
        assert "没有写怎么办" in page.text
        fields = _typed(page)
        fields |= {
            "title": "金穗家园路灯改造不收费", "why": "合同写明：\r\n由财政承担。",
            "todo": "有人收费请拨打 12345。",
        }  # fmt: skip
        answer = await _send(p, fields)
        assert answer.status_code == 303
        again = await p.http.get(answer.headers["location"])
        assert "已保存" in again.text
        assert "没有写怎么办" not in again.text
        revision = await story.the(p, "revisions")
        assert (revision.title, revision.why) == (fields["title"], "合同写明：\n由财政承担。")
        assert "金穗家园路灯改造不收费" in await p.last("范北辰"), "the chat has the new card"
        await p.press("范北辰", "draft_submit")
        assert await p.states("revisions") == ["review-1"]
        page = await p.http.get(answer.headers["location"])
        assert "不能再改" in page.text
        assert "<button>" not in page.text


async def test_a_stale_form_saves_nothing_and_loses_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_drafted) as p:
        link = await _link(p)
        fields = _typed(await p.http.get(link)) | {"why": "我写的理由。"}
        await story.written(p, "范北辰", "聊天里改的标题")
        answer = await _send(p, fields)
        assert answer.status_code == 409
        assert "这次没有保存" in answer.text
        assert story.LAMPS_WHY in answer.text, "what stands there now is shown beside it"
        assert _typed(answer)["why"] == "我写的理由。"
        assert _typed(answer)["title"] == "聊天里改的标题", "not touched here: as it is now"
        assert (await story.the(p, "revisions")).title == "聊天里改的标题"
        assert "最新的" in (await p.http.get(link)).text
        assert (await _send(p, _typed(answer))).status_code == 303
        revision = await story.the(p, "revisions")
        assert (revision.title, revision.why) == ("聊天里改的标题", "我写的理由。")


async def test_too_long_closed_and_expired_give_the_text_back(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_drafted) as p:
        link = await _link(p)
        fields = _typed(await p.http.get(link))
        long = await _send(p, fields | {"title": "长" * (LIMITS["title"] + 1)})
        assert long.status_code == 422
        assert "64" in long.text
        assert _typed(long)["title"].startswith("长长")
        assert (await _send(p, fields | {"why": "字" * 50_000})).status_code == 413
        await p.press("范北辰", "draft_submit")
        closed = await _send(p, fields | {"why": "晚了一步。"})
        assert closed.status_code == 409
        assert "不能再改" in closed.text
        assert "晚了一步。" in closed.text
        p.clock.forward(minutes=31)
        assert "已过期" in (await p.http.get(link)).text
        p.clock.forward(hours=4)
        late = await _send(p, fields | {"why": "写了半天。"})
        assert late.status_code == 404
        assert "写了半天。" in late.text


async def test_nobody_else_and_no_other_site(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_drafted) as p:
        link = await _link(p)
        fields = _typed(await p.http.get(link))
        before = await story.the(p, "revisions")
        evil = await _send(p, fields | {"title": "改了"}, Origin="http://localhost:9999")
        assert evil.status_code == 403
        for wrong in ("", "x.y", link.rpartition("/")[2]):
            assert (await _send(p, fields | {"token": wrong})).status_code == 404
        assert (await p.http.get("/draft/x.y")).status_code == 404
        saving, now = p.parts.pages.saving, p.clock.now()
        grant = saving.read(fields["token"], now)
        bound = (await p.all("identities", person=p.ids["王倩"]))[0]
        stranger = saving.sign(replace(grant, identity=bound.id), now + SAVES)
        assert (await _send(p, fields | {"token": stranger})).status_code in {403, 422}
        await p.say("高原", "解绑 范北辰")
        assert (await _send(p, fields | {"title": "改了"})).status_code in {403, 422}
        assert (await p.http.get(link)).status_code == 403
        assert await story.the(p, "revisions") == before


async def test_what_people_write_is_text_and_never_markup(tmp_path: Path) -> None:
    async with stage(tmp_path, after=story.lamps_drafted) as p:
        hostile = '</textarea><script>alert("1")</script>&amp;\n\n第三行'
        fields = _typed(await p.http.get(await _link(p))) | {"why": hostile}
        answer = await _send(p, fields)
        page = await p.http.get(answer.headers["location"])
        assert "<script" not in page.text
        assert _typed(page)["why"] == hostile
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert page.headers["cache-control"] == "no-store"
        assert (await p.http.get("/page.css")).headers["content-type"].startswith("text/css")


@asynccontextmanager
async def _outside(p: Play) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=public_app(p.parts))
    async with httpx.AsyncClient(transport=transport, base_url="https://piyao.example") as http:
        yield http


async def test_at_a_public_address_and_left_out_where_there_is_none(tmp_path: Path) -> None:
    public = {"PIYAO_PUBLIC_URL": "https://piyao.example/bot/"}
    async with stage(tmp_path, after=story.lamps_drafted, **public) as p:
        link = await _link(p)
        assert link.startswith("https://piyao.example/bot/draft/")
        async with _outside(p) as http:
            page = await http.get(link.removeprefix("https://piyao.example/bot"))
            assert 'action="/bot/draft"' in page.text
            assert 'href="/bot/page.css"' in page.text
        p.parts.pages.base = ""
        async with _outside(p) as http:
            assert (await http.get("/draft/x.y")).text == '{"detail":"Not Found"}'
        said = await p.press("范北辰", "draft_page", ok=False)
        assert "没有网页可用" in said
        await p.say("范北辰", await p.number())
        await p.press("范北辰", "draft_open")
        assert "在网页里改" not in [b["label"] for b in (await p.heard("范北辰"))[-1]["buttons"]]
