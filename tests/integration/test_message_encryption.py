"""The encryption of callbacks against independent oracles: the vendor's samples, three npm packages.

Each vector is opened by the product and by the double, with the time, nonce and signature that its
maker gave it. Source: path/90968; the sample code of 加解密方案 (公众号 and 企业微信).
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.wechat.callback import CallbackBox, RejectedError
from tests.doubles import wechat_crypto
from tests.doubles.official_account import AES_KEY, APP_ID, TOKEN, Sealed, fields_of

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "wechat_crypto.json").read_text())
SAMPLES = [one for one in VECTORS if "sample of the vendor" in one["by"]]
MESSAGES = [one for one in SAMPLES if one["plain"].startswith("<xml>")]
Vector = dict[str, str]


def box_of(vector: Vector, **other: str) -> CallbackBox:
    at = datetime.fromtimestamp(int(vector["timestamp"]), UTC)
    made = {key: vector[key] for key in ("token", "key", "receiver")} | other
    return CallbackBox(
        token=made["token"], aes_key=made["key"], receiver=made["receiver"], now=lambda: at
    )


def query_of(vector: Vector) -> dict[str, str]:
    return {
        "msg_signature": vector["signature"], "timestamp": vector["timestamp"],
        "nonce": vector["nonce"],
    }  # fmt: skip


def body_of(vector: Vector, encrypted: str = "", beside: str = "") -> bytes:
    sealed = encrypted or vector["encrypt"]
    return f"<xml>{beside}<Encrypt><![CDATA[{sealed}]]></Encrypt></xml>".encode()


def name_of(vector: Vector) -> str:
    return f"{vector['by']}-{len(vector['plain'])}"


def test_the_vendor_has_a_sample_for_both_platforms() -> None:
    assert {one["receiver"] for one in MESSAGES} == {"wx2c2769f8efd9abc2", "wx5823bf96d3bd56c7"}


@pytest.mark.parametrize("vector", VECTORS, ids=name_of)
def test_the_product_reads_what_others_have_sealed(vector: Vector) -> None:
    query = query_of(vector)
    assert box_of(vector).open_json(query, vector["encrypt"]) == vector["plain"]
    asked = {**query, "echostr": vector["encrypt"]}
    assert box_of(vector).encrypted_echo(asked) == vector["plain"]


@pytest.mark.parametrize("vector", VECTORS, ids=name_of)
def test_the_double_reads_what_others_have_sealed(vector: Vector) -> None:
    sealed = vector["encrypt"]
    assert wechat_crypto.unseal(sealed, vector["key"]) == (vector["plain"], vector["receiver"])
    signed = wechat_crypto.sign(vector["token"], vector["timestamp"], vector["nonce"], sealed)
    assert signed == vector["signature"]


@pytest.mark.parametrize("vector", MESSAGES, ids=name_of)
def test_the_fields_of_a_sample_are_those_of_its_plaintext(vector: Vector) -> None:
    """In 兼容模式 a plain text stands beside the ciphertext, unsigned: it is not read."""
    forged = "<FromUserName>somebody</FromUserName><Content>forged</Content>"
    for beside in ("", forged):
        found = box_of(vector).open(query_of(vector), body_of(vector, beside=beside))
        assert found == fields_of(vector["plain"])


@pytest.mark.parametrize("vector", SAMPLES, ids=name_of)
def test_a_sample_for_another_key_token_receiver_or_time_is_refused(vector: Vector) -> None:
    query, sealed = query_of(vector), vector["encrypt"]
    other = VECTORS[0] if vector["key"] != VECTORS[0]["key"] else VECTORS[1]
    for changed in ({"token": "another"}, {"key": other["key"]}, {"receiver": other["receiver"]}):
        with pytest.raises(RejectedError):
            box_of(vector, **changed).open_json(query, sealed)
    late = {**vector, "timestamp": str(int(vector["timestamp"]) + 301)}
    with pytest.raises(RejectedError, match="stale"):
        box_of(late).open_json(query, sealed)
    for name in query:
        with pytest.raises(RejectedError):
            box_of(vector).open_json({**query, name: query[name][:-1]}, sealed)


@given(data=st.data(), vector=st.sampled_from(MESSAGES))
@settings(max_examples=60)
def test_one_changed_character_of_a_ciphertext_is_refused(
    data: st.DataObject, vector: Vector
) -> None:
    sealed = vector["encrypt"]
    place = data.draw(st.integers(0, len(sealed) - 1))
    letter = data.draw(st.sampled_from("AQgw+/=").filter(lambda one: one != sealed[place]))
    changed = sealed[:place] + letter + sealed[place + 1 :]
    with pytest.raises(RejectedError):
        box_of(vector).open(query_of(vector), body_of(vector, changed))


@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    nonce=st.text("abc123", min_size=1, max_size=9),
)
@settings(max_examples=100)
def test_what_the_product_seals_is_read_by_the_double(text: str, nonce: str) -> None:
    now = datetime(2026, 11, 9, 7, 5, tzinfo=UTC)
    box = CallbackBox(token=TOKEN, aes_key=AES_KEY, receiver=APP_ID, now=lambda: now)
    assert Sealed().unpacked(box.seal(text, nonce)) == text
