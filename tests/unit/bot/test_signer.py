"""Tokens: ours alone, for one purpose, for a while, and spelt in one way."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.signer import Grant, LinkError, Signer

AT = datetime(2026, 11, 9, 7, 5, tzinfo=UTC)
LATER = AT + timedelta(minutes=30)
GRANT = Grant(identity="i006", subject="r1", version=3)
SIGNER = Signer("k" * 40, "open")

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
GRANTS = st.builds(Grant, identity=TEXTS, subject=TEXTS, version=st.integers(0, 10**9))


def refused(token: str, signer: Signer = SIGNER, at: datetime = AT) -> str:
    with pytest.raises(LinkError) as error:
        signer.read(token, at)
    return error.value.key


@given(GRANTS)
def test_a_token_carries_what_it_grants_and_fits_an_address(grant: Grant) -> None:
    token = SIGNER.sign(grant, LATER)
    assert SIGNER.read(token, AT) == grant
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


@given(GRANTS, GRANTS)
def test_two_grants_are_two_tokens(one: Grant, other: Grant) -> None:
    assume(one != other)
    assert SIGNER.sign(one, LATER) != SIGNER.sign(other, LATER)


@given(GRANTS, TEXTS)
def test_one_purpose_is_no_good_for_another(grant: Grant, purpose: str) -> None:
    assume(purpose != "open")
    assert refused(Signer("k" * 40, purpose).sign(grant, LATER)) == "link_forged"


def test_under_another_key_it_is_forged() -> None:
    assert refused(Signer("x" * 40, "open").sign(GRANT, LATER)) == "link_forged"


@given(st.integers(0, 3600))
def test_it_is_over_at_its_time(seconds: int) -> None:
    token = SIGNER.sign(GRANT, AT)
    assert SIGNER.read(token, AT - timedelta(seconds=seconds + 1)) == GRANT
    assert refused(token, at=AT + timedelta(seconds=seconds)) == "link_expired"


@pytest.mark.parametrize("token", ["", "x", ".", "a.b", "a.b.c", "é.ü", "%%.%%", "\ud800.\ud800"])
def test_what_is_no_token_is_forged(token: str) -> None:
    assert refused(token) == "link_forged"


@given(st.text(max_size=200))
def test_no_text_of_others_is_a_token(token: str) -> None:
    assert refused(token) == "link_forged"


@given(st.binary(max_size=64))
def test_nothing_is_read_before_its_signature_fits(payload: bytes) -> None:
    spelt = base64.urlsafe_b64encode(payload).decode().rstrip("=")
    assert refused(f"{spelt}.{spelt}") == "link_forged"


def test_every_changed_character_is_noticed() -> None:
    token = SIGNER.sign(GRANT, LATER)
    for place, sign in enumerate(token):
        other = token[:place] + ("A" if sign != "A" else "B") + token[place + 1 :]
        assert refused(other) == "link_forged"


def test_it_is_spelt_in_one_way() -> None:
    token = SIGNER.sign(GRANT, LATER)
    payload, signature = token.split(".")
    # 32 bytes leave four bits of the last character unused: sixteen spellings of one signature.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    raw = base64.urlsafe_b64decode(signature + "=")
    same = [
        f"{payload}.{signature[:-1]}{one}"
        for one in alphabet
        if base64.urlsafe_b64decode(f"{signature[:-1]}{one}=") == raw
    ]
    assert len(same) > 1
    for other in [*same, f"{token}=", f" {token}", f"{token}.", f"{payload}=.{signature}"]:
        if other != token:
            assert refused(other) == "link_forged"
