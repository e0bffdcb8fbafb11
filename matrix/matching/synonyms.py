"""Other words for the same: one of each group stands for all, and asking words say nothing.

For finding and weighing only. Guards and the reasons shown read what was written.
"""

import re
from functools import cache

from matrix.matching.wordlist import longest_of

__all__ = ["fold_words"]

# The first of a line stands for the others. Only words that say the same wherever they stand:
# a wrong pair makes two claims one, a missing one costs a little likeness.
_GROUPS = """
新冠 新型冠状病毒肺炎 新型冠状病毒 新型冠状肺炎 新冠病毒 新冠肺炎 冠状病毒 武汉肺炎 武汉病毒 新冠疫情 covid-19 covid19 covid 2019-ncov
致癌 导致癌症 引起癌症 引发癌症 诱发癌症 造成癌症 导致癌 引发癌 诱发癌 得癌症 患癌症 患上癌症 得癌 患癌
癌 癌症 肿瘤
能 可以 能够 能不能 可不可以 是否能 是否可以
会 会不会 将会 是否会
是 是不是 是否是 就是
不能 不可以 不能够 不可
禁止 严禁 不准 不许 不得
必须 务必 一定要
预防 防止 防范 避免
导致 引起 造成 引发 诱发 致使
感染 传染 染上
治疗 医治 治愈 根治 治好
死亡 去世 身亡 逝世 离世 丧生 死去
增加 提高 提升 升高 上升 增大
减少 降低 下降 减低
有害 伤身 有害健康 危害健康 伤害身体
医生 医师 大夫
警方 公安机关 公安 警察 民警
孩子 小孩子 小孩 儿童 小朋友 孩童
婴儿 宝宝 新生儿
女性 女人 妇女 女子 女生
男性 男人 男子 男生
老人 老年人 老人家 长者
孕妇 怀孕妇女 准妈妈
父母 爸妈 家长
屁股 臀部
土豆 马铃薯 洋芋
番茄 西红柿
红薯 地瓜 番薯 甘薯
菠萝 凤梨
猕猴桃 奇异果
卷心菜 包菜 圆白菜 高丽菜
玉米 苞米 苞谷
香菜 芫荽
酸奶 优酪乳 优格
方便面 泡面 速食面
肥胖 发胖 长胖 变胖
减肥 瘦身 减重
喝酒 饮酒
吸烟 抽烟
喝水 饮水
失眠 睡不着
失明 变瞎 瞎眼
吃 食用 服用 进食
手机 移动电话 行动电话
电脑 计算机
网络 网路 互联网 因特网
视频 影片 录像 短片
信息 讯息 资讯
短信 简讯
软件 软体
塑料 塑胶
质量 品质
激光 雷射
纳米 奈米
公交 公交车 巴士 公车
地铁 捷运
出租车 的士 计程车
自行车 单车 脚踏车
汽车 轿车 小车
开车 驾车 驾驶
加油站 加气站
快递 快件 包裹
银行卡 储蓄卡 借记卡
开学 返校 复课
学校 校园
超市 卖场
涨价 提价 上涨
停课 停学
地震 强震
暴雨 大雨 强降雨
研究 研究发现 研究表明 研究显示 研究称 研究指出 研究证实 科学研究
专家 学者
网民 网友
立即 立刻 马上
全部 所有 一律
即将 将要 快要
""".strip()  # noqa: E501 - one group a line
# What makes a question or a report of a sentence, and nothing else.
_EMPTY = (
    "真的会 真的能 真的是 真的有 真的 是否 难道 到底 究竟 听说 据说 网传 网上说 有人说 据传 传言 "
    "吗 呢 么 吧 啊 呀 了 的 竟然 居然 其实"
)


def fold_words(text: str) -> str:
    """A normalised text in the words that stand for their groups. Linear in its length."""
    table = _table()
    return _pattern().sub(lambda found: table[found.group()], text)


@cache
def _table() -> dict[str, str]:
    table = dict.fromkeys(_EMPTY.split(), "")
    table |= {f"真的{word}": word for word in ("会", "能", "是", "有")}
    for line in _GROUPS.splitlines():
        chosen, *others = line.split()
        table |= dict.fromkeys([chosen, *others], chosen)
    # 什么 and 怎么 ask for something; their 么 is no empty word.
    return table | {word: word for word in ("什么", "怎么", "那么", "这么", "目的", "了解", "了不")}


@cache
def _pattern() -> re.Pattern[str]:
    return longest_of(_table())
