"""Links as labelled pairs: why the machine held two texts for one claim, and what people said."""

import json

from matrix.core.claim import Link, LinkState
from matrix.ports import Work

__all__ = ["LINK_HEADER", "link_rows"]

LINK_HEADER = [
    "lead", "text", "target_kind", "target", "title", "label", "state", "method", "score",
    "model_version", "reasons", "created_at",
]  # fmt: skip
"""``label``: same, different or open; ``reasons``: JSON list of (kind, words here, words there)."""

_LABELS = {
    LinkState.MATCHED: "same",
    LinkState.CONFIRMED: "same",
    LinkState.DISMISSED: "different",
    LinkState.UNDONE: "different",
    LinkState.SUGGESTED: "open",
}


async def link_rows(work: Work, lead: str = "") -> list[dict[str, str]]:
    """All links, or those of the leads with a number; the oldest first, texts masked."""
    numbered = {one.id for one in await work.leads.find(number=lead)} if lead else None
    links: list[Link] = await work.links.find(order="created_at")
    return [await _row(work, link) for link in links if numbered is None or link.lead in numbered]


async def _row(work: Work, link: Link) -> dict[str, str]:
    lead = await work.leads.get(link.lead)
    target, title = await _target(work, link)
    return {
        "lead": lead.number,
        "text": lead.text,
        "target_kind": link.target_kind,
        "target": target,
        "title": title,
        "label": _LABELS[link.state],
        "state": link.state.value,
        "method": link.method,
        "score": f"{link.score:.1f}",
        "model_version": link.model_version,
        "reasons": json.dumps(link.reasons, ensure_ascii=False),
        "created_at": link.created_at.isoformat(),
    }


async def _target(work: Work, link: Link) -> tuple[str, str]:
    """Number and wording of what the link leads to."""
    match link.target_kind:
        case "bulletin":
            bulletin = await work.bulletins.get(link.target)
            return bulletin.number, bulletin.claim_text
        case "claim":
            claim = await work.claims.get(link.target)
            return (await work.leads.get(claim.first_lead)).number, claim.wording
        case _:
            case = await work.cases.get(link.target)
            return case.number, case.wording
