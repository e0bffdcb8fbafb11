"""What one process counts of itself, for Prometheus."""

from functools import cache

from prometheus_client import CollectorRegistry, Counter

from matrix.core.errors import DeliveryError


class Tally:
    """Counters since the process began, in a registry of their own."""

    def __init__(self) -> None:
        """Nothing was counted."""
        self.registry = CollectorRegistry()
        self._sent = Counter(
            "piyao_deliveries", "Calls to a platform by outcome.", ["channel", "outcome"],
            registry=self.registry,
        )  # fmt: skip
        # Finding a counter by its labels costs more than counting.
        self._counter = cache(self._sent.labels)
        self._sweeps = Counter("piyao_sweeps", "Sweeps of the clock.", registry=self.registry)

    def sent(self, channel: str, error: DeliveryError | None) -> None:
        """A call has come back."""
        self._counter(channel, outcome_of(error)).inc()

    def swept(self) -> None:
        """The clock has done a sweep."""
        self._sweeps.inc()


def outcome_of(error: DeliveryError | None) -> str:
    """``sent``, ``slow-down``, ``refused``, ``unknown`` or ``failed``: few words, never a code."""
    if error is None:
        return "sent"
    if error.retry_after is not None:
        return "slow-down"
    if error.permanent:
        return "refused"
    return "unknown" if error.unknown else "failed"
