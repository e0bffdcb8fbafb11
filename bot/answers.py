"""What was said in answer to a message, from the ledger: for a platform that asks once more."""

from bot.channel import REPLIED, Limits
from bot.presenter import Presenter
from matrix.core.conversation import Inbound
from matrix.core.delivery import Delivery, DeliveryState
from matrix.ports import Clock, Store

_FEW = 20


class Answers:
    """Reads rows and says them again; what became of the first time is not known to the asker."""

    def __init__(self, store: Store, presenter: Presenter, clock: Clock, executor: str) -> None:
        """``executor`` is this process: what it is sending now is not said again."""
        self._store = store
        self._presenter = presenter
        self._clock = clock
        self._executor = executor

    async def again(self, message: Inbound, limits: Limits) -> str:
        """What was, or may have been, said in the response to a message; empty when nothing was."""
        async with self._store.read() as work:
            person = await work.identities.one(
                platform=message.platform, external=message.external, revoked_at=None
            )
            if person is None:
                return ""
            rows = await work.deliveries.find(
                person=person.person, answers=message.message_id, order="created_at", limit=_FEW
            )
        said = [one for one in rows if self._said(one)]
        now = self._clock.now()
        parts = [self._presenter.outgoing(one, now, limits)[0].text for one in said]
        while parts and limits.measure("\n\n".join(parts)) > limits.text:
            parts.pop()
        return "\n\n".join(parts)

    def _said(self, one: Delivery) -> bool:
        match one.state:
            case DeliveryState.SENT:
                return one.remote_id.startswith(REPLIED)
            case DeliveryState.SENDING:
                return one.executor != self._executor
            case state:
                return state is DeliveryState.IN_DOUBT
