"""Invariants of domain §7 that the pure tables alone must keep."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matrix.core.bulletin import (
    BULLETIN,
    REVISION,
    TWO_SIGNERS,
    BulletinState,
    Kind,
    Revision,
    RevisionState,
    allowed_by_verdict,
)
from matrix.core.campaign import CAMPAIGN, TASK, CampaignState, TaskState
from matrix.core.case import (
    ASSIGNMENT,
    CASE,
    REBUTTABLE,
    UNSETTLED,
    AssignmentState,
    CaseState,
    Grade,
    Verdict,
)
from matrix.core.claim import LINK, LinkState
from matrix.core.delivery import DELIVERY, FEEDBACK, DeliveryState, FeedbackState
from matrix.core.errors import GuardRefused, IllegalTransition, NotAllowed
from matrix.core.lead import LEAD, LeadState
from matrix.core.lifecycle import Lifecycle, Rule
from matrix.core.roles import NOT_PERSONS, Actor, Role
from matrix.core.verification import VERIFICATION, VerificationState

BEGINNINGS: dict[Lifecycle[Any], tuple[Any, set[Any]]] = {
    LEAD: (LeadState, {LeadState.RECEIVED}),
    LINK: (LinkState, {LinkState.SUGGESTED, LinkState.MATCHED}),
    CASE: (CaseState, {CaseState.FILED}),
    ASSIGNMENT: (AssignmentState, {AssignmentState.OFFERED, AssignmentState.DESIGNATED}),
    VERIFICATION: (VerificationState, {VerificationState.ASKED}),
    REVISION: (RevisionState, {RevisionState.DRAFT}),
    BULLETIN: (BulletinState, {BulletinState.SIGNED}),
    CAMPAIGN: (CampaignState, {CampaignState.PLANNED}),
    TASK: (TaskState, {TaskState.CREATED}),
    DELIVERY: (DeliveryState, {DeliveryState.PENDING}),
    FEEDBACK: (FeedbackState, {FeedbackState.DUE}),
}
tables = st.sampled_from(list(BEGINNINGS))
AT = datetime(2026, 11, 9, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """An entity of any table: a state, and whatever a guard may look at."""

    id: str = "1"
    version: int = 0
    state: Any = None
    merged_into: str = ""
    owner: str = "jtj"
    grade: Grade = Grade.BLUE
    verdict: Verdict = Verdict.FALSE
    correction_open: bool = False
    kind: Kind = Kind.FIRST
    urgent: bool = False
    drafter: str = "drafter"
    unit: str = "jtj"
    operator: str = "operator"
    title: str = "t"
    fact: str = "f"
    rumor: str = "r"
    why: str = "w"
    judged_as: Kind = Kind.FIRST


@pytest.mark.parametrize("table", BEGINNINGS, ids=lambda table: table.name)
def test_every_state_is_reached_and_named(table: Lifecycle[Any]) -> None:
    states, begin = BEGINNINGS[table]
    reached = set(begin)
    while True:
        grown = reached | {rule.target for rule in table.rules if rule.source in reached}
        if grown == reached:
            break
        reached = grown
    assert reached == set(states)


@pytest.mark.parametrize("table", BEGINNINGS, ids=lambda table: table.name)
def test_every_row_says_who(table: Lifecycle[Any]) -> None:
    assert all(rule.roles for rule in table.rules)


@given(table=tables, data=st.data())
def test_random_walks_never_leave_the_table(table: Lifecycle[Any], data: st.DataObject) -> None:
    states, begin = BEGINNINGS[table]
    thing = Thing(state=data.draw(st.sampled_from(sorted(begin))))
    actions = sorted({rule.action for rule in table.rules})
    for _ in range(12):
        action = data.draw(st.sampled_from(actions))
        actor = Actor(role=data.draw(st.sampled_from(list(Role))), person="p")
        facts = data.draw(_FACTS)
        try:
            moved, step = table.advance(thing, action, actor, facts)
        except (IllegalTransition, NotAllowed, GuardRefused):
            continue
        rule = table.rule(thing.state, action)
        assert moved.state is rule.target
        assert moved.state in set(states)
        assert actor.role in rule.roles
        assert (step.source, step.target) == (str(thing.state), str(moved.state))
        thing = replace(moved, version=moved.version + 1)


_FACTS = st.fixed_dictionaries(
    {},
    optional={
        "version": st.integers(0, 3),
        "in_time": st.booleans(),
        "evidence": st.integers(0, 3),
        "publishable": st.integers(0, 3),
        "verdict": st.sampled_from(list(Verdict)),
        "grade": st.sampled_from(list(Grade)),
        "settled": st.booleans(),
        "in_window": st.booleans(),
        "reason": st.sampled_from(["", "why"]),
        "signers": st.sets(st.sampled_from(["p", "q"])),
        "verifiers": st.sets(st.sampled_from(["p", "q"])),
        "urgent_grade": st.booleans(),
        "signer": st.sampled_from(["p", "q"]),
        "blocking": st.sampled_from([(), ("personal_number",)]),
        "open": st.sampled_from([(), ("feedback",)]),
    },
)


@given(
    kind=st.sampled_from(list(Kind)),
    verdict=st.none() | st.sampled_from(list(Verdict)),
    grade=st.sampled_from(list(Grade)),
    publishable=st.integers(0, 3),
)
def test_a_bulletin_only_with_its_verdict_and_sources(
    kind: Kind, verdict: Verdict | None, grade: Grade, publishable: int
) -> None:
    allowed = allowed_by_verdict(kind=kind, verdict=verdict, grade=grade, publishable=publishable)
    if not allowed:
        return
    if kind in {Kind.FIRST, Kind.UPDATE}:
        assert verdict in REBUTTABLE
        assert publishable >= (2 if grade.urgent else 1)
    if verdict is Verdict.TRUE:
        assert kind not in {Kind.FIRST, Kind.UPDATE, Kind.HOLDING}
    if kind is Kind.STATEMENT:
        assert verdict not in {None, Verdict.FALSE}
        assert publishable


@given(data=st.data(), kind=st.sampled_from(list(Kind)), urgent=st.booleans())
def test_nobody_signs_their_own_or_twice(data: st.DataObject, kind: Kind, *, urgent: bool) -> None:
    """However the reviews go: signatures are of distinct persons and never the drafter's."""
    people = ("a", "b", "c", "d")
    revision = Revision(
        id="1", state=RevisionState.REVIEW_2 if urgent or kind in TWO_SIGNERS
        else RevisionState.REVIEW_1, case="c", kind=kind, serial=1, drafter="a", urgent=urgent,
        created_at=AT,
    )  # fmt: skip
    verifiers = data.draw(st.sets(st.sampled_from(people)))
    red = data.draw(st.booleans())
    signers: list[str] = []
    roles = {
        RevisionState.REVIEW_1: Role.REVIEWER_1,
        RevisionState.REVIEW_2: Role.REVIEWER_2,
        RevisionState.REVIEW_3: Role.REVIEWER_3,
    }
    for _ in range(10):
        if revision.state not in roles:
            break
        actor = Actor(role=roles[revision.state], person=data.draw(st.sampled_from(people)))
        facts = {"signers": set(signers), "verifiers": verifiers, "urgent_grade": red}
        last = revision.state is RevisionState.REVIEW_3
        verb = "pass_urgent" if last and urgent and kind not in TWO_SIGNERS else "pass"
        try:
            revision, _ = REVISION.advance(revision, verb, actor, facts)
        except GuardRefused:
            continue
        signers.append(actor.person)
    assert len(signers) == len(set(signers))
    assert "a" not in signers
    if red:
        assert not set(signers) & verifiers
    if revision.state in {RevisionState.SIGNED, RevisionState.SIGNED_URGENT}:
        assert len(signers) == (2 if urgent or kind in TWO_SIGNERS else 3)


@given(publishable=st.integers(0, 3), evidence=st.integers(0, 3))
def test_urgent_cases_need_two_sources(publishable: int, evidence: int) -> None:
    del publishable
    case = Thing(state=CaseState.VERIFYING, grade=Grade.RED)
    actor = Actor(role=Role.HANDLER, person="p")
    try:
        CASE.advance(case, "conclude", actor, {"verdict": Verdict.FALSE, "evidence": evidence})
    except GuardRefused:
        assert evidence < 2
    else:
        assert evidence >= 2


def test_an_opinion_is_never_drafted() -> None:
    case = Thing(state=CaseState.CONCLUDED, verdict=Verdict.OPINION)
    with pytest.raises(GuardRefused):
        CASE.advance(case, "draft", Actor(role=Role.HANDLER, person="p"))


@pytest.mark.parametrize("verdict", list(Verdict))
def test_only_an_opinion_is_closed_straight_after_its_verdict(verdict: Verdict) -> None:
    case = Thing(state=CaseState.CONCLUDED, verdict=verdict)
    desk = Actor(role=Role.DESK, person="p")
    if verdict is Verdict.OPINION:
        assert CASE.advance(case, "close", desk, {})[0].state is CaseState.CLOSED
    else:
        with pytest.raises(GuardRefused):
            CASE.advance(case, "close", desk, {})


@pytest.mark.parametrize("verdict", list(Verdict))
def test_what_is_unsettled_is_watched_until_a_given_day(verdict: Verdict) -> None:
    leader, machine = Actor(role=Role.LEADER, person="p"), Actor(role=Role.MACHINE)
    concluded = Thing(state=CaseState.CONCLUDED, verdict=verdict)
    published = Thing(state=CaseState.PUBLISHED, verdict=verdict)
    reason = {"reason": "why"}
    if verdict in UNSETTLED:
        dated = {**reason, "review_at": AT}
        assert CASE.advance(concluded, "monitor", leader, dated)[0].state == "monitor-only"
        assert CASE.advance(published, "watch", machine, dated)[0].state == "monitor-only"
        with pytest.raises(GuardRefused):
            CASE.advance(concluded, "monitor", leader, reason)
    else:
        with pytest.raises(GuardRefused):
            CASE.advance(published, "watch", machine, {"review_at": AT})
        if verdict is not Verdict.OPINION:
            assert CASE.advance(concluded, "monitor", leader, reason)[0].state == "monitor-only"


@given(
    original=st.none() | st.sampled_from([Kind.FIRST, Kind.UPDATE, Kind.STATEMENT, Kind.HOLDING]),
    verdict=st.none() | st.sampled_from(list(Verdict)),
    grade=st.sampled_from(list(Grade)),
    publishable=st.integers(0, 3),
)
def test_a_correction_needs_what_its_original_needed(
    original: Kind | None, verdict: Verdict | None, grade: Grade, publishable: int
) -> None:
    draft = Revision(
        id="1", case="c", kind=Kind.CORRECTION, original=original, serial=1, drafter="a",
        title="t", fact="f", rumor="r", why="w", created_at=AT,
    )  # fmt: skip
    facts = {"verdict": verdict, "grade": grade, "publishable": publishable}
    wanted = allowed_by_verdict(
        kind=original or Kind.FIRST, verdict=verdict, grade=grade, publishable=publishable
    )
    drafter = Actor(role=Role.HANDLER, person="a")
    if wanted:
        assert REVISION.advance(draft, "submit", drafter, facts)[0].state == "review-1"
    else:
        with pytest.raises(GuardRefused, match="verdict_allows"):
            REVISION.advance(draft, "submit", drafter, facts)
    whole = {"verdict": Verdict.FALSE, "grade": Grade.RED, "publishable": 2}
    with pytest.raises(GuardRefused, match="complete"):
        REVISION.advance(replace(draft, why="", original=Kind.FIRST), "submit", drafter, whole)


def test_the_operator_never_checks_the_own_proof() -> None:
    task = Thing(state=TaskState.POSTED, operator="p")
    for verb in ("verify", "reject"):
        with pytest.raises(GuardRefused):
            TASK.advance(task, verb, Actor(role=Role.PUBLISHER, person="p"))


UNDOS = [
    (table, rule)
    for table in (LEAD, CASE, TASK)
    for rule in table.rules
    if rule.action.startswith("undo")
]


@pytest.mark.parametrize(
    ("table", "rule"), UNDOS, ids=[f"{t.name}-{r.source}-{r.action}" for t, r in UNDOS]
)
def test_an_undo_needs_that_nothing_followed_and_its_time(
    table: Lifecycle[Any], rule: Rule
) -> None:
    thing = Thing(state=rule.source, version=3)
    actor = Actor(role=min(rule.roles), person="p")
    for facts, refusal in (
        ({"version": 3, "in_time": True}, ""),
        ({"followed": False, "in_time": True}, ""),
        ({"version": 2, "in_time": True}, "guard_nothing_followed"),
        ({"version": 3, "followed": True}, "guard_nothing_followed"),
        ({"version": 3, "in_time": False}, "guard_in_time"),
    ):
        if not refusal:
            assert table.advance(thing, rule.action, actor, facts)[0].state is rule.target
            continue
        with pytest.raises(GuardRefused) as refused:
            table.advance(thing, rule.action, actor, facts)
        assert refused.value.key == refusal


def test_only_persons_lower_close_publicly_or_sign() -> None:
    """Signatures, verdicts, referrals and monitoring are no machine's business."""
    personal = {"pass", "pass_urgent", "conclude", "monitor", "refer", "decline", "ratify"}
    for table in (CASE, REVISION):
        for rule in table.rules:
            if rule.action in personal:
                assert not rule.roles & NOT_PERSONS, (table.name, rule.action)
