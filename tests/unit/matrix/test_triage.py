"""Owner, grade, clocks, linter, masks: pure rules."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.clock_table import read_clocks
from matrix.core.case import EventClass, Grade
from matrix.core.deadline import Deadline, Stage
from matrix.core.directory import Area, AreaKind, Topic, Unit, UnitKind
from matrix.matching.gazetteer import Gazetteer, PlaceName
from matrix.privacy import mask
from matrix.triage import routing
from matrix.triage.calendar import LOCAL, Calendar
from matrix.triage.deadline import Facts, wall_timing
from matrix.triage.grade import Spread, assess, endangers_life, grade_of, lower, worse
from matrix.triage.ladder import next_at
from matrix.triage.linter import compose, lint, short_form
from matrix.triage.national import Duty, national
from matrix.triage.places import foreign_places
from matrix.triage.relapse import alarming, count

UNITS = {
    "swj": Unit(id="swj", name="区水务局", short_name="水务局", kind=UnitKind.DEPARTMENT),
    "tax": Unit(
        id="tax", name="区税务局", short_name="税务局", kind=UnitKind.DEPARTMENT,
        vertical=True, vertical_coordinator="desk",
    ),
    "desk": Unit(id="desk", name="值班台", short_name="值班台", kind=UnitKind.DESK),
    "t1": Unit(id="t1", name="河东镇", short_name="河东镇", kind=UnitKind.TOWN, area="a1"),
    "t2": Unit(id="t2", name="云溪街道", short_name="云溪街道", kind=UnitKind.TOWN, area="a2"),
}  # fmt: skip
AREAS = {
    "a1": Area(id="a1", name="河东镇", kind=AreaKind.TOWN),
    "a2": Area(id="a2", name="云溪街道", kind=AreaKind.TOWN),
    "a11": Area(id="a11", name="河东社区", kind=AreaKind.COMMUNITY, parent="a1"),
}
TOPICS = [
    Topic(id="water", name="停水", lead_unit="swj", keywords=(("停水", 3), ("自来水", 2))),
    Topic(id="tax", name="税费", lead_unit="tax", keywords=(("个税", 4),)),
    Topic(
        id="national", name="全国性政策", lead_unit="desk", keywords=(("国务院", 5),), national=True
    ),
]
TABLES = routing.Tables(topics=TOPICS, units=UNITS, areas=AREAS, reachable=frozenset(UNITS))


def test_the_subject_leads_and_the_territory_assists() -> None:
    found = routing.route("河东社区停水三天", ["a11"], TABLES)
    assert (found.owner, found.co_units) == ("swj", ("t1",))
    assert found.reasons[0] == (routing.Why.TOPIC, "swj", "water")


def test_only_a_place_means_that_the_territory_leads() -> None:
    assert routing.route("村里的路被挖了", ["a2"], TABLES).owner == "t2"


def test_nothing_clear_goes_to_the_desk() -> None:
    found = routing.route("听说了吗", [], TABLES)
    assert found.owner == ""
    assert found.reasons == ((routing.Why.NOTHING_CLEAR, "", ""),)


def test_vertical_management_is_coordinated_from_above() -> None:
    found = routing.route("个税要补缴三年", [], TABLES)
    assert (found.owner, found.co_units) == ("desk", ("tax",))
    assert (routing.Why.VERTICAL, "desk", "tax") in found.reasons
    # Nobody of the desk handles cases: it decides, which is no alarm.
    unmanned = replace(TABLES, reachable=frozenset(UNITS) - {"desk"})
    found = routing.route("个税要补缴三年", [], unmanned)
    assert (found.owner, found.co_units) == ("", ("tax",))
    assert not any(why is routing.Why.NOBODY_REACHABLE for why, _, _ in found.reasons)
    # Without a coordinator in the table its superior coordinates.
    below = replace(UNITS["tax"], vertical_coordinator="", parent="swj")
    assert routing.route("个税", [], replace(TABLES, units={**UNITS, "tax": below})).owner == "swj"


def test_a_matter_elsewhere_is_referred_upward() -> None:
    found = routing.route("郑州停水三天", [], TABLES, ["郑州"])
    assert (found.refer, found.owner) == ("upward", "swj")
    assert found.reasons[0] == (routing.Why.OUTSIDE, "", "郑州")
    assert found.certainty is routing.Certainty.LOW


def test_a_foreign_place_beside_an_own_one_lowers_certainty() -> None:
    near = routing.route("郑州的水厂停水，河东镇也停水", ["a1"], TABLES, ["郑州"])
    assert (near.refer, near.owner, near.certainty) == ("", "swj", "medium")
    assert routing.route("河东镇停水", ["a1"], TABLES).certainty is routing.Certainty.HIGH
    assert routing.route("听说了吗", [], TABLES).certainty is routing.Certainty.LOW


def test_national_policy_is_referred_upward_and_names_no_owner_here() -> None:
    found = routing.route("国务院发文，个税要补缴", [], TABLES)
    assert (found.refer, found.owner) == ("upward", "desk")
    assert (routing.Why.NATIONAL, "", "national") in found.reasons
    assert routing.route("国务院发文，停水", [], TABLES).owner == "swj"
    assert set(found.topics) == {"tax", "national"}


OWN = Gazetteer([PlaceName(name="北海公园", area="a1", strength="strong")], {})


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("郑州和深圳都停水了，郑州最严重", ("郑州", "深圳")),
        ("北海公园要拆了", ()),
        ("南京路上的重庆小面吃坏了人", ()),
        ("小区要停水", ()),
    ],
)
def test_foreign_places(text: str, foreign: tuple[str, ...]) -> None:
    assert foreign_places(text, OWN) == foreign


def test_a_unit_that_nobody_reads_is_an_alarm_not_silence() -> None:
    empty = routing.Tables(
        topics=TOPICS, units=UNITS, areas=AREAS, reachable=frozenset(UNITS) - {"swj"}
    )
    found = routing.route("停水三天", [], empty)
    assert found.owner == ""
    assert (routing.Why.NOBODY_REACHABLE, "swj", "") in found.reasons
    assert (routing.Why.NOBODY_REACHABLE, "water", "swj") in routing.alarms(empty)


def test_a_claim_about_the_owner_needs_a_second_unit() -> None:
    assert routing.route("水务局的人停水收钱", [], TABLES).about_owner


@pytest.mark.parametrize("topic", [topic.id for topic in TOPICS])
@pytest.mark.parametrize("area", ["", "a1", "a2", "a11"])
def test_exactly_one_owner_or_an_alarm(topic: str, area: str) -> None:
    text = next(t for t in TOPICS if t.id == topic).keywords[0][0]
    found = routing.route(text, [area] if area else [], TABLES)
    assert bool(found.owner) or any("no" in why for why, _, _ in found.reasons)


@pytest.mark.parametrize(
    ("axes", "grade"),
    [
        ((3, 0, 2), Grade.RED),
        ((3, 3, 0), Grade.RED),
        ((3, 0, 0), Grade.ORANGE),
        ((0, 3, 0), Grade.ORANGE),
        ((2, 2, 2), Grade.ORANGE),
        ((1, 1, 1), Grade.YELLOW),
        ((2, 2, 1), Grade.YELLOW),
        ((1, 1, 0), Grade.BLUE),
    ],
)
def test_grades(axes: tuple[int, int, int], grade: Grade) -> None:
    assert grade_of(*axes)[0] is grade


def test_floors_and_danger() -> None:
    assert assess("孩子放学", {"minors"}, Spread()).grade is Grade.YELLOW
    assert endangers_life("有人被困在电梯里，救命")
    assert not endangers_life("听说要涨价")


def test_influence_counts_minutes_since_the_first() -> None:
    quick = assess("听说", (), Spread(persons=3, minutes=20))
    slow = assess("听说", (), Spread(persons=3, minutes=31))
    assert (quick.influence, slow.influence) == (2, 1)
    assert quick.spread == (("persons", "3", ""), ("quick", "3", "20"))
    assert slow.spread == (("persons", "3", ""),)
    assert assess("听说", (), Spread(persons=2, minutes=1)).influence == 1


@given(st.tuples(*[st.integers(0, 3)] * 3), st.integers(0, 2))
def test_more_is_never_less_grave(axes: tuple[int, int, int], which: int) -> None:
    more = list(axes)
    more[which] = min(3, more[which] + 1)
    assert not lower(grade_of(*more)[0], grade_of(*axes)[0])


@given(st.sampled_from(list(Grade)), st.sampled_from(list(Grade)))
def test_worse_is_symmetric(one: Grade, other: Grade) -> None:
    assert worse(one, other) is worse(other, one)


TABLE = read_clocks()
MONDAY = datetime(2026, 11, 9, 7, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("grade", "said"),
    [
        (Grade.RED, "2026-11-09 16:05"),
        (Grade.ORANGE, "2026-11-09 16:05"),
        (Grade.YELLOW, "2026-11-09 17:05"),
        (Grade.BLUE, "2026-11-10 15:05"),
    ],
)
def test_a_receipt_is_checked_by_the_table(grade: Grade, said: str) -> None:
    timed = TABLE.timing(
        Facts(stage=Stage.CHECK, grade=grade, start=MONDAY, business=MONDAY, calendar=Calendar())
    )
    assert timed is not None
    assert timed.due_at.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M") == said


def test_a_silent_clock_is_looked_at_once_the_others_climb() -> None:
    over = MONDAY + timedelta(hours=2)
    timed = wall_timing(MONDAY, over)
    clock = Deadline(
        id="d", subject="task:t", stage=Stage.CHECK, grade=Grade.BLUE, starts_at=MONDAY,
        business_at=MONDAY, due_at=over, rungs=tuple(at.isoformat() for at in timed.rungs),
    )  # fmt: skip
    assert next_at(replace(clock, stage=Stage.RETURN)) == over
    rungs = [next_at(replace(clock, rung=rung)) for rung in range(6)]
    assert rungs[:3] == [MONDAY + timedelta(hours=1), MONDAY + timedelta(minutes=96), over]
    assert rungs[5] is None
    assert next_at(replace(clock, paused_at=MONDAY)) is None


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["", "1", "2", "3"]))))
def test_a_return_needs_several_people_in_several_areas(seen: list[tuple[str, str]]) -> None:
    found = count(seen)
    people, areas = {one for one, _ in seen}, {area for _, area in seen} - {""}
    assert alarming(TABLE.relapse, found) == (len(people) >= 3 and len(areas) >= 2)


@pytest.mark.parametrize(
    ("event_class", "hours"),
    [
        (EventClass.MAJOR_PLUS, {Duty.PUBLISH: 5, Duty.PRESS_CONFERENCE: 24}),
        (EventClass.MAJOR, {Duty.PUBLISH: 5, Duty.PRESS_CONFERENCE: 24}),
        (EventClass.OTHER, {Duty.ANSWER: 48}),
        (EventClass.NOT_APPLICABLE, {}),
    ],
)
def test_national_law_hangs_on_the_class(event_class: EventClass, hours: dict[Duty, int]) -> None:
    found = {one.duty: one.due_at for one in national(event_class, MONDAY)}
    assert found == {duty: MONDAY + timedelta(hours=many) for duty, many in hours.items()}


def test_quiet_hours() -> None:
    night = datetime(2026, 11, 9, 15, 0, tzinfo=UTC)
    assert TABLE.is_quiet(night)
    assert TABLE.next_morning(night).astimezone(LOCAL).time() == time(7, 15)
    assert not TABLE.is_quiet(datetime(2026, 11, 9, 7, 5, tzinfo=UTC))


def draft(**parts: str) -> dict[str, str]:
    return {
        "title": "河东镇供水正常",
        "fact": "供水正常。",
        "rumor": "停水三天",
        "why": "检修已改期。",
        "todo": "请放心。",
        **parts,
    }


def codes(**parts: str) -> set[str]:
    return {r.code for r in lint(**draft(**parts), rebuts=True) if r.blocking}


def test_the_linter_blocks_what_must_not_go_out() -> None:
    assert codes() == set()
    assert codes(title="停水三天是谣言") == {"title_states_rumor"}
    assert codes(why="假的") == {"bare_denial"}
    assert codes(fact="并没有停水三天这回事") == {"rumor_twice"}
    assert codes(todo="请致电 13800138000") == {"personal_number"}


@pytest.mark.parametrize(
    ("fact", "blocked"),
    [
        ("收费属实，停水不实。", False),
        ("确有收费。停水不实。", False),
        ("停水不实。收费属实。", True),
        ("没有停水。", True),
        ("", True),
    ],
)
def test_what_is_partly_true_says_so_first(fact: str, blocked: bool) -> None:
    found = lint(title="说明", fact=fact, rumor="", why="", todo="", rebuts=False, partly=True)
    assert ("true_part_first" in {one.code for one in found if one.blocking}) is blocked
    plain = lint(title="说明", fact=fact, rumor="", why="", todo="", rebuts=False)
    assert "true_part_first" not in {one.code for one in plain}


def test_the_rumor_is_quoted_once_and_marked() -> None:
    text = compose(**draft())
    assert text.count("停水三天") == 1
    assert "【网传】“停水三天”" in text
    assert text.index("供水正常") < text.index("【网传】")


@given(st.text(alphabet="甲乙。", max_size=200))
def test_the_short_form_is_short(fact: str) -> None:
    assert len(short_form(fact)) <= 70


def test_masks() -> None:
    assert mask("电话 13812345678 找我") == "电话 138****5678 找我"
    assert mask("号码 11010519491231002X") == "号码 110105********002X"
    # A bank card number fails the checksum and is no identity number.
    assert mask("卡号 110105194912310021") == "卡号 110105194912310021"


@pytest.mark.parametrize(
    ("grade", "platform", "correction", "said"),
    [
        (Grade.RED, "weibo", False, "2026-11-09 15:35"),
        (Grade.ORANGE, "wechat_official", False, "2026-11-09 16:05"),
        (Grade.YELLOW, "weibo", False, "2026-11-09 16:05"),
        (Grade.YELLOW, "wechat_official", False, "2026-11-09 23:59"),
        (Grade.BLUE, "weibo", False, "2026-11-10 15:05"),
        (Grade.RED, "weibo", True, "2026-11-09 15:20"),
        (Grade.ORANGE, "weibo", True, "2026-11-09 15:35"),
    ],
)
def test_reposts_are_due_by_the_table(
    grade: Grade, platform: str, correction: bool, said: str
) -> None:
    due = TABLE.repost_due(grade, platform, MONDAY, Calendar(), correction=correction)
    assert due.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M") == said


def test_a_blue_repost_waits_for_the_next_working_day() -> None:
    friday = datetime(2026, 11, 13, 7, 5, tzinfo=UTC)
    due = TABLE.repost_due(Grade.BLUE, "weibo", friday, Calendar(), correction=False)
    assert due.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M") == "2026-11-16 15:05"
