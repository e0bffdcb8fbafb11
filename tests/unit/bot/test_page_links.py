"""Links to pages: where they lead, how long they open, and that no kind opens another."""

from datetime import UTC, datetime

import pytest

from bot.page_links import OPENS, PageLinks
from bot.signer import Grant, LinkError

AT = datetime(2026, 11, 9, 7, 5, tzinfo=UTC)
LINKS = PageLinks("k" * 40, "https://piyao.example")


def test_the_form_of_a_draft() -> None:
    url, until = LINKS.draft(identity="i006", revision="r1", version=3, at=AT)
    assert until == AT + OPENS
    token = url.removeprefix("https://piyao.example/draft/")
    assert LINKS.editing.read(token, AT) == Grant(identity="i006", subject="r1", version=3)


def test_the_pictures_of_a_lead() -> None:
    url, until = LINKS.pictures(identity="i006", subject="lead:l1", at=AT)
    assert until == AT + OPENS
    token = url.removeprefix("https://piyao.example/pictures/")
    assert LINKS.looking.read(token, AT) == Grant(identity="i006", subject="lead:l1")


@pytest.mark.parametrize("kind", ["editing", "saving", "looking"])
def test_no_kind_opens_another(kind: str) -> None:
    token = getattr(LINKS, kind).sign(Grant(identity="i006", subject="r1"), AT + OPENS)
    for other in {"editing", "saving", "looking"} - {kind}:
        with pytest.raises(LinkError, match="link_forged"):
            getattr(LINKS, other).read(token, AT)


def test_without_an_address_there_is_no_page() -> None:
    assert LINKS.reachable
    assert not PageLinks("k" * 40).reachable
