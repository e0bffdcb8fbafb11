"""Links to a draft's form: ours, for one person and one draft, for one use, for a while."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.draft_links import OPENS, DraftLinks, Grant, LinkError

AT = datetime(2026, 11, 9, 7, 5, tzinfo=UTC)
GRANT = Grant(person="p006", revision="r1", version=3)
LINKS = DraftLinks("k" * 40, "https://piyao.example")


def test_a_link_carries_what_it_grants() -> None:
    url, until = LINKS.link(person="p006", revision="r1", version=3, at=AT)
    assert until == AT + OPENS
    assert LINKS.read(url.removeprefix("https://piyao.example/draft/"), "open") == (GRANT, until)


def test_one_use_is_no_good_for_the_other() -> None:
    token = LINKS.sign(GRANT, "open", AT + timedelta(hours=1))
    with pytest.raises(LinkError, match="link_forged"):
        LINKS.read(token, "save")


def test_under_another_key_it_is_forged() -> None:
    token = DraftLinks("x" * 40, "").sign(GRANT, "open", AT)
    with pytest.raises(LinkError, match="link_forged"):
        LINKS.read(token, "open")


@pytest.mark.parametrize("change", ["", "x", ".", "a.b", "a.b.c", "é.ü", "%%.%%"])
def test_what_is_no_token_is_forged(change: str) -> None:
    with pytest.raises(LinkError, match="link_forged"):
        LINKS.read(change, "open")


def test_every_changed_character_is_noticed() -> None:
    token = LINKS.sign(GRANT, "open", AT)
    for place, sign in enumerate(token[:-1]):
        other = token[:place] + ("A" if sign != "A" else "B") + token[place + 1 :]
        with pytest.raises(LinkError, match="link_forged"):
            LINKS.read(other, "open")


def test_without_an_address_there_is_no_page() -> None:
    assert LINKS.reachable
    assert not DraftLinks("k" * 40).reachable
