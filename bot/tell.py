"""What every command of the terminal needs: sentences, settings, and how a start is refused."""

import asyncio
import os
from collections.abc import Callable
from typing import Any

import typer
from rich.console import Console

from bot.beginning import StartRefusedError
from bot.logs import configure
from bot.presenter import Presenter
from config.settings import Settings, SettingsError, load
from config.texts import load_texts

OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)


def sentence(table: str, key: str, **fields: object) -> str:
    """A sentence of the catalogue for the terminal."""
    text = Presenter(texts=load_texts()).text(table, key)
    for name, value in fields.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def settings_or_exit(**more: str) -> Settings:
    """Settings, or every fault at once in Chinese and exit code 2; ``more`` stands above all."""
    try:
        settings = load({**os.environ, **more})
    except SettingsError as error:
        ERR.print(sentence("cli", "settings_faults"))
        for variable, key, detail in error.faults:
            known = sentence("cli", f"setting_{key}")
            ERR.print(f"  · {variable}：{detail if known.startswith('setting_') else known}")
        raise typer.Exit(2) from None
    configure(settings)
    return settings


def fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Of the event loops that are installed here; None is the standard one."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def run_to_end(main: Any) -> None:
    """Run a coroutine; a refused start is said, exit code 2."""
    try:
        with asyncio.Runner(loop_factory=fastest_loop()) as runner:
            runner.run(main)
    except StartRefusedError as refused:
        ERR.print(sentence("cli", f"start_{refused.key}", detail=refused.detail))
        raise typer.Exit(2) from None
