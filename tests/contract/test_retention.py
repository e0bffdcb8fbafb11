"""What is done with goes after its days; what waits, is in doubt or is owed to corrections stays."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.assembly import assemble
from bot.parts import Parts
from config.retention import read_retention
from config.settings import load
from matrix.core.bulletin import BulletinState
from matrix.core.campaign import Campaign, CampaignState
from matrix.core.conversation import Button, Dialog, Inbound, InboxState
from matrix.core.delivery import Delivery, DeliveryState, Lane
from tests.doubles.clock import FakeClock

LONG = timedelta(days=4000)


@pytest.fixture
async def parts(database_url: str, tmp_path: Path) -> AsyncIterator[Parts]:
    settings = load({"PIYAO_DATA": str(tmp_path), "DATABASE_URL": database_url})
    async with assemble(settings, clock=FakeClock(), durable=False) as made:
        yield made


def delivery(parts: Parts, name: str, **fields: Any) -> Delivery:
    old = parts.services.clock.now() - LONG
    given = {"platform": "webchat", "address": "p001", "created_at": old, **fields}
    return Delivery(id=name, **given)


async def put(parts: Parts, kind: str, *entities: Any) -> None:
    async with parts.store.work() as work:
        await getattr(work, kind).add_all(entities)
        await work.commit()


async def left(parts: Parts, kind: str) -> set[str]:
    async with parts.store.read() as work:
        return {one.id for one in await getattr(work, kind).find()}


async def test_replies_go_and_what_matters_stays(parts: Parts) -> None:
    states = {str(state): delivery(parts, str(state), state=state) for state in DeliveryState}
    now = parts.services.clock.now()
    await put(
        parts, "deliveries", *states.values(),
        delivery(parts, "young", state=DeliveryState.SENT, created_at=now),
        delivery(parts, "said-once", state=DeliveryState.SENT, dedup="x"),
        delivery(parts, "feedback", state=DeliveryState.SENT, purpose="feedback:1"),
    )  # fmt: skip
    await parts.forget_old()
    kept = {"pending", "sending", "in-doubt", "young", "said-once", "feedback"}
    assert await left(parts, "deliveries") == kept
    async with parts.store.read() as work:
        events = await work.events(entity="delivery", action="forget")
    counted = {(one.source, one.data["count"]) for one in events}
    assert counted == {("sent", 1), ("failed", 1), ("cancelled", 1)}
    await parts.forget_old()
    assert await left(parts, "deliveries") == kept


@pytest.mark.parametrize(
    ("state", "gone"),
    [
        (BulletinState.CURRENT, False),
        (BulletinState.EXPIRED, False),
        (BulletinState.CORRECTED, True),
        (BulletinState.WITHDRAWN, True),
    ],
)
async def test_posts_stay_while_their_bulletin_may_be_corrected(
    parts: Parts, state: BulletinState, gone: bool
) -> None:
    old = parts.services.clock.now() - LONG
    async with parts.store.work() as work:
        bulletin = (await work.bulletins.find(limit=1))[0]
        await work.bulletins.save(replace(bulletin, state=state))
        await work.campaigns.add(
            Campaign(
                id="c", state=CampaignState.CONVERGED, case="", bulletin=bulletin.id,
                accounts=("a001",), created_at=old, ended_at=old,
            )
        )  # fmt: skip
        await work.commit()
    of = {"lane": Lane.BROADCAST, "subject": "campaign:c", "purpose": "task:1"}
    await put(
        parts, "deliveries",
        delivery(parts, "sent", state=DeliveryState.SENT, **of),
        delivery(parts, "doubt", state=DeliveryState.IN_DOUBT, **of),
        delivery(parts, "running", state=DeliveryState.SENT, **{**of, "subject": "campaign:x"}),
    )  # fmt: skip
    await parts.forget_old()
    assert await left(parts, "deliveries") == {"doubt", "running"} | (set() if gone else {"sent"})


async def test_messages_buttons_and_dialogs(parts: Parts) -> None:
    now = parts.services.clock.now()
    old = now - LONG
    inbound = Inbound(
        id="", platform="webchat", message_id="", external="p001", chat="p001", kind="text",
        received_at=old,
    )  # fmt: skip
    await put(
        parts, "inbox",
        *(
            replace(inbound, id=name, message_id=name, state=state)
            for name, state in (
                ("done", InboxState.DONE), ("stored", InboxState.STORED), ("failed", InboxState.FAILED),
            )
        ),
    )  # fmt: skip
    button = Button(
        id="", delivery="d", platform="webchat", chat="p001", person="p001", action="x", subject="",
        number=1, created_at=old, expires_at=old,
    )  # fmt: skip
    await put(parts, "buttons", replace(button, id="b1"), replace(button, id="b2", expires_at=now))
    dialog = Dialog(id="", platform="webchat", chat="", person="", question="x", expires_at=old)
    await put(
        parts, "dialogs",
        replace(dialog, id="d1", chat="1"), replace(dialog, id="d2", chat="2", expires_at=now),
    )  # fmt: skip
    await parts.forget_old()
    assert await left(parts, "inbox") == {"stored", "failed"}
    assert await left(parts, "buttons") == {"b2"}
    assert await left(parts, "dialogs") == {"d2"}


def test_what_is_no_number_of_days_is_refused(tmp_path: Path) -> None:
    assert read_retention()["originals"] == 365
    path = tmp_path / "retention.toml"
    path.write_text("[days]\ninbox = -1\n", "utf-8")
    with pytest.raises(ValueError, match="inbox"):
        read_retention(path)
