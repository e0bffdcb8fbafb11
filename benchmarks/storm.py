"""A flood as districts see it: thousands of forwards of a few rumors, seeded, so that runs compare.

Of 100 messages 65 are a rumor word for word, 20 the same in another dress (a call to forward, a
question behind it, other punctuation), 10 a telling of one's own (another number, a part left out
or added) and 5 a text that nobody else sends. Which rumor, follows Zipf's law: the n-th is sent 1/n
times as often as the first. Every third rumor has its rebuttal already.
"""

import random
from itertools import accumulate

RUMORS = (
    "紧急通知：自来水厂水源被污染，明天上午九点起全区停水三天，请大家赶快接水备用",
    "实验二小昨天中午有三十名学生食物中毒送进区医院，学校要求家长不要声张",
    "内部消息，下周一起全区加油站涨价到九块五，今晚排队加油的人已经排到国道上了",
    "河东镇粮站的盐只够卖两天，超市盐都抢空了，赶紧去买",
    "云溪街道某小区发现一例不明肺炎，整栋楼已经被封，物业不让说",
    "刚接到电力公司电话，因为检修本周六早上六点到晚上十点全城停电，冰箱里的东西赶紧处理",
    "滨江大桥昨晚出现裂缝，桥面下沉十公分，交警已经封路，千万别从那里走",
    "各位家长注意，有人开白色面包车在幼儿园门口抢小孩，已经丢了四个，派出所不让传",
    "社保卡不升级月底就作废，请点击短信链接填写身份证号和银行卡号办理",
    "退休人员养老金下个月停发，必须本人带户口本到社区排队认证",
    "区人民医院一名护士打错针，造成两名老人死亡，医院正在封锁消息",
    "化工园区凌晨爆炸，有毒气体正往城区飘，请关好门窗不要出门",
    "地震局内部预测今晚十二点前后有五级以上地震，请大家睡觉不要关门",
    "高铁站旁边要建垃圾焚烧厂，环评已经偷偷通过了，周围房价要跌一半",
    "吃了超市的进口三文鱼确诊了，买过的人要去登记隔离十四天",
    "小区电梯坠落摔死一家三口，开发商赔钱私了不准发朋友圈",
    "明年起农村宅基地一律收归集体，没有房产证的马上去镇上补办",
    "新来的流感疫苗有问题，隔壁县打死了一个小学生，千万不要给孩子打",
    "公交卡余额年底清零，请大家抓紧用完，充值的钱不退",
    "水库大坝渗水严重，下游三个村今晚必须全部撤离，到镇中学集合",
    "自来水里检测出农药，喝了会掉头发，桶装水已经卖到五十块一桶",
    "区里规定每户只能养一只狗，超过的下个月起统一捕杀",
    "楼下快递站有人用病毒包裹寄给陌生人，收到没买过的东西不要拆",
    "本地荔枝泡了药水，吃五颗就中毒住院，视频里就是咱们区的果园",
)
"""The commonest first."""
_SHARES = list(accumulate(1 / rank for rank in range(1, len(RUMORS) + 1)))
_BEFORE = ("转发：", "【扩散】", "家人们看看 ", "刚看到的，", "@所有人 ", "群里在传：")
_AFTER = ("，大家互相转告！", "。是真的吗？", "！！！", "，求辟谣", " 请扩散", "……怕怕")
_WITNESSES = ("表姐", "邻居", "同事", "老师")
_DIGITS = "一二三四五六七八九"


def known(every: int = 3) -> tuple[str, ...]:
    """Rumors that have a rebuttal."""
    return RUMORS[::every]


def text_of(number: int, own: str) -> str:
    """The text of the message with this number; ``own`` is what nobody else sends."""
    draw = random.Random(number)
    rumor = draw.choices(RUMORS, cum_weights=_SHARES)[0]
    kind = draw.random()
    if kind < 0.65:
        return rumor
    if kind < 0.85:
        return _dressed(draw, rumor)
    return _retold(draw, rumor) if kind < 0.95 else own


def _dressed(draw: random.Random, rumor: str) -> str:
    before, after = draw.choice(("", *_BEFORE)), draw.choice(_AFTER)
    return f"{before}{rumor.replace('，', draw.choice('，,。 '))}{after}"


def _retold(draw: random.Random, rumor: str) -> str:
    """Another number, a part left out, or a part added."""
    parts = rumor.split("，")
    match draw.randrange(3):
        case 0:
            return "".join(draw.choice(_DIGITS) if one in _DIGITS else one for one in rumor)
        case 1 if len(parts) > 1:
            del parts[draw.randrange(len(parts))]
            return "，".join(parts)
        case _:
            return f"{rumor}，我{draw.choice(_WITNESSES)}今天{draw.randrange(24)}点亲眼看到的"
