"""An appeal is answered once, with a reason, by somebody else than its appellant."""

from datetime import UTC, datetime

import pytest

from matrix.core.appeal import APPEAL, Appeal, AppealState
from matrix.core.errors import GuardRefused, IllegalTransition, NotAllowed
from matrix.core.roles import Actor, Role

OPEN = Appeal(
    id="a", number="异1109-01", bulletin="b", person="p", text="写错了",
    received_at=datetime(2026, 11, 9, tzinfo=UTC),
)  # fmt: skip
DESK = Actor(role=Role.DESK, person="d")


@pytest.mark.parametrize(
    ("verb", "target"), [("uphold", AppealState.UPHELD), ("deny", AppealState.DENIED)]
)
def test_the_desk_answers_with_a_reason(verb: str, target: AppealState) -> None:
    answered, _ = APPEAL.advance(OPEN, verb, DESK, {"reason": "核对过"})
    assert answered.state is target
    with pytest.raises(IllegalTransition):
        APPEAL.advance(answered, verb, DESK, {"reason": "再来"})


def test_not_without_a_reason_nor_by_the_appellant_nor_by_others() -> None:
    with pytest.raises(GuardRefused, match="answered_in_words"):
        APPEAL.advance(OPEN, "deny", DESK, {"reason": ""})
    with pytest.raises(GuardRefused, match="not_appellant"):
        APPEAL.advance(OPEN, "deny", Actor(role=Role.DESK, person="p"), {"reason": "x"})
    with pytest.raises(NotAllowed):
        APPEAL.advance(OPEN, "deny", Actor(role=Role.PUBLISHER, person="d"), {"reason": "x"})
