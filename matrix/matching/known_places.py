"""Places any reader in the country knows: provinces, larger cities, states.

They tell a rumor about one town from the same rumor about another where the district's own
gazetteer is silent. Names that are everyday words or parts of personal names (大同, 安康, 中山,
朝阳) are left out on purpose: a missed place costs a question, a wrong one a good answer.
"""

from functools import cache

from matrix.matching.gazetteer import Gazetteer, PlaceName

__all__ = ["known_places"]

_CHINA = """
北京:
上海: 浦东 虹桥
天津:
重庆:
河北: 石家庄 唐山 秦皇岛 邯郸 邢台 保定 张家口 承德 沧州 廊坊 衡水 雄安
山西: 太原 阳泉 长治 晋城 朔州 晋中 运城 忻州 临汾 吕梁
内蒙古: 呼和浩特 包头 乌海 赤峰 通辽 鄂尔多斯 呼伦贝尔 巴彦淖尔 乌兰察布
辽宁: 沈阳 大连 鞍山 抚顺 本溪 丹东 锦州 营口 阜新 辽阳 盘锦 铁岭 葫芦岛
吉林: 长春 四平 辽源 通化 白城 延边
黑龙江: 哈尔滨 齐齐哈尔 鹤岗 双鸭山 大庆 佳木斯 七台河 牡丹江 黑河 绥化
江苏: 南京 无锡 徐州 常州 苏州 南通 连云港 淮安 盐城 扬州 镇江 泰州 宿迁 昆山
浙江: 杭州 宁波 温州 嘉兴 湖州 绍兴 金华 衢州 舟山 台州 丽水 义乌
安徽: 合肥 芜湖 蚌埠 淮南 马鞍山 淮北 铜陵 安庆 黄山 滁州 阜阳 宿州 六安 亳州 池州 宣城
福建: 福州 厦门 莆田 三明 泉州 漳州 南平 龙岩 宁德
江西: 南昌 景德镇 萍乡 九江 新余 鹰潭 赣州 吉安 宜春 抚州 上饶
山东: 济南 青岛 淄博 枣庄 烟台 潍坊 济宁 泰安 威海 日照 莱芜 临沂 德州 聊城 滨州 菏泽
河南: 郑州 开封 洛阳 平顶山 安阳 鹤壁 新乡 焦作 濮阳 许昌 漯河 三门峡 南阳 商丘 信阳 驻马店
湖北: 武汉 黄石 十堰 宜昌 襄阳 鄂州 荆门 孝感 荆州 黄冈 咸宁 随州 恩施 仙桃 潜江 天门
湖南: 长沙 株洲 湘潭 衡阳 邵阳 岳阳 常德 张家界 益阳 郴州 永州 怀化 娄底 湘西
广东: 广州 深圳 珠海 汕头 佛山 韶关 湛江 肇庆 茂名 惠州 梅州 汕尾 阳江 清远 东莞 潮州 揭阳 云浮
广西: 南宁 柳州 桂林 梧州 北海 防城港 钦州 贵港 玉林 百色 贺州 河池 来宾 崇左
海南: 海口 三亚 三沙 儋州
四川: 成都 自贡 攀枝花 泸州 德阳 绵阳 广元 遂宁 内江 乐山 南充 眉山 宜宾 广安 达州 雅安 巴中 资阳
贵州: 贵阳 六盘水 遵义 安顺 毕节 铜仁 黔东南 黔南
云南: 昆明 曲靖 玉溪 保山 昭通 丽江 普洱 临沧 楚雄 红河 文山 西双版纳 大理 德宏
西藏: 拉萨 日喀则 昌都 林芝 山南 那曲
陕西: 西安 铜川 宝鸡 咸阳 渭南 延安 汉中 榆林 商洛
甘肃: 兰州 嘉峪关 金昌 白银 天水 武威 张掖 平凉 酒泉 庆阳 定西 陇南 临夏
青海: 西宁 海东 海北 黄南 果洛 玉树
宁夏: 银川 石嘴山 吴忠 固原 中卫
新疆: 乌鲁木齐 克拉玛依 吐鲁番 哈密 昌吉 阿克苏 喀什 和田 伊犁 塔城 石河子
香港: 九龙 新界
澳门:
台湾: 台北 新北 桃园 台中 台南 高雄 基隆 新竹 嘉义 苗栗 彰化 南投 云林 屏东 宜兰 花莲 台东 澎湖
"""
_ABROAD = (
    "美国 英国 法国 德国 意大利 西班牙 葡萄牙 荷兰 比利时 瑞士 瑞典 挪威 丹麦 芬兰 冰岛 波兰 "
    "俄罗斯 乌克兰 希腊 土耳其 以色列 伊朗 伊拉克 叙利亚 沙特 阿联酋 印度 巴基斯坦 孟加拉 "
    "尼泊尔 不丹 斯里兰卡 缅甸 泰国 老挝 越南 柬埔寨 马来西亚 新加坡 印尼 菲律宾 日本 韩国 朝鲜 "
    "蒙古国 哈萨克斯坦 阿富汗 澳大利亚 澳洲 新西兰 加拿大 墨西哥 古巴 巴西 阿根廷 智利 秘鲁 "
    "委内瑞拉 埃及 南非 尼日利亚 肯尼亚 埃塞俄比亚 奥地利 匈牙利 捷克 罗马尼亚 塞尔维亚 爱尔兰 "
    "纽约 伦敦 巴黎 东京 大阪 首尔 曼谷 莫斯科 悉尼 墨尔本 多伦多 温哥华 "
    "洛杉矶 旧金山"
)
_STATES = {
    "纽约": "美国", "洛杉矶": "美国", "旧金山": "美国", "伦敦": "英国", "巴黎": "法国",
    "东京": "日本", "大阪": "日本", "首尔": "韩国", "曼谷": "泰国",
    "莫斯科": "俄罗斯", "悉尼": "澳大利亚", "墨尔本": "澳大利亚", "澳洲": "澳大利亚",
    "多伦多": "加拿大", "温哥华": "加拿大", "武汉大学": "武汉",
}  # fmt: skip


@cache
def known_places() -> Gazetteer:
    """A gazetteer whose area codes are the names themselves; every name counts as strong."""
    parents = dict(_STATES)
    names = list(_ABROAD.split())
    for line in _CHINA.strip().splitlines():
        province, _, cities = line.partition(":")
        names += [province, *cities.split()]
        parents.update(dict.fromkeys(cities.split(), province))
    entries = [PlaceName(name=name, area=name, strength="strong", kind="known") for name in names]
    return Gazetteer(entries, parents)
