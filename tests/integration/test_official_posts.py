"""Articles of an official account: published or sent once, whatever goes wrong on the way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.channel import Outgoing
from bot.journal import Journal
from bot.means import KeySealer
from bot.platforms.wechat_official.account import open_account
from bot.platforms.wechat_official.outbound import marker
from bot.platforms.wechat_official.posts import Posts
from bot.tokens import Tokens
from bot.wechat.client import Api
from config.wechat import WechatAccount
from matrix.core.errors import DeliveryError
from storage.engine import open_engine
from storage.migrate import upgrade
from storage.unit_of_work import SqlStore
from tests.doubles.clock import FakeClock
from tests.doubles.official_account import OfficialAccountServer
from tests.journeys.official_play import NAME, account

TEXT = "金穗家园路灯改造不收费\n路灯由区财政出资安装，不向住户收费。\n\n区城管局\n\nhttps://jb.example/1"


class Bench:
    """``posts`` of one process; ``restarted`` is the next one over the same database."""

    def __init__(self, api: OfficialAccountServer, store: SqlStore, **settings: Any) -> None:
        self.api, self.store, self.clock = api, store, FakeClock()
        self.settings = WechatAccount.model_validate(account(**settings))
        self.clients: list[Api] = []
        self.posts = self.restarted()

    def restarted(self) -> Posts:
        tokens = Tokens(self.store.engine, KeySealer("k" * 40), "here")
        made = open_account(self.settings, root=self.api.url, tokens=tokens, now=self.clock.now)
        self.clients.append(made.api)
        return Posts(made, Journal(self.store, "wechat"), self.clock, looks=(0.0, 0.05))

    def message(self, key: str = "18eb7f126de402c637f45c85ec57") -> Outgoing:
        return Outgoing(key=key, address=NAME, text=TEXT, conversation=False)

    async def fails(self, act: Any) -> str:
        with pytest.raises(DeliveryError) as caught:
            await act
        error = caught.value
        kind = "unknown" if error.unknown else "permanent" if error.permanent else "later"
        return f"{kind} {error.code}"

    async def failing(self, posts: Posts | None = None) -> str:
        return await self.fails((posts or self.posts).send(self.message()))


@pytest.fixture
async def api(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OfficialAccountServer]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    async with OfficialAccountServer() as server:
        yield server


@asynccontextmanager
async def bench(api: OfficialAccountServer, folder: Path, **settings: Any) -> AsyncIterator[Bench]:
    url = f"sqlite:///{folder / 'test.db'}"
    await asyncio.to_thread(upgrade, url)
    engine = open_engine(url)
    made = Bench(api, SqlStore(engine), **settings)
    yield made
    for client in made.clients:
        await client.aclose()
    await engine.dispose()


@pytest.fixture
async def b(api: OfficialAccountServer, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(api, tmp_path) as made:
        yield made


async def test_a_bulletin_is_published_and_its_address_returned(b: Bench) -> None:
    url = await b.posts.send(b.message())
    (entry,) = b.api.published.values()
    (one,) = entry["news_item"]
    assert one["url"] == url
    assert one["title"] == "金穗家园路灯改造不收费"
    assert one["digest"] == "路灯由区财政出资安装，不向住户收费。"
    assert one["content_source_url"] == "https://jb.example/1"
    assert marker(b.message().key) in one["content"]
    assert b.api.drafts == {}


async def test_markup_in_a_text_is_shown_as_it_is(b: Bench) -> None:
    await b.posts.send(Outgoing(key="k", address=NAME, text="标题\n<script>1</script> & 好"))
    (entry,) = b.api.published.values()
    assert "&lt;script&gt;1&lt;/script&gt; &amp; 好" in entry["news_item"][0]["content"]


async def test_a_slow_publication_is_in_doubt_and_then_found(b: Bench) -> None:
    b.api.slow = True
    assert await b.failing() == "unknown under-way"
    assert await b.fails(b.posts.posted(b.message())) == "later under-way"
    b.api.finish()
    url = await b.posts.posted(b.message())
    assert url == next(iter(b.api.published.values()))["news_item"][0]["url"]
    assert len(b.api.called("freepublish/submit")) == 1


async def test_the_result_by_event_ends_the_waiting(b: Bench) -> None:
    b.api.slow = True
    b.posts._looks = (0.0, 30.0)
    sending = asyncio.create_task(b.posts.send(b.message()))
    await b.api.until(lambda: b.api.called("freepublish/get"))
    (event,) = b.api.finish()
    await b.posts.heard(event)
    async with asyncio.timeout(20):
        assert (await sending).startswith("https://mp.weixin.qq.com/s/")


@pytest.mark.parametrize("status", [2, 3, 4])
async def test_a_publication_that_is_refused_says_why(b: Bench, status: int) -> None:
    b.api.slow = True
    assert await b.failing() == "unknown under-way"
    b.api.finish(status)
    assert await b.fails(b.posts.posted(b.message())) == f"permanent publish-{status}"


LOST = [
    {"drop": True, "after": True},
    {"status": 502, "after": True},
    {"garbage": "?", "after": True},
]


@pytest.mark.parametrize("fault", LOST)
async def test_an_answer_lost_after_publishing_is_read_back(
    b: Bench, fault: dict[str, Any]
) -> None:
    b.api.fail("freepublish/submit", **fault)
    assert (await b.failing()).startswith("unknown")
    url = await b.restarted().posted(b.message())
    assert url == next(iter(b.api.published.values()))["news_item"][0]["url"]
    assert len(b.api.published) == 1


@pytest.mark.parametrize("fault", [{"drop": True}, {"status": 502}])
async def test_a_request_lost_before_publishing_is_sent_again_once_that_is_sure(
    b: Bench, fault: dict[str, Any]
) -> None:
    b.api.fail("freepublish/submit", **fault)
    assert (await b.failing()).startswith("unknown")
    posts = b.restarted()
    assert await b.fails(posts.posted(b.message())) == "later under-way"
    b.clock.forward(minutes=4)
    assert await posts.posted(b.message()) == ""
    await posts.send(b.message())
    assert len(b.api.published) == 1
    assert len(b.api.called("draft/add")) == 1, "the draft of the first try is used"


async def test_what_nobody_can_find_is_for_a_person(b: Bench) -> None:
    b.api.slow = True
    b.api.fail("freepublish/submit", drop=True, after=True)
    assert (await b.failing()).startswith("unknown")
    b.api.drafts.clear()
    assert await b.fails(b.posts.posted(b.message())) == "later under-way"
    b.clock.forward(minutes=31)
    assert await b.posts.posted(b.message()) is None


@pytest.mark.parametrize("fault", LOST)
async def test_a_lost_draft_is_found_by_its_marker(b: Bench, fault: dict[str, Any]) -> None:
    b.api.fail("draft/add", **fault)
    assert (await b.failing()).startswith("later draft-")
    await b.posts.send(b.message())
    assert len(b.api.called("draft/add")) == 1
    assert len(b.api.published) == 1


async def test_reading_that_fails_is_no_verdict(b: Bench) -> None:
    b.api.fail("freepublish/submit", drop=True, after=True)
    assert (await b.failing()).startswith("unknown")
    for code in (48001, 40164, -1):
        b.api.fail("freepublish/batchget", errcode=code)
        assert (await b.fails(b.posts.posted(b.message()))).startswith("later read-")


async def test_without_the_right_the_account_fails_for_good(b: Bench) -> None:
    b.api.verified = False
    assert await b.failing() == "permanent 48001"
    b.api.verified = True
    b.api.fail("freepublish/submit", errcode=48001)
    assert await b.failing() == "permanent 48001"
    assert await b.posts.posted(b.message()) == ""


@pytest.fixture
async def m(api: OfficialAccountServer, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(api, tmp_path, post="mass") as made:
        yield made


async def test_a_mass_sending_goes_once_and_counts(m: Bench) -> None:
    m.api.mass_left = 5
    m.api.slow = True
    m.posts._looks = (0.0, 30.0)
    sending = asyncio.create_task(m.posts.send(m.message()))
    await m.api.until(lambda: m.api.called("message/mass/get"))
    (event,) = m.api.finish_mass()
    await m.posts.heard(event)
    assert (await sending) == "https://mp.weixin.qq.com/s/mass-200000"
    assert await m.fails(m.posts.send(m.message("another"))) == "later mass-quota"
    assert len(m.api.called("message/mass/sendall")) == 1
    m.clock.forward(days=1)
    m.api.slow = False
    assert await m.posts.send(m.message("another")) == "mass:200001"


async def test_a_service_account_has_four_a_month(
    api: OfficialAccountServer, tmp_path: Path
) -> None:
    api.mass_left = 9
    async with bench(api, tmp_path, post="mass", kind="service") as m:
        for number in range(4):
            await m.posts.send(m.message(f"key-{number}"))
        assert await m.fails(m.posts.send(m.message("key-5"))) == "later mass-quota"
        m.clock.forward(days=22)
        assert await m.posts.send(m.message("key-5"))


async def test_a_mass_sending_whose_id_is_forgotten_is_not_sent_again(m: Bench) -> None:
    m.api.fail("message/mass/sendall", **LOST[0])
    assert (await m.failing()).startswith("unknown")
    posts = m.restarted()
    m.clock.forward(hours=40)
    assert await m.fails(posts.send(m.message())) == "unknown mass-old"
    assert await posts.posted(m.message()) is None, "a person looks"
    assert len(m.api.called("message/mass/sendall")) == 1


@pytest.mark.parametrize("fault", LOST)
async def test_a_mass_sending_without_an_answer_is_asked_for_by_the_same_id(
    m: Bench, fault: dict[str, Any]
) -> None:
    m.api.fail("message/mass/sendall", **fault)
    assert (await m.failing()).startswith("unknown")
    posts = m.restarted()
    assert await posts.posted(m.message()) == "", "the same id is not sent twice"
    assert await posts.send(m.message()) == "mass:200000"
    assert len(m.api.masses) == 1


async def test_a_mass_sending_of_yesterday_without_an_answer_is_for_a_person(m: Bench) -> None:
    """The platform has forgotten the id: asked for again, it would go to every follower twice."""
    m.api.mass_left = 2
    m.api.fail("message/mass/sendall", drop=True, after=True)
    assert await m.failing() == "unknown network"
    m.clock.forward(hours=22)
    posts = m.restarted()
    assert await posts.posted(m.message()) == ""
    m.api.fail("message/mass/sendall", drop=True)
    assert await m.failing(posts) == "unknown network"
    m.clock.forward(hours=2)
    assert await posts.posted(m.message()) is None, "the first try counts, not the last"
    assert len(m.api.masses) == 1


async def test_a_repeat_without_quota_is_no_proof_that_nothing_went_out(m: Bench) -> None:
    m.api.fail("message/mass/sendall", drop=True)
    assert await m.failing() == "unknown network"
    m.api.mass_left = 0
    assert await m.failing() == "unknown mass-quota"
    assert await m.posts.posted(m.message()) is None


async def test_a_mass_sending_found_by_its_id_counts_like_any_other(m: Bench) -> None:
    m.api.mass_left = 5
    m.api.fail("message/mass/sendall", drop=True, after=True)
    assert await m.failing() == "unknown network"
    assert await m.posts.send(m.message()) == "mass:200000"
    assert await m.fails(m.posts.send(m.message("another"))) == "later mass-quota"


@pytest.mark.parametrize("shape", ["x", ["x"], {"ResultList": "x"}, {"ResultList": {"item": "x"}}])
async def test_a_result_of_a_wrong_shape_breaks_nothing(m: Bench, shape: object) -> None:
    await m.posts.heard({"MsgID": "7", "Status": "send success", "ArticleUrlResult": shape})


async def test_an_administrator_who_does_not_confirm_ends_it(m: Bench) -> None:
    m.api.slow = True
    assert await m.failing() == "unknown under-way"
    m.clock.forward(minutes=30)
    (event,) = m.api.finish_mass("err(40002)")
    await m.posts.heard(event)
    assert await m.fails(m.posts.posted(m.message())) == "permanent mass-err(40002)"


async def test_an_account_without_a_way_to_post_says_so(
    api: OfficialAccountServer, tmp_path: Path
) -> None:
    async with bench(api, tmp_path, post="") as made:
        assert await made.failing() == "permanent no-post"


async def test_a_day_is_over_at_midnight_here(m: Bench) -> None:
    _, _, pause = m.posts._quota()
    assert pause < timedelta(hours=9)
