"""Steps that most stories share, each through what a person presses or types."""

from typing import Any

from matrix.core.conversation import Inbound
from tests.journeys.play import Play

SCHOOL = "听说实验二小三十名学生食物中毒了，都送医院了，学校不让说"
"""Orange: 区教体局 (王倩, 周磊) leads, four units assist."""
LAMPS = "金穗家园要装路灯了，每户收费两百元"
"""Blue: 区城管局 (范北辰, 穆南星, head 潘东篱) leads, 北塘街道 (褚凤鸣) assists."""
WATER = "北塘街道下周停水七天，大家快囤水"
"""Yellow: 区水务局 (刘洋, 何如松, head 贺如竹) leads."""
FEES = "松岭街道科创社区的物业费下个月翻倍，业主都炸了"
"""Blue: 区住建局 (吴凌波, 鲁映雪, head 尹海棠) leads."""
REVIEWERS = ("孙丽", "吴刚", "郑敏")
LINK = "https://mp.weixin.qq.com/s/abc123"
PHONE = "13800000000"


async def filed(p: Play, text: str = LAMPS, reporter: str = "王芳", desk: str = "陈静") -> str:
    """Reported, filed and dispatched; the number of the case."""
    await p.say(reporter, text)
    await p.press(desk, "lead_file", inside=text[:12])
    return await p.number()


async def school_filed(p: Play) -> str:
    """The orange case, dispatched."""
    return await filed(p, SCHOOL)


async def opened(p: Play, who: str, number: str) -> str:
    """Anything typed that is a number finds it."""
    return await p.say(who, number)


async def evidence(p: Play, who: str, text: str, *, public: bool = True) -> None:
    """One piece of evidence, from the newest card that offers it."""
    await p.press(who, "evidence_add")
    await p.say(who, text)
    await p.press(who, "public_yes" if public else "public_no")


async def concluded(p: Play, who: str, verdict: str, basis: str) -> str:
    """A verdict with its grounds."""
    await p.press(who, "case_conclude")
    await p.press(who, f"verdict_{verdict}")
    return await p.say(who, basis)


async def written(p: Play, who: str, title: str, **parts: str) -> None:
    """Title and parts of the open draft."""
    for part, text in {"title": title, **parts}.items():
        await p.press(who, f"edit_{part}")
        await p.say(who, text)


LAMPS_WHY = "区城管局路灯改造合同写明费用由区财政承担。"


async def lamps_concluded(p: Play, verdict: str = "false") -> str:
    """The blue case, verified by its owner."""
    number = await filed(p)
    await p.press("范北辰", "assignment_acknowledge")
    await evidence(p, "范北辰", "路灯改造合同第三条")
    await concluded(p, "范北辰", verdict, "金穗家园路灯由区财政出资安装，不向住户收费。")
    return number


async def lamps_drafted(p: Play) -> str:
    """The blue case with a complete draft, not yet submitted."""
    number = await lamps_concluded(p)
    await p.press("范北辰", "draft_start")
    await written(
        p, "范北辰", "金穗家园路灯改造不收费", why=LAMPS_WHY, todo="有人收费请拨打 12345。"
    )
    return number


async def lamps_submitted(p: Play) -> str:
    """The blue case, waiting for the first review."""
    number = await lamps_drafted(p)
    await p.press("范北辰", "draft_submit")
    return number


async def signed(p: Play, reviewers: tuple[str, ...] = REVIEWERS) -> None:
    """The reviews, each by its reviewer."""
    for reviewer in reviewers:
        await p.press(reviewer, "review_pass")


async def published(p: Play, url: str = LINK) -> str:
    """The publisher fills in the main account's link."""
    await p.press("冯涛", "publish_link")
    return await p.say("冯涛", url)


async def told(p: Play) -> None:
    """A quarter of an hour after publication the reporters hear of it."""
    await p.tick(minutes=15)


async def lamps_published(p: Play, url: str = LINK) -> str:
    """The blue case, published, its broadcast planned."""
    number = await lamps_submitted(p)
    await signed(p)
    await published(p, url)
    return number


async def started(p: Play) -> str:
    """The broadcast runs."""
    await p.press("冯涛", "campaign_start")
    return await p.press("冯涛", "confirm")


async def lamps_running(p: Play) -> str:
    """The blue case while its broadcast runs."""
    number = await lamps_published(p)
    await started(p)
    return number


def name_of(p: Play, role: str, unit: str) -> str:
    """Who holds a role in a unit, the first in the book."""
    directory = p.parts.services.directory
    post = next(x for x in directory.posts if x.role == role and x.unit == unit)
    return directory.people[post.person].name


async def the(p: Play, kind: str, /, **criteria: Any) -> Any:
    """The only entity that fits."""
    found = await p.all(kind, **criteria)
    assert len(found) == 1, found
    return found[0]


async def task(p: Play, account: str) -> Any:
    """The newest task of an account."""
    return (await p.all("tasks", account=account))[-1]


async def bind_sms(p: Play, name: str) -> None:
    """The person binds a telephone (tests/doubles/channels.py) with an invitation."""
    said = await p.say("高原", f"邀请 {name}")
    code = next(word for word in said.replace("。", " ").split() if "PY-" in word)
    code = code[code.index("PY-") :].strip("”，。")
    p.clock.forward(seconds=1)
    await p.parts.dispatcher.store(
        Inbound(
            id=p.parts.services.ids.new(), platform="sms", message_id=code, external=PHONE,
            chat=PHONE, text=code, received_at=p.clock.now(),
        )
    )  # fmt: skip
    await p.settle()
