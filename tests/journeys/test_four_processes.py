"""One story, told to one process on SQLite and to four on PostgreSQL: the same end."""

from pathlib import Path
from typing import Any

import pytest

from tests.doubles.sink import open_sink
from tests.journeys import story
from tests.journeys.far import FarPlay, far_stage, state_of

SECRET = "a secret of the partner's endpoint"
ACCOUNTS = ("a001", "a004", "a049")


async def lamps_to_the_end(p: FarPlay) -> None:
    """From two leads to a closed case: a direct post, a screenshot, feedback to both."""
    await p.say("李敏", story.LAMPS)
    await story.lamps_published(p)
    await story.started(p)
    await p.say("邬沐阳", "", files=[await p.file()])
    await p.tick(minutes=1)
    await p.press("冯涛", "task_verify")
    await p.tick(minutes=20)


async def told(folder: Path, url: str, sets: tuple[str, ...]) -> dict[str, Any]:
    async with (
        open_sink(SECRET) as sink,
        far_stage(
            folder, url, sets, accounts=ACCOUNTS, direct="a004", to=f"{sink.url}/in",
            PIYAO_WEBHOOK_SECRET=SECRET, PIYAO_WEBHOOK_HOSTS="127.0.0.1",
        ) as p,
    ):  # fmt: skip
        await lamps_to_the_end(p)
        assert await p.states("campaigns") == ["converged"]
        assert await p.states("cases") == ["closed"]
        assert "不向住户收费" in await p.last("王芳")
        assert len(sink.posts) == 1
        return await state_of(p)


@pytest.mark.slow
@pytest.mark.postgres
async def test_four_processes_tell_what_one_tells(tmp_path: Path, postgres_url: str) -> None:
    one = await told(tmp_path / "one", f"sqlite:///{tmp_path / 'one' / 'piyao.db'}", ("",))
    four = await told(tmp_path / "four", postgres_url, ("web", "chat", "clock", "worker"))
    for kind, rows in one.items():
        assert four[kind] == rows, kind
