"""Role processes of the product on one database, and what an operator would see in it."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from bot.means import RandomIds
from matrix.broadcast.plan import jobs
from matrix.core.delivery import Delivery, Lane
from storage.engine import open_engine, sync_url
from storage.queue import JobQueue
from storage.unit_of_work import SqlStore

ROOT = Path(__file__).parents[2]
SUBJECT = "drill:1"


async def post(url: str, sink: str, targets: int) -> None:
    """Deliveries to one sink, and the jobs for them."""
    engine = open_engine(url)
    async with SqlStore(engine, JobQueue("planner")).work() as work:
        template = Delivery(
            id=RandomIds().new(), lane=Lane.BROADCAST, platform="webhook", address="",
            subject=SUBJECT, content={"plain": "演练。"}, created_at=datetime.now(UTC),
        )  # fmt: skip
        some = [(f"{sink}?t={number}", "", "") for number in range(targets)]
        ids = await work.ledger.post(template, some)
        await work.enqueue("broadcast", *(job.name for job in jobs(SUBJECT, ids, "webhook")))
        await work.commit()
    await engine.dispose()


@dataclass
class Ledger:
    """The delivery rows."""

    url: str

    def ask(self, query: str) -> list[Any]:
        engine = create_engine(sync_url(self.url))
        try:
            with engine.connect() as connection:
                return list(connection.execute(text(query)))
        finally:
            engine.dispose()

    def states(self) -> dict[str, int]:
        return dict(map(tuple, self.ask("SELECT state, count(*) FROM delivery GROUP BY state")))

    def open(self) -> int:
        return sum(n for state, n in self.states().items() if state in {"pending", "sending"})

    def ids(self, state: str) -> set[str]:
        return {row[0] for row in self.ask(f"SELECT id FROM delivery WHERE state = '{state}'")}

    def crashed(self) -> int:
        """In doubt because a process died; a loaded sink that does not answer makes others."""
        query = "SELECT count(*) FROM delivery WHERE state = 'in-doubt' AND error = 'crash'"
        return int(self.ask(query)[0][0])


@dataclass
class Fleet:
    """``python -m bot run --roles …`` as often as wanted."""

    folder: Path
    url: str
    settings: Mapping[str, str] = field(default_factory=dict)
    running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def start(self, name: str, roles: str) -> None:
        """``name`` is one process's: its folder, its log."""
        data = self.folder / name
        data.mkdir(exist_ok=True)
        environment = {
            **{k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")},
            "PIYAO_DATA": str(data), "DATABASE_URL": self.url, "PIYAO_ROLES": roles,
            "PIYAO_PORT": "0", "PIYAO_WEBCHAT": "off", "PIYAO_SECRET_KEY": "k" * 40,
            "PIYAO_WEBHOOK_SECRET": "s" * 40, "PIYAO_WEBHOOK_HOSTS": "127.0.0.1",
            "PIYAO_WEBHOOK_DOUBT": "hold", "PIYAO_FAST": "on", **self.settings,
        }  # fmt: skip
        with (data / "log").open("ab") as log:
            self.running[name] = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run",
                cwd=ROOT, env=environment, stdout=log, stderr=log,
            )  # fmt: skip

    async def kill(self, name: str) -> None:
        """kill −9."""
        process = self.running.pop(name)
        if process.returncode is None:
            process.kill()
        await process.wait()

    async def end(self) -> None:
        for name in list(self.running):
            await self.kill(name)

    def logs(self) -> str:
        parts = (f"{p.parent.name}: {p.read_text()[-1500:]}" for p in self.folder.glob("*/log"))
        return "\n".join(parts)
