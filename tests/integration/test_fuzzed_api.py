"""schemathesis on everything that speaks HTTP: no 500, and nothing unsigned is taken by a hook.

Requests are made from the OpenAPI document of the demonstration, and for the hooks from one that
is written here. Bounded and derandomised; the application is called in this process.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from bot.assembly import assemble
from bot.parts import Parts
from bot.web.app import demo_app, public_app
from config.settings import load
from tests.doubles import wechat_crypto
from tests.doubles.clock import FakeClock
from tests.doubles.official_account import AES_KEY, TOKEN
from tests.doubles.wecom_world import AES_KEY as WECOM_KEY
from tests.doubles.wecom_world import AGENT, CORP
from tests.doubles.wecom_world import TOKEN as WECOM_TOKEN
from tests.journeys.official_play import NAME, account

CLOCK = FakeClock()
STAMP = str(int(CLOCK.now().timestamp()))
OFFICIAL, WECOM, TELEGRAM = f"wechat_official@{NAME}", "wecom", "telegram"


def bounded(examples: int) -> settings:
    return settings(
        max_examples=examples, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


class Served:
    """An application and its loop; ``call`` makes one request."""

    def __init__(self, runner: asyncio.Runner, parts: Parts, app: FastAPI) -> None:
        self.runner, self.parts, self.app = runner, parts, app
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport)

    def call(self, case: schemathesis.Case) -> httpx.Response:
        made = requests.Request(**case.as_transport_kwargs(base_url="http://127.0.0.1")).prepare()
        sent = self.http.request(
            str(made.method), str(made.url), content=made.body, headers=dict(made.headers)
        )
        answer: httpx.Response = self.runner.run(sent)
        return answer

    def heard(self) -> int:
        """Messages that were stored."""

        async def count() -> int:
            async with self.parts.store.read() as work:
                return int(await work.inbox.count())

        return self.runner.run(count())


def any_of(operation: Any) -> st.SearchStrategy[schemathesis.Case]:
    """Requests as the document describes them, and requests that break it."""
    return st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))


@contextmanager
def served(app_of: Any, **environment: str) -> Iterator[Served]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        made = assemble(load(environment), clock=CLOCK, durable=False)
        parts = runner.run(stack.enter_async_context(made))
        try:
            yield Served(runner, parts, app_of(parts))
        finally:
            runner.run(stack.aclose())


def test_the_demonstrations_api_knows_no_500(tmp_path: Path) -> None:
    with served(demo_app, PIYAO_DATA=str(tmp_path)) as one:
        schema = schemathesis.openapi.from_dict(one.app.openapi())
        people = ["p001", "p002"]
        operations = [found.ok() for found in schema.get_all_operations()]
        assert len(operations) >= 6
        seen: set[int] = set()
        for operation in operations:
            known = st.one_of(st.none(), st.sampled_from(people))

            @bounded(20)
            @given(case=any_of(operation), person=known)
            def fuzz(case: schemathesis.Case, person: str | None) -> None:
                for name in ("person", "chat"):
                    if person and name in case.path_parameters:
                        case.path_parameters[name] = person
                if "wait" in case.query:
                    # Nobody speaks here, so a long wait is only that.
                    case.query["wait"] = 0.001
                answer = one.call(case)
                seen.add(answer.status_code)
                case.validate_response(
                    answer, checks=[not_a_server_error, response_schema_conformance]
                )

            fuzz()
        assert seen >= {200, 202, 404, 415, 422}, "the requests went deeper than the door"


def hooks() -> dict[str, Any]:
    """What platforms call. Time stamps are fresh now and then, and so is a signature without body."""
    good = wechat_crypto.sign(TOKEN, STAMP, "n1")
    shown = {
        "timestamp": [STAMP, "0", "-1", "9" * 40], "nonce": ["n1", ""],
        "signature": [good, "0" * 40], "msg_signature": [good, "0" * 40, ""],
        "echostr": ["e", wechat_crypto.seal("<xml/>", WECOM_KEY, CORP)],
        "encrypt_type": ["aes", "raw"],
    }  # fmt: skip
    parameters = [
        {
            "name": name, "in": "query", "required": False,
            "schema": {"anyOf": [{"enum": values}, {"type": "string"}]},
        }
        for name, values in shown.items()
    ]  # fmt: skip
    named = {
        "name": "name", "in": "path", "required": True,
        "schema": {"enum": [OFFICIAL, WECOM, TELEGRAM, "webchat", "nobody"]},
    }  # fmt: skip
    secret = {
        "name": "x-telegram-bot-api-secret-token", "in": "header", "required": False,
        "schema": {"type": "string", "pattern": "^[a-z0-9]{0,20}$"},
    }  # fmt: skip
    plain = "<xml><FromUserName>o1</FromUserName><MsgType>text</MsgType><Content>x</Content></xml>"
    bodies = [
        plain, "", "<xml/>", "<xml><Encrypt/></xml>", '{"update_id": 1, "message": {}}',
        *(
            f"<xml><Encrypt>{wechat_crypto.seal(plain, key, who)}</Encrypt></xml>"
            for key, who in ((AES_KEY, "wx0123456789abcdef"), (WECOM_KEY, CORP))
        ),
    ]  # fmt: skip
    content = {"text/plain": {"schema": {"anyOf": [{"enum": bodies}, {"type": "string"}]}}}
    answers = {"responses": {"403": {"description": "refused"}}}
    return {
        "openapi": "3.1.0", "info": {"title": "hooks", "version": "1"},
        "paths": {
            "/hooks/{name}": {
                "parameters": [named, secret, *parameters],
                "get": answers,
                "post": {**answers, "requestBody": {"required": True, "content": content}},
            }
        },
    }  # fmt: skip


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        "PIYAO_DATA": str(tmp_path), "PIYAO_WEBCHAT": "off", "PIYAO_SECRET_KEY": "k" * 40,
        "PIYAO_WECHAT_ACCOUNTS": json.dumps([account()]),
        "PIYAO_WECHAT_BASE_URL": "http://127.0.0.1:9", "PIYAO_WECOM_BASE_URL": "http://127.0.0.1:9",
        "PIYAO_WECOM_CORP_ID": CORP, "PIYAO_WECOM_AGENT_ID": AGENT,
        "PIYAO_WECOM_SECRET": "s" * 20, "PIYAO_WECOM_TOKEN": WECOM_TOKEN,
        "PIYAO_WECOM_AES_KEY": WECOM_KEY, "PIYAO_TELEGRAM_TOKEN": "1:" + "x" * 30,
        "PIYAO_TELEGRAM_WEBHOOK_URL": "https://example.org/hooks/telegram",
        "PIYAO_TELEGRAM_WEBHOOK_SECRET": "t" * 32, "PIYAO_TELEGRAM_BASE_URL": "http://127.0.0.1:9",
    }  # fmt: skip


def test_no_hook_takes_what_is_not_signed(environment: dict[str, str]) -> None:
    with served(public_app, **environment) as one:
        schema = schemathesis.openapi.from_dict(hooks())
        good = wechat_crypto.sign(TOKEN, STAMP, "n1")
        seen: set[int] = set()
        for found in schema.get_all_operations():
            operation = found.ok()

            @bounded(100)
            @given(case=any_of(operation))
            def fuzz(case: schemathesis.Case) -> None:
                answer = one.call(case)
                seen.add(answer.status_code)
                asked = case.query
                verified = (
                    case.method.upper() == "GET" and case.path_parameters["name"] == OFFICIAL
                    and asked.get("signature") == good
                )  # fmt: skip
                assert answer.status_code in ({200} if verified else {403, 404, 405, 413}), case
                if verified:
                    assert answer.headers["content-type"].startswith("text/plain")

            fuzz()
        assert seen >= {403, 404}
        query = {"timestamp": STAMP, "nonce": "n1", "signature": good, "echostr": "e"}
        url = f"http://127.0.0.1/hooks/{OFFICIAL}"
        asked = one.runner.run(one.http.get(url, params=query))
        assert (asked.status_code, asked.text) == (200, "e"), "the signature was a good one"
        answer = one.runner.run(one.http.post(url, params=query, content=b"<xml><a>1</a></xml>"))
        assert answer.status_code == 403, "it does not cover a body"
        assert one.heard() == 0
