"""Every topic of the sample district in every area: one 主办 that reads, or somebody is alarmed."""

from pathlib import Path

from bot.assembly import assemble
from config.settings import load
from matrix.triage import routing
from matrix.triage.routing import Why

TO_THE_DESK = {Why.NOTHING_CLEAR, Why.NOBODY_REACHABLE, Why.NO_SUCH_UNIT, Why.VERTICAL}
"""Why nobody is proposed: the card says so and the desk decides."""


async def test_every_topic_in_every_area_has_one_owner_or_an_alarm(tmp_path: Path) -> None:
    async with assemble(load({"PIYAO_DATA": str(tmp_path)}), durable=False) as parts:
        tables = parts.services.directory.tables
    seen = 0
    for topic in tables.topics:
        words = [word for word, weight in topic.keywords if weight >= routing.CLEAR]
        for area in ["", *tables.areas]:
            for word in words or [topic.keywords[0][0]]:
                found = routing.route(word, [area] if area else [], tables)
                asked = any(why in TO_THE_DESK for why, _, _ in found.reasons)
                assert found.owner or found.refer or asked, (topic.id, area, word, found)
                assert not found.owner or found.owner in tables.reachable, (topic.id, area)
                assert found.owner not in found.co_units, (topic.id, area)
                seen += 1
    assert seen > len(tables.topics) * len(tables.areas)
