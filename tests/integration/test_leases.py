"""Two processes and one name."""

from datetime import timedelta
from pathlib import Path

from bot.leases import Leases
from storage.engine import open_engine
from tests.doubles.wecom_rig import _empty_database

LONG, OVER = timedelta(minutes=5), timedelta(seconds=-1)


async def test_one_holds_the_other_waits_until_it_is_given_back_or_runs_out(
    tmp_path: Path,
) -> None:
    (tmp_path / "tokens.db").write_bytes(_empty_database().read_bytes())
    engine = open_engine(f"sqlite:///{tmp_path / 'tokens.db'}")
    mine, other = Leases(engine, "mine"), Leases(engine, "other")
    assert await mine.hold("line:bot", LONG)
    assert await mine.hold("line:bot", LONG)
    assert not await other.hold("line:bot", LONG)
    assert await other.hold("line:another", LONG)
    await other.drop("line:bot")
    assert not await other.hold("line:bot", LONG), "nobody gives back what another holds"
    await mine.drop("line:bot")
    assert await other.hold("line:bot", OVER)
    assert await mine.hold("line:bot", LONG), "a dead process's lease runs out"
    assert not await other.hold("line:bot", LONG)
    await engine.dispose()
