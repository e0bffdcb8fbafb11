"""Callbacks of an official account: 200 a second for a minute against the real process.

    python benchmarks/callbacks.py [--rate 200] [--seconds 60] [--claims 10000] [--wait 60]
        [--texts storm|distinct]

Starts the product as a process of its own, on a temporary SQLite file with CLAIMS rebuttals and an
officer at the desk; a double of WeChat's server runs with the client. Messages of 3,000 people,
signed and encrypted beforehand, arrive at a steady rate; one in fifty is a platform's retry of one
just sent. ``storm``: forwards of a few rumors, as floods are (benchmarks/storm.py). ``distinct``,
worse than any: each is a rumor of its own, all made of one sentence, so that the library is near.
Measured: each HTTP response, what the
inbox and the leads hold afterwards, the backlog 60 s after the load, and the product's processor
time for each lead. Prints one JSON line last.
"""

import argparse
import asyncio
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import storm  # noqa: E402
from matrix.core.bulletin import Bulletin, BulletinState, Kind  # noqa: E402
from matrix.core.case import Verdict  # noqa: E402
from matrix.core.directory import Area, AreaKind, ChannelIdentity, Person, Post  # noqa: E402
from matrix.core.roles import Role  # noqa: E402
from matrix.matching.text import normalise  # noqa: E402
from storage.engine import open_engine  # noqa: E402
from storage.migrate import upgrade  # noqa: E402
from storage.unit_of_work import SqlStore  # noqa: E402
from tests.doubles.official_account import OfficialAccountServer, Sealed, xml_of  # noqa: E402
from tests.journeys.official_play import account  # noqa: E402

CHANNEL = "wechat_official@jiangbei"
PEOPLE = 3000
DESK = "o" + "d" * 27
PORT = 18473
RETRY = 50
"""One message in so many is sent a second time, as WeChat does after five seconds."""
PLACES = ["北塘", "云溪", "河东", "松岭", "金穗", "科创", "学府", "滨江", "龙泉", "青石"]
THINGS = ["停水", "停电", "涨价", "封路", "拆迁", "改名", "中毒", "收费", "停课", "招工"]
ENDS = "三天 七天 下周一起 全部取消 每户两百元 不交就罚款 内部消息 千万别外传".split()  # noqa: SIM905


def text_of(number: int) -> str:
    """A rumor of its own; every tenth number is the claim of a rebuttal."""
    draw = random.Random(number)
    place, thing, end = draw.choice(PLACES), draw.choice(THINGS), draw.choice(ENDS)
    return f"听说{place}{number % 997}号小区{thing}{end}，物业第{number}号通知"


def storm_text(number: int) -> str:
    """A forward of one of a few rumors."""
    return storm.text_of(number, text_of(number))


TEXTS = {"distinct": text_of, "storm": storm_text}


def rebutted(claims: int, texts: str) -> list[str]:
    """What there is a rebuttal of."""
    known = storm.known() if texts == "storm" else ()
    return [*known, *(text_of(10 * number) for number in range(claims - len(known)))]


async def fill(url: str, claims: int, texts: str) -> None:
    """A district of one desk and the reporters, and the rebuttals as imported bulletins."""
    upgrade(url)
    store = SqlStore(open_engine(url))
    now = datetime.now(UTC)
    async with store.work() as work:
        await work.areas.add(Area(id="990100", name="测试区", kind=AreaKind.DISTRICT))
        reporters = [f"o{n:027d}" for n in range(PEOPLE)]
        people = [DESK, *reporters]
        await work.people.add_all([Person(id=p, handle=p, name=p, greeted=True) for p in people])
        await work.posts.add(Post(id=DESK, person=DESK, role=Role.DESK))
        await work.posts.add_all([Post(id=p, person=p, role=Role.SUPERVISOR) for p in reporters])
        await work.identities.add_all(
            [
                ChannelIdentity(
                    id=p, platform=CHANNEL, external=p, chat=p, person=p, bound_at=now
                )
                for p in people
            ]
        )  # fmt: skip
        await work.bulletins.add_all(
            [
                Bulletin(
                    id=f"b{n}", state=BulletinState.CURRENT, kind=Kind.IMPORTED, number=f"b{n}",
                    title=text[:60], short=text[:60], body="不属实。", claim_text=text,
                    claim_key=normalise(text).key, issuer="benchmark", verdict=Verdict.FALSE,
                    issued_at=now, change=n + 1,
                )
                for n, text in enumerate(rebutted(claims, texts))
            ]
        )  # fmt: skip
        await work.serial("bulletin-change", claims)
        await work.commit()
    await store.engine.dispose()


def callback(sealed: Sealed, number: int, text: str) -> tuple[dict[str, str], bytes]:
    """One signed message."""
    stamp = str(int(time.time()))
    fields = {
        "ToUserName": "gh_1", "FromUserName": f"o{number % PEOPLE:027d}", "CreateTime": stamp,
        "MsgType": "text", "Content": text, "MsgId": str(10**15 + number),
    }  # fmt: skip
    return sealed.packed(xml_of(fields), stamp, f"n{number}")


_Sent = tuple[float, dict[str, str], bytes]
"""When a message is sent, in seconds from the first; its query and body."""


class Load:
    """Sends at a steady rate, whatever comes back."""

    def __init__(self, http: aiohttp.ClientSession, text: Callable[[int], str]) -> None:
        self.http, self.text, self.sealed = http, text, Sealed()
        self.times: list[float] = []
        self.failed = 0
        self.replies = 0

    def packed(self, rate: int, seconds: int) -> list[_Sent]:
        """All messages, signed and encrypted before the load: the product has both cores then."""
        made = []
        for number in range(rate * seconds):
            made.append((number / rate, *callback(self.sealed, number, self.text(number))))
            if number % RETRY == RETRY - 1:
                again = number - RETRY // 2
                made.append((number / rate, *callback(self.sealed, again, self.text(again))))
        return made

    async def one(self, query: dict[str, str], body: bytes) -> None:
        began = time.perf_counter()
        try:
            url = f"http://127.0.0.1:{PORT}/hooks/{CHANNEL}"
            async with self.http.post(url, params=query, data=body) as answer:
                said = await answer.read()
                self.failed += answer.status != 200
                self.replies += said.startswith(b"<")
        except (TimeoutError, aiohttp.ClientError):
            self.failed += 1
        self.times.append(time.perf_counter() - began)

    async def run(self, messages: list[_Sent]) -> None:
        began = time.perf_counter()
        tasks = []
        for due, query, body in messages:
            await asyncio.sleep(max(0.0, began + due - time.perf_counter()))
            tasks.append(asyncio.create_task(self.one(query, body)))
        await asyncio.gather(*tasks)


def counts(path: Path) -> dict[str, Any]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        asked = {
            "stored": "SELECT count(*) FROM inbox",
            "backlog": "SELECT count(*) FROM inbox WHERE state='stored'",
            "failed": "SELECT count(*) FROM inbox WHERE state='failed' OR attempts>0",
            "leads": "SELECT count(*) FROM lead",
            "sent": "SELECT count(*) FROM delivery WHERE state='sent'",
            "unsent": "SELECT count(*) FROM delivery WHERE state IN ('pending','sending')",
        }
        return {name: database.execute(query).fetchone()[0] for name, query in asked.items()}


def cpu_seconds(process: Any) -> float:
    """Processor time of the product so far."""
    spent = Path(f"/proc/{process.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(spent[11]) + int(spent[12])) / os.sysconf("SC_CLK_TCK")


async def started(process: Any, http: aiohttp.ClientSession) -> None:
    while process.poll() is None:
        try:
            async with http.get(f"http://127.0.0.1:{PORT}/healthz") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            await asyncio.sleep(0.2)
    raise SystemExit("the product did not start")


async def main(rate: int, seconds: int, claims: int, wait: int, texts: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        await fill(f"sqlite:///{folder / 'piyao.db'}", claims, texts)
        async with OfficialAccountServer() as server, aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=6), connector=aiohttp.TCPConnector(limit=0)
        ) as http:  # fmt: skip
            for person in [DESK, *(f"o{number:027d}" for number in range(PEOPLE))]:
                server.allow(person, 10**6, 10**6)
            environment = {
                **os.environ, "PIYAO_DATA": name, "PIYAO_PORT": str(PORT), "PIYAO_WEBCHAT": "off",
                "PIYAO_SECRET_KEY": "k" * 40, "PIYAO_WECHAT_BASE_URL": server.url,
                "PIYAO_WECHAT_ACCOUNTS": json.dumps([account(post="", cover="")]),
                "PIYAO_LOG_LEVEL": "ERROR", "NO_PROXY": "127.0.0.1",
            }  # fmt: skip
            process = subprocess.Popen(
                [sys.executable, "-m", "bot", "run"], cwd=ROOT, env=environment,
                stdout=subprocess.DEVNULL,
            )  # fmt: skip
            try:
                await started(process, http)
                load = Load(http, TEXTS[texts])
                messages = load.packed(rate, seconds)
                before = cpu_seconds(process)
                began = time.perf_counter()
                await load.run(messages)
                lasted = time.perf_counter() - began
                after = counts(folder / "piyao.db")
                print(f"after the load: {after}", flush=True)
                emptied = await drained(folder / "piyao.db", wait)
                left = counts(folder / "piyao.db")
                cpu = cpu_seconds(process) - before
            finally:
                process.terminate()
                process.wait(30)
        left["cpu_ms_a_lead"] = round(1000 * cpu / max(1, left["leads"]), 2)
        report(load, rate * seconds, texts, lasted, emptied, left)


async def drained(path: Path, wait: int) -> float | None:
    began = time.perf_counter()
    while time.perf_counter() - began < wait:
        now = counts(path)
        if not now["backlog"] and not now["unsent"]:
            return time.perf_counter() - began
        await asyncio.sleep(0.5)
    return None


def report(
    load: Load, sent: int, texts: str, lasted: float, emptied: float | None, left: Any
) -> None:
    times = sorted(load.times)

    def part(share: float) -> float:
        return round(times[min(len(times) - 1, int(len(times) * share))], 3)

    print(
        json.dumps(
            {
                "texts": texts, "messages": sent, "requests": len(times),
                "seconds": round(lasted, 1),
                "p50": part(0.5), "p99": part(0.99), "worst": round(times[-1], 3),
                "refused_or_late": load.failed, "passive_replies": load.replies,
                "lost": sent - left["stored"], "backlog_at_the_end": left["backlog"],
                "emptied_after": emptied and round(emptied, 1), **left,
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--claims", type=int, default=10_000)
    parser.add_argument("--wait", type=int, default=60, help="seconds for the backlog")
    parser.add_argument("--texts", choices=sorted(TEXTS), default="storm")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(**vars(parser.parse_args())))
