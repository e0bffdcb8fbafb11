"""How the interpreter shares its core among threads, and when it looks for garbage."""

import gc
import sys

__all__ = ["tune"]

# Every statement of a conversation crosses to the database thread and back; beside the ledger's
# thread the default of 5 ms could be paid at each crossing.
_SWITCH_SECONDS = 0.0005
# New objects after which the youngest are looked through, and how often that happens before the
# elder are: with the defaults (700, 10, 10) one rumor in fifty waited 50 to 130 ms for it.
_YOUNG, _MIDDLE, _OLD = 5_000, 20, 50


def tune() -> None:
    """Once, when everything is loaded: what lives now lives as long as the process."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
