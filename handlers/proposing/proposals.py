"""The proposed case of a lead: who must answer, how grave, and why."""

import dataclasses
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from handlers import clocks
from handlers.context import Context
from handlers.proposing import alike
from handlers.replies.triage import Alarm
from matrix.core.case import Case, Grade
from matrix.core.lead import Lead
from matrix.core.roles import Role
from matrix.triage import grade as grading
from matrix.triage import routing
from matrix.triage.places import foreign_places


def grade_of(lead: Lead) -> Grade:
    """The proposed grade."""
    return Grade(str(lead.proposal.get("grade", Grade.BLUE)))


async def spread_of(ctx: Context, claim: str, case: str = "") -> grading.Spread:
    """What is known of the spread of a claim (and of everything attached to a case)."""
    found = await ctx.work.sighted(claim, case, ctx.at - timedelta(hours=1))
    if found.first is None:
        return grading.Spread()
    return grading.Spread(
        leads=found.leads,
        persons=found.persons,
        areas=found.areas or 1,
        groups=found.chats,
        last_hour=found.fresh,
        minutes=int((ctx.at - found.first).total_seconds() // 60),
    )


async def propose(ctx: Context, lead: Lead) -> Mapping[str, object]:
    """Owner, co-units, grade and axes as codes, with the reasons."""
    hits = ctx.directory.gazetteer.find(lead.text)
    areas = list(dict.fromkeys(hit.area for hit in hits))
    if lead.about_area and lead.about_area not in areas:
        areas.append(lead.about_area)
    foreign = foreign_places(lead.text, ctx.directory.gazetteer)
    route = routing.route(lead.text, areas, ctx.directory.tables, foreign)
    floors = {floor for code in route.topics for floor in ctx.directory.topics[code].floor if floor}
    assessed = grading.assess(lead.text, floors, await spread_of(ctx, lead.claim, lead.case))
    return {
        "owner": route.owner,
        "refer": route.refer,
        "certainty": route.certainty.value,
        "co_units": list(route.co_units),
        "topics": list(route.topics),
        "areas": list(route.areas),
        "routing": [list(reason) for reason in route.reasons],
        "about_owner": route.about_owner,
        "grade": assessed.grade.value,
        "severity": assessed.severity,
        "controllability": assessed.controllability,
        "influence": assessed.influence,
        "floor": assessed.floor,
        "rule": assessed.rule.value,
        "spread": [list(one) for one in assessed.spread],
        **{key: value for key, value in lead.proposal.items() if key == alike.LATER},
    }


def texts(value: object) -> tuple[str, ...]:
    """A JSON list of codes as a tuple."""
    return tuple(str(item) for item in cast("list[Any]", value or []))


async def sightings_grew(ctx: Context, case: Case) -> None:
    """More sightings may raise the grade by themselves; only a person lowers it."""
    spread = await spread_of(ctx, case.claim, case.id)
    floors = {f for code in case.topics for f in ctx.directory.topics[code].floor if f}
    assessed = grading.assess(case.wording, floors, spread)
    if grading.worse(case.grade, assessed.grade) is case.grade:
        return
    case = await ctx.work.cases.save(
        _regraded(case, assessed),
    )
    await ctx.note("case", case.id, f"grade-{case.grade}", case.id, rule=assessed.rule)
    await clocks.regrade(ctx, case)
    await ctx.tell_role(
        Role.DESK, Alarm(what="upgraded", number=case.number, detail=case.grade.value)
    )


def _regraded(case: Case, assessed: grading.Assessment) -> Case:
    return dataclasses.replace(
        case,
        grade=assessed.grade,
        assessment={
            **case.assessment,
            "severity": assessed.severity,
            "controllability": assessed.controllability,
            "influence": assessed.influence,
            "rule": assessed.rule.value,
            "spread": [list(one) for one in assessed.spread],
        },
    )
