"""Intake under real text: import claims as bulletins, forward queries through the web chat API.

    python benchmarks/intake.py --claims claims.jsonl --leads queries.jsonl -n 500

Starts the product as a process of its own on a temporary SQLite file, forwards N leads as 50
people, measures POST → reply visible in the API, and compares every decision with what
``piyao match`` gives the same text. Prints one JSON line last.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from matrix.core.bulletin import Bulletin, BulletinState, Kind  # noqa: E402
from matrix.core.case import Verdict  # noqa: E402
from matrix.core.directory import Area, AreaKind, ChannelIdentity, Person, Post  # noqa: E402
from matrix.core.roles import Role  # noqa: E402
from matrix.matching.text import normalise  # noqa: E402
from storage.engine import open_engine  # noqa: E402
from storage.migrate import upgrade  # noqa: E402
from storage.unit_of_work import SqlStore  # noqa: E402

Row = dict[str, Any]
PEOPLE = 50
PORT = 18471
# A busy machine takes minutes for what takes seconds.
PATIENCE_S = 300


def rows(path: Path) -> list[dict[str, Any]]:
    """JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


async def fill(url: str, claims: list[dict[str, Any]]) -> None:
    """A district of one desk and fifty supervisors, and the claims as imported bulletins."""
    upgrade(url)
    store = SqlStore(open_engine(url))
    now = datetime.now(UTC)
    async with store.work() as work:
        await work.areas.add(Area(id="990100", name="测试区", kind=AreaKind.DISTRICT))
        roles = [(f"s{n:02d}", Role.SUPERVISOR) for n in range(PEOPLE)] + [("desk", Role.DESK)]
        for name, role in roles:
            await work.people.add(Person(id=name, handle=name, name=name, greeted=True))
            await work.posts.add(Post(id=name, person=name, role=role))
            await work.identities.add(
                ChannelIdentity(
                    id=name, platform="webchat", external=name, chat=name, person=name, bound_at=now
                )
            )
        await work.bulletins.add_all(
            [
                Bulletin(
                    id=claim["id"], state=BulletinState.CURRENT, kind=Kind.IMPORTED,
                    number=claim["id"], title=claim["title"][:60], short=claim["title"][:60],
                    body=claim.get("rebuttal") or "", claim_text=claim["title"],
                    claim_key=normalise(claim["title"]).key, issuer="benchmark",
                    verdict=Verdict.FALSE, issued_at=now, change=number,
                )
                for number, claim in enumerate(claims, 1)
            ]
        )  # fmt: skip
        await work.serial("bulletin-change", len(claims))
        await work.commit()
    await store.engine.dispose()


def batch(
    claims: list[dict[str, Any]], leads: list[dict[str, Any]], folder: Path
) -> dict[str, str]:
    """What ``piyao match`` decides."""
    files = [folder / name for name in ("claims.jsonl", "leads.jsonl", "out.jsonl")]
    for path, some in zip(files, (claims, leads), strict=False):
        path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in some), "utf-8")
    command = [
        sys.executable, "-m", "bot", "match", "--library", str(files[0]), "--leads", str(files[1]),
        "--output", str(files[2]),
    ]  # fmt: skip
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    return {row["id"]: row["decision"] for row in rows(files[2])}


async def first_start(environment: dict[str, str]) -> None:
    """The first run fills the index; the figure is of later ones."""
    process = subprocess.Popen([sys.executable, "-m", "bot", "run"], cwd=ROOT, env=environment)
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{PORT}") as http:
            await ready(http, time.monotonic())
    finally:
        process.terminate()
        process.wait(20)


async def ready(http: aiohttp.ClientSession, started: float) -> float:
    """Seconds until the health endpoint answers."""
    while time.monotonic() - started < PATIENCE_S:
        try:
            async with http.get("/healthz") as answer:
                if answer.status == 200:
                    return time.monotonic() - started
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.05)
    raise SystemExit("the product did not start")


async def forward(
    http: aiohttp.ClientSession, person: str, lead: Row, seen: dict[str, str]
) -> tuple[float, str]:
    """Milliseconds until the reply is visible, and the reply's type."""
    chat = f"/api/webchat/chats/{person}/messages"
    began = time.perf_counter()
    body = {"text": lead["text"], "forwarded": True, "message_id": lead["id"]}
    async with http.post(chat, json=body) as answer:
        if answer.status != 202:
            return 0.0, f"http-{answer.status}"
    query = {"limit": "4", "wait": "10", "seen": seen.get(person, "")}
    async with http.get(chat, params=query) as answer:
        shown = await answer.json()
        seen[person] = answer.headers["X-Seen"]
    elapsed = (time.perf_counter() - began) * 1000
    mine = max((m["id"] for m in shown if m["mine"]), default="")
    replies = [m["reply"] for m in shown if not m["mine"] and m["id"] > mine]
    return elapsed, replies[0] if replies else "none"


# What the chat says ↔ what the batch decides; a short text is asked about whatever is near.
_SAYS = {
    "lead_answered": {"match"},
    "lead_similar": {"suggest"},
    "lead_queued": {"none", "suggest"},
    "lead_needs_text": {"none", "suggest"},
    "lead_joined": {"match", "suggest"},
    "lead_official": {"none", "suggest"},
}


def percentile(values: list[float], share: float) -> float:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def measure(args: argparse.Namespace) -> dict[str, Any]:
    claims = rows(args.claims)
    leads = rows(args.leads)
    step = max(1, len(leads) // args.n)
    leads = leads[::step][: args.n]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        expected = batch(claims, leads, folder)
        url = f"sqlite:///{folder / 'data' / 'piyao.db'}"
        (folder / "data").mkdir()
        await fill(url, claims)
        environment = {**os.environ, "PIYAO_DATA": str(folder / "data"), "PIYAO_PORT": str(PORT)}
        await first_start(environment)
        started = time.monotonic()
        process = subprocess.Popen([sys.executable, "-m", "bot", "run"], cwd=ROOT, env=environment)
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{PORT}") as http:
                start_s = await ready(http, started)
                idle = psutil.Process(process.pid).memory_info().rss / 2**20
                times, said = await drive(http, leads)
            rss = psutil.Process(process.pid).memory_info().rss / 2**20
        finally:
            process.terminate()
            process.wait(20)
    differs = [
        (lead["id"], said[lead["id"]], expected[lead["id"]])
        for lead in leads
        if expected[lead["id"]] not in _SAYS.get(said[lead["id"]], set())
    ]
    for one in differs[:10]:
        print("differs", *one)
    return {
        "n": len(leads),
        "p50_ms": round(percentile(times, 0.5), 1),
        "p99_ms": round(percentile(times, 0.99), 1),
        "max_ms": round(max(times), 1),
        "start_s": round(start_s, 2),
        "idle_mb": round(idle),
        "rss_mb": round(rss),
        "differs": len(differs),
        "decisions": dict(Counter(expected.values())),
        "said": dict(Counter(said.values())),
    }


async def drive(
    http: aiohttp.ClientSession, leads: list[dict[str, Any]]
) -> tuple[list[float], dict[str, str]]:
    """Fifty people take turns; each waits for the reply before the next forwards."""
    times: list[float] = []
    said: dict[str, str] = {}
    seen: dict[str, str] = {}
    for number, lead in enumerate(leads):
        elapsed, reply = await forward(http, f"s{number % PEOPLE:02d}", lead, seen)
        times.append(elapsed)
        said[lead["id"]] = reply
        if sys.stderr.isatty() and number % 25 == 0:
            print(f"\r{number}/{len(leads)}", end="", file=sys.stderr)
    return times, said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=Path, required=True)
    parser.add_argument("--leads", type=Path, required=True)
    parser.add_argument("-n", type=int, default=500)
    print(json.dumps(asyncio.run(measure(parser.parse_args())), ensure_ascii=False))


if __name__ == "__main__":
    main()
