"""The demonstration's chat page: NiceGUI hosts it, our own script drives the JSON API."""

import json
import tomllib
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from nicegui import ui

from bot.beginning import SAMPLE
from bot.parts import Parts
from config.texts import load_texts

ASSETS = Path(__file__).parent / "assets"
OPEN_FIRST = ("王芳", "陈静", "冯涛")
"""Whose chats stand open at first: a supervisor, the desk, the publisher."""


def page_data(parts: Parts) -> dict[str, object]:
    """What the script needs: sentences, samples, who stands open at first."""
    people = {p.name: p.id for p in parts.services.directory.people.values()}
    texts = load_texts()
    samples = tomllib.loads((SAMPLE / "samples.toml").read_text(encoding="utf-8"))
    return {
        "texts": texts["page"],
        "roles": texts["role"],
        "samples": [
            {"title": one["title"], "text": one["text"]} for one in samples.get("message", [])
        ],
        "first": [people[name] for name in OPEN_FIRST if name in people],
    }


def add_chat_page(app: FastAPI, parts: Parts) -> None:
    """Serve the page at ``/``; everything it loads lies in this process."""
    app.mount("/assets", StaticFiles(directory=ASSETS), name="assets")
    # "<" never stands in the script's data, whatever a text says.
    data = json.dumps(page_data(parts), ensure_ascii=False).replace("<", "\\u003c")
    title = str(load_texts()["page"]["title"])

    @ui.page("/", title=title, language="zh-CN")
    def chat() -> None:
        ui.add_head_html('<link rel="stylesheet" href="/assets/chat.css">')
        ui.add_head_html(f'<script type="application/json" id="page-data">{data}</script>')
        ui.add_body_html('<div id="chat-root"></div><script src="/assets/chat.js" defer></script>')

    ui.run_with(app, title=title, language="zh-CN")
