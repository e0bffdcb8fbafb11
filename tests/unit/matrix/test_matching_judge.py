"""When to answer, when to ask, when to be silent."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.matching import load_model
from matrix.matching.gazetteer import Gazetteer, PlaceName
from matrix.matching.judge import Judge
from matrix.matching.text import normalise
from matrix.matching.verdicts import Candidate, Decision, ReasonKind

PLACES = Gazetteer(
    (
        PlaceName(name="龙河镇", area="1", strength="strong"),
        PlaceName(name="白塔镇", area="2", strength="strong"),
    ),
    {"1": "0", "2": "0"},
)
CLAIM = Candidate(
    id="water",
    title="龙河镇自来水厂三十名工人中毒，全镇停水五天",
    rebuttal="经核实，水厂供水正常，没有工人中毒。",
    urls=("https://example.cn/news?id=9",),
)
OTHERS = (
    Candidate(id="egg", title="菜市场卖的鸡蛋是用塑料做的人造蛋"),
    Candidate(id="bus", title="下月起老年人坐公交车不再免费"),
    Candidate(id="wine", title="每天喝一杯白酒能预防流行性感冒"),
)
ALL = (CLAIM, *OTHERS)


def judged(text, candidates=ALL, **more):
    return Judge(PLACES, load_model()).judge(normalise(text), candidates, **more)


def kinds(judgement):
    return {reason.kind for reason in judgement.candidates[0].reasons}


@pytest.mark.parametrize(
    "text",
    [
        CLAIM.title,
        "转发：龍河鎮自來水廠30名工人中毒，全鎮停水5天！！😱是真的吗",
    ],
)
def test_the_same_text_in_another_dress_is_answered(text):
    judgement = judged(text)
    assert judgement.decision is Decision.MATCH
    assert judgement.candidates[0].id == "water"
    assert judgement.candidates[0].score == 100
    assert kinds(judgement) == {ReasonKind.IDENTICAL_TEXT}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("龙河镇自来水厂八十名工人中毒，全镇停水五天", ReasonKind.NUMBER_DIFFERS),
        ("白塔镇自来水厂三十名工人中毒，全镇停水五天", ReasonKind.PLACE_DIFFERS),
        ("龙河镇自来水厂三十名工人没有中毒，全镇停水五天", ReasonKind.NEGATION_DIFFERS),
    ],
)
def test_a_swap_is_never_answered_and_is_named(text, kind):
    judgement = judged(text)
    assert judgement.decision is Decision.SUGGEST
    assert judgement.candidates[0].id == "water"
    assert kind in kinds(judgement)


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("孕妇可以接种流感疫苗，不影响胎儿", "孕妇不能接种流感疫苗，不影响胎儿"),
        ("隔夜菜放进冰箱再吃会致癌，医生提醒大家", "隔夜菜放进冰箱再吃不会致癌，医生提醒大家"),
        ("每天吃一头生大蒜致癌，医院已有多人确诊", "每天吃一头生大蒜防癌，医院已有多人确诊"),
        ("城南那家工厂排的是有毒废水，居民都搬走了", "城南那家工厂排的不是有毒废水，居民都搬走了"),
        ("滨江大桥已通车，下周起货车可以走了", "滨江大桥未通车，下周起货车可以走了"),
    ],
)
def test_a_reversal_is_named_and_never_answered(said, asked):
    judgement = judged(asked, [Candidate(id="said", title=said), *OTHERS])
    assert judgement.candidates[0].id == "said"
    assert ReasonKind.NEGATION_DIFFERS in kinds(judgement)
    assert judgement.decision is Decision.SUGGEST


def test_another_body_is_named():
    said = Candidate(id="said", title="城北人民医院昨晚有两名护士被患者打伤，现在停诊了")
    judgement = judged("城东中心医院昨晚有两名护士被患者打伤，现在停诊了", [said, *OTHERS])
    reason = next(r for r in judgement.candidates[0].reasons if r.kind is ReasonKind.BODY_DIFFERS)
    assert (reason.query, reason.claim) == ("城东中心医院", "城北人民医院")


def test_a_sign_of_rebuttal_is_named():
    judgement = judged("警方辟谣：龙河镇自来水厂三十名工人中毒，全镇停水五天")
    assert judgement.candidates[0].id == "water"
    assert ReasonKind.DEBUNKING_CUE in kinds(judgement)


def test_wording_is_quoted_as_it_was_written():
    """Numerals are compared as digits; people read their own words."""
    judgement = judged("听邻居说龙河镇自来水厂三十名工人中毒了")
    wording = [r for r in judgement.candidates[0].reasons if r.kind is ReasonKind.WORDING]
    assert wording[0].query == "龙河镇自来水厂"


def test_rivals_make_one_another_doubtful_unless_one_stands_for_all():
    """Ten leads of one rumor are no ten rumors."""
    text = "听邻居说龙河镇自来水厂有三十名工人中毒，全镇要停水五天"
    ends = (
        "大家快转",
        "转给家人",
        "速看",
        "真的",
        "听说了吗",
        "都小心",
        "再转",
        "急",
        "扩散",
        "问问",
    )
    twins = [Candidate(id=end, title=f"{CLAIM.title}，{end}") for end in ends]
    best = judged(text, twins[:1]).candidates[0].score
    assert judged(text, twins).candidates[0].score < best - 5
    (only,) = judged(text, twins, doubles=False).candidates
    assert only.score == pytest.approx(best)


def test_an_equal_text_stands_for_those_that_nearly_say_it():
    near = Candidate(id="near", title=f"{CLAIM.title}，大家快转")
    assert [one.id for one in judged(CLAIM.title, [near, CLAIM], doubles=False).candidates] == [
        CLAIM.id
    ]


def test_reasons_name_both_sides():
    judgement = judged("白塔镇自来水厂三十名工人中毒，全镇停水五天")
    reason = next(r for r in judgement.candidates[0].reasons if r.kind is ReasonKind.PLACE_DIFFERS)
    assert (reason.query, reason.claim) == ("白塔镇", "龙河镇")


def test_a_stranger_is_left_alone():
    judgement = judged("学校门口新开的奶茶店排队两百米，味道很好")
    assert judgement.decision is Decision.NONE


def test_a_short_text_asks_for_the_original():
    judgement = judged("水厂工人中毒")
    assert judgement.decision is not Decision.MATCH
    assert judgement.asks_original


def test_a_short_text_equal_to_a_claim_is_answered():
    short = Candidate(id="s", title="明天停水")
    judgement = judged("明天停水！", (*ALL, short))
    assert (judgement.decision, judgement.candidates[0].id) == (Decision.MATCH, "s")
    assert not judgement.asks_original


def test_a_bare_link_of_a_claim_is_suggested():
    judgement = judged("https://m.example.cn/news?id=9&from=timeline")
    assert judgement.decision is Decision.SUGGEST
    assert judgement.candidates[0].id == "water"
    assert {ReasonKind.SAME_URL, ReasonKind.BARE_LINK} <= kinds(judgement)
    assert not judgement.asks_original


@pytest.mark.parametrize("text", ["", "   ", "😱😱😱", "紧急通知!!", "https://example.org/other"])
def test_nothing_said_is_nothing_found(text):
    judgement = judged(text)
    assert judgement.decision is Decision.NONE
    assert judgement.asks_original


def test_texts_without_letters_we_compare_are_not_identical():
    judgement = judged("。。。", (Candidate(id="dots", title="！！！"),))
    assert judgement.decision is Decision.NONE


def test_long_texts_on_both_sides_take_no_seconds():
    han = "".join(chr(0x4E00 + i * 7 % 3000) for i in range(20_000))
    claims = tuple(Candidate(id=str(i), title=han[i:]) for i in range(12))
    start = time.process_time()
    judged("a" * 15_000 + han[5_000:], claims)
    assert time.process_time() - start < 5


def test_no_candidates():
    assert judged("龙河镇自来水厂三十名工人中毒", ()).decision is Decision.NONE


@given(st.text(max_size=120))
@settings(deadline=None)
def test_any_text_is_judged_within_bounds(text):
    judgement = judged(text)
    scores = [one.score for one in judgement.candidates]
    assert len(scores) <= 5
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 100 for score in scores)


@given(st.permutations(ALL), st.sampled_from([one.title for one in ALL]))
@settings(deadline=None)
def test_the_order_of_candidates_does_not_count(order, text):
    assert judged("听说" + text + "了", tuple(order)) == judged("听说" + text + "了")


def test_a_changed_claim_is_read_anew():
    judge = Judge(PLACES, load_model())
    query = normalise("下月起老年人坐公交车不再免费")
    assert judge.judge(query, (OTHERS[1],)).decision is Decision.MATCH
    changed = Candidate(id="bus", title="某商场周末举办美食节活动")
    assert judge.judge(query, (changed,)).decision is Decision.NONE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("城东花园3号楼电梯坠落砸伤两名住户", "城东花园8号楼电梯坠落砸伤两名住户"),
        ("荔湾小学食堂用过期肉，家长都在门口", "东湖小学食堂用过期肉，家长都在门口"),
        ("吃了隔夜菜的人可以献血吗，医院说可以", "吃了隔夜菜的人不能献血吗，医院说不能"),
    ],
)
def test_another_number_body_or_denial_is_no_double(one, other):
    both = [Candidate(id="claim:1", title=one), Candidate(id="claim:2", title=other)]
    assert len(judged("听说有这么一件事，大家说说", both, doubles=False).candidates) == 2


def test_a_case_does_not_hide_behind_the_lead_it_was_made_of():
    both = [
        Candidate(id="claim:1", title=CLAIM.title), Candidate(id="case:1", title=CLAIM.title),
        Candidate(id="claim:2", title=f"{CLAIM.title}，大家快转"),
    ]  # fmt: skip
    shown = judged("听邻居说龙河镇自来水厂有三十名工人中毒，全镇要停水五天", both, doubles=False)
    assert {one.id for one in shown.candidates} == {"claim:1", "case:1"}
