"""Ticks: at intervals, one at a time; what fails is said, what a stop cuts short is not."""

import asyncio
import logging

import pytest

from bot.scheduler import Ticker

_OFTEN = 0.01
_PATIENCE = 20


async def test_a_tick_that_a_stop_cuts_short_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def endless() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    ticker = Ticker()
    ticker.every(_OFTEN, "endless", endless)
    ticker.start()
    with caplog.at_level(logging.WARNING):
        async with asyncio.timeout(_PATIENCE):
            await begun.wait()
            ticker.stop()
            await ended.wait()
            await _to_their_end()
    assert caplog.records == []


async def test_a_tick_that_fails_is_said_and_runs_again(caplog: pytest.LogCaptureFixture) -> None:
    runs = 0
    again = asyncio.Event()

    async def failing() -> None:
        nonlocal runs
        runs += 1
        if runs > 1:
            again.set()
        raise RuntimeError("planned")

    ticker = Ticker()
    ticker.every(_OFTEN, "failing", failing)
    ticker.start()
    async with asyncio.timeout(_PATIENCE):
        await again.wait()
    ticker.stop()
    await _to_their_end()
    assert {record.getMessage() for record in caplog.records} == {"tick failing"}


async def _to_their_end() -> None:
    """All other tasks of this loop."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)
