"""Pacing: no sliding window of the receiver ever holds more than its limit, whatever the delays."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from matrix.broadcast.pacing import Ask, Pace, Pacer, Turn

WINDOWS = st.lists(st.tuples(st.integers(1, 6), st.sampled_from([0.5, 1.0, 3.0])), max_size=2).map(
    tuple
)
MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "-group"]),
        st.floats(0, 0.6),  # between this wish and the one before
        st.floats(0.001, 2.5),  # until the answer
        st.floats(0, 1),  # where between call and answer it arrives
        st.booleans(),
    ),
    min_size=1,
    max_size=60,
)


def crowded(chat: str) -> bool:
    return chat.startswith("-")


@dataclass
class Sent:
    chat: str
    arrived: float
    ended: float


def play(pacer: Pacer, messages: Sequence[tuple[str, float, float, float, bool]]) -> list[Sent]:
    """Everybody sends as soon as the pacer allows; answers come when they come."""
    now, sent, under_way = 0.0, [], []
    for chat, after, took, where, broadcast in messages:
        now += after
        while True:
            for one in sorted([x for x in under_way if x.ended <= now], key=lambda x: x.ended):
                pacer.end(one.chat, one.ended)
                under_way.remove(one)
            wait = pacer.grant([Ask(chat=chat, broadcast=broadcast)], now)[0]
            if not wait:
                break
            answers = [x.ended for x in under_way if x.ended > now]
            now = min([now + wait, *answers]) if answers else now + max(wait, 1e-9)
        one = Sent(chat, now + took * where, now + took)
        sent.append(one)
        under_way.append(one)
    return sent


def fullest(arrivals: Sequence[float], seconds: float) -> int:
    """The most that any half-open window of that length holds."""
    times = sorted(arrivals)
    return max(
        (sum(start <= one < start + seconds - 1e-6 for one in times) for start in times), default=0
    )


@given(WINDOWS, WINDOWS, WINDOWS, MESSAGES)
def test_no_window_of_the_receiver_holds_more_than_its_limit(
    overall: tuple[tuple[int, float], ...],
    chat: tuple[tuple[int, float], ...],
    crowd: tuple[tuple[int, float], ...],
    messages: list[tuple[str, float, float, float, bool]],
) -> None:
    pace = Pace(overall=overall, chat=chat, crowd=crowd, crowded=crowded)
    sent = play(Pacer(pace), messages)
    assert len(sent) == len(messages)
    for limit, seconds in overall:
        assert fullest([one.arrived for one in sent], seconds) <= limit
    for name in {one.chat for one in sent}:
        mine = [one.arrived for one in sent if one.chat == name]
        for limit, seconds in chat + (crowd if crowded(name) else ()):
            assert fullest(mine, seconds) <= limit


def test_the_broadcast_lane_leaves_room_for_people_who_wait() -> None:
    pace = Pace(overall=((10, 1.0),))
    eight = [Turn(chat=str(n)) for n in range(8)]
    assert pace.wait(eight, Ask(chat="x", broadcast=True), 0.0) == math.inf
    assert pace.wait(eight, Ask(chat="x"), 0.0) == 0.0


def test_those_in_front_count_for_those_behind() -> None:
    pace = Pace(overall=((2, 1.0),))
    assert pace.grant([], [Ask(chat="a"), Ask(chat="b"), Ask(chat="c")], 5.0) == [0, 0, math.inf]
    answered = [Turn(chat="a", ended=4.5), Turn(chat="b", ended=4.8)]
    assert pace.wait(answered, Ask(chat="c"), 5.0) == 0.5


def test_a_rest_stops_its_chat_or_everybody() -> None:
    pace = Pace(overall=((9, 1.0),))
    chat, all_ = (Turn(chat=name, ended=9.0, rest=True) for name in ("a", ""))
    assert pace.wait([chat], Ask(chat="a"), 5.0) == 4.0
    assert pace.wait([chat], Ask(chat="b"), 5.0) == 0.0
    assert pace.wait([all_], Ask(chat="b"), 5.0) == 4.0
    assert pace.wait([all_], Ask(chat="b"), 9.0) == 0.0


def test_without_limits_nothing_waits() -> None:
    assert not Pace().limited
    assert Pacer(Pace()).grant([Ask(chat="a")] * 3, 0.0) == [0, 0, 0]
