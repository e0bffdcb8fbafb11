"""``/metrics`` in the text format of Prometheus: figures of the database, counts of the process."""

from datetime import datetime

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from bot.parts import Parts
from storage.figures import Figures, figures


def add_metrics(app: FastAPI, parts: Parts) -> None:
    """Serve them. Those of the database are the same in every process: scrape one, or take max."""

    @app.get("/metrics")
    async def metrics() -> Response:
        now = parts.services.clock.now()
        found = await figures(parts.store.engine, now)
        depth = await parts.queue.depth()
        text = generate_latest(_gauges(found, depth, now)) + generate_latest(parts.tally.registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST)


def _gauges(found: Figures, depth: int, now: datetime) -> CollectorRegistry:
    registry = CollectorRegistry()

    def gauge(name: str, help_: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(f"piyao_{name}", help_, labels, registry=registry)

    def age(at: datetime | None) -> float:
        return 0.0 if at is None else max(0.0, (now - at).total_seconds())

    by_lane = ("lane", "channel")
    waiting = gauge("deliveries_pending", "Deliveries that may go now.", by_lane)
    oldest = gauge("delivery_oldest_pending_seconds", "For how long the oldest could go.", by_lane)
    for (lane, channel), (count, since) in found.pending.items():
        waiting.labels(lane, channel).set(count)
        oldest.labels(lane, channel).set(age(since))
    doubt = gauge("deliveries_in_doubt", "Nobody knows whether they have arrived.", ("channel",))
    for channel, count in found.in_doubt.items():
        doubt.labels(channel).set(count)
    inbox = gauge("inbox_messages", "stored: to be processed; failed: given up.", ("state",))
    for state in ("stored", "failed"):
        inbox.labels(state).set(found.inbox.get(state, 0))
    gauge("inbox_oldest_seconds", "Age of the oldest message to be processed.").set(
        age(found.inbox_oldest)
    )
    gauge("queue_jobs", "Jobs of the broadcast lane, waiting or running.").set(depth)
    gauge("clock_lag_seconds", "For how long something is due that has not fired.").set(
        age(found.overdue)
    )
    return registry
