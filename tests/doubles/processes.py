"""The product as processes of its own, one per set of roles, and what they tell of themselves."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
# A loaded machine takes its time; nothing here is about speed.
PATIENCE = 400.0
_ADDRESS = re.compile(r"https?://[\d.]+:\d+")


@dataclass
class Process:
    """``address`` is empty where nothing is served; ``probes`` tells health and metrics."""

    roles: str
    process: asyncio.subprocess.Process
    log: Path
    address: str = ""
    probes: str = ""

    async def started(self) -> None:
        """Both lines are printed when everything answers."""
        assert self.process.stdout is not None
        lines = []
        async with asyncio.timeout(PATIENCE):
            while len(lines) < 2:
                line = (await self.process.stdout.readline()).decode()
                assert line, f"{self.roles}: {self.log.read_text(errors='replace')[-2000:]}"
                lines.append(line)
        found = [_ADDRESS.search(line) for line in lines]
        self.address = found[0][0] if found[0] else ""
        self.probes = found[1][0] if found[1] else ""

    async def metric(self, name: str, **labels: str) -> float:
        """One figure of ``/metrics``; 0 where it is not told."""
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as http:
            text = (await http.get(f"{self.probes}/metrics")).text
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        for line in text.splitlines():
            if re.match(rf"{name}[ {{]", line) and all(one in line for one in wanted):
                return float(line.rpartition(" ")[2])
        return 0.0

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop, or kill it; the exit code."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()


@asynccontextmanager
async def running(
    folder: Path, sets: Sequence[str], environment: Mapping[str, str]
) -> AsyncIterator[list[Process]]:
    """A process for each set of roles; "" is all of them in one. Stopped in order at the end."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PIYAO_", "DATABASE_URL"))}
    found: list[Process] = []
    try:
        for roles in sets:
            log = folder / f"log-{roles or 'all'}"
            with log.open("ab") as file:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "bot", "run", *(["--roles", roles] if roles else []),
                    cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=file,
                    env={**clean, "PIYAO_PORT": "0", "PIYAO_DATA": str(folder), **environment},
                )  # fmt: skip
            found.append(Process(roles, process, log))
        await asyncio.gather(*(one.started() for one in found))
        yield found
    finally:
        await asyncio.gather(*(one.stop() for one in found))
