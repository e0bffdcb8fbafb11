"""Several messages to one chat as few: where each costs, what is due together goes together.

Pure. Answers come first, then what waited; a message that does not fit goes on in the next one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bot.channel import Limits, Outgoing
from handlers.housekeeping.ledger import Result
from matrix.core.delivery import WAITS, Delivery, Parcel
from matrix.core.errors import DeliveryError

_BETWEEN = "\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A delivery's part of a bundle."""

    delivery: Delivery
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """One message to send, and what it is made of."""

    outgoing: Outgoing
    pieces: tuple[Piece, ...]


def bundles(
    rendered: Iterable[tuple[Delivery, Sequence[Outgoing]]], limits: Limits
) -> list[Bundle]:
    """Pack the parts of deliveries to one chat into as few messages as fit the limit."""
    made: list[Bundle] = []
    for delivery, parts in sorted(rendered, key=lambda one: not one[0].answers):
        for part in parts:
            piece = Piece(delivery=delivery, text=part.text)
            joined = _joined(made[-1], part, limits) if made else None
            if joined is None:
                made.append(Bundle(outgoing=part, pieces=(piece,)))
            else:
                pieces = (*made[-1].pieces, piece)
                made[-1] = Bundle(outgoing=joined, pieces=pieces)
    return made


def _joined(bundle: Bundle, part: Outgoing, limits: Limits) -> Outgoing | None:
    text = bundle.outgoing.text + _BETWEEN + part.text
    if limits.measure(text) > limits.text:
        return None
    answers = bundle.outgoing.answers or part.answers
    return bundle.outgoing._replace(text=text, answers=answers)


@dataclass(slots=True)
class Outcome:
    """What became of the bundles of one chat so far; after a failure no more is tried."""

    remote: dict[str, str]
    lost: dict[str, list[str]]
    error: DeliveryError | None = None

    def arrived(self, bundle: Bundle, remote: str) -> None:
        """Everything in it is there."""
        for piece in bundle.pieces:
            self.remote.setdefault(piece.delivery.id, remote)

    def failed(self, bundle: Bundle) -> None:
        """Nothing in it is."""
        for piece in bundle.pieces:
            self.lost.setdefault(piece.delivery.id, []).append(piece.text)

    def of(self, delivery: Delivery) -> Result:
        """The result of one delivery."""
        lost = self.lost.get(delivery.id)
        remote = self.remote.get(delivery.id, "")
        if self.error is None or lost is None:
            return Result(delivery=delivery, remote_id=remote)
        if not remote:
            return Result(delivery=delivery, error=self.error)
        if self.error.code == WAITS:
            return Result(delivery=delivery, remote_id=remote, rest=_BETWEEN.join(lost))
        # A part has arrived: repeating would say it twice.
        return Result(delivery=delivery, error=DeliveryError(self.error.code, unknown=True))


Chat = tuple[str, str]
"""Platform and address."""
M = TypeVar("M", Delivery, Parcel)


def by_chat(claimed: Sequence[M]) -> dict[Chat, list[M]]:
    """Chats go in parallel, messages of one chat in order."""
    chats: dict[Chat, list[M]] = {}
    for one in claimed:
        chats.setdefault((one.platform, one.address), []).append(one)
    return chats
