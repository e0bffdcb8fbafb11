"""Our package names are common: a foreign distribution that ships one would replace ours."""

from importlib.metadata import packages_distributions

NAMES = ("bot", "handlers", "matrix", "storage", "config")
OURS = "piyao-matrix"


def rivals() -> list[tuple[str, str]]:
    """(package, distribution) for every foreign owner of one of the five names."""
    owners = packages_distributions()
    return [
        (name, owner)
        for name in NAMES
        for owner in owners.get(name, [])
        if owner.lower().replace("_", "-") != OURS
    ]
