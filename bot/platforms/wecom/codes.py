"""What a click brings for changing its card: good once, so the newest is kept and used up."""

from collections import OrderedDict

# Cards whose clicks are remembered by this process; the code of the sending serves for others.
_CARDS = 10_000


class Clicks:
    """By task id: a response code of the application, or a request of the bot's line."""

    def __init__(self) -> None:
        """Empty: after a restart every card still has the code that its sending brought."""
        self._newest: OrderedDict[str, str] = OrderedDict()

    def keep(self, task: str, code: str) -> None:
        """A card was clicked."""
        if task and code:
            self._newest[task] = code
            self._newest.move_to_end(task)
            while len(self._newest) > _CARDS:
                self._newest.popitem(last=False)

    def use(self, task: str) -> str:
        """The newest code of a card, which is gone then; empty when there is none."""
        return self._newest.pop(task, "")
