"""Forwarding shells: the words people wrap around what they pass on."""

__all__ = ["peel"]

# Said before the matter itself, and ended by punctuation ("转发:", "紧急通知!!").
_HEADS = tuple(
    sorted(
        (  # noqa: SIM905 - a list a reader can scan
            "转发 转 转自 转载 转发自 群转 朋友圈转 转给你看 速看 速转 速速转发 快看 快转 扩散 "
            "求扩散 请扩散 扩散周知 紧急扩散 紧急通知 重要通知 特别提醒 温馨提示 紧急提醒 注意 "
            "大家注意 大家注意了 请大家注意 注意了 请注意 出大事了 不得了 太吓人了 "
            "刚刚收到 刚收到 最新消息 内部消息 可靠消息 "
            "群里发的 群里看到的 朋友圈看到的 网上看到的 刚看到的 "
            "朋友发的 我朋友发的 我妈转给我的 我妈发的 家里人发的 亲戚发的 别人发的 "
            "真假不知 不转不是人 是中国人就转 互相转告 "
            "相互转告 请互相转告 请转告 请转告家人 请转发 请大家转发 "
            "帮忙转发 请帮忙转发 帮转 必看 大家好 各位好 你好 您好 "
            "请核实 求核实 求证 求辟谣 求真相 问一下 想问一下 请问一下 请问 在吗 "
            "提醒大家 告诉大家 赶紧看 赶快看 赶紧转 收到请转 看到请转 震惊 图 视频"
        ).split(),
        key=len,
        reverse=True,
    )
)
# Said before the matter without a pause.
_LEADS = (
    "听说",
    "请问一下",
    "请问",
    "想问问",
    "想问一下",
    "求问",
    "有没有人知道",
    "听人说",
    "群里在传",
    "群里都在传",
    "家人们看看",
)
_OPENERS = _HEADS + _LEADS
# Said after the matter.
_TAILS = tuple(
    sorted(
        (  # noqa: SIM905 - a list a reader can scan
            "是真的吗 是真的么 这是真的吗 这是真的么 真的吗 真的假的 是真是假 是真还是假 "
            "是不是真的 "
            "求证 求核实 请核实 求辟谣 求真相 求扩散 请扩散 扩散 转发 请转发 互相转告 请互相转告 "
            "大家互相转告 请转告家人 大家注意 转 谢谢 "
            "收到请转 收起全文 展开全文 网页链接"
        ).split(),
        key=len,
        reverse=True,
    )
)
_PAUSES = frozenset(" \t\n,，.。!！?？:：;；、~～…-—_|/\\*#^=+<>《》\"'“”‘’()[]（）【】「」『』")
_OPEN, _CLOSE = "《“‘\"'([（【「『<", "》”’\"')]）】」』>"
_OPENING, _CLOSING = frozenset(_OPEN), frozenset(_CLOSE + "%")
_PAIRS = frozenset(map("".join, zip(_OPEN, _CLOSE, strict=True)))
_SOFT = _PAUSES - _OPENING - _CLOSING
# A quoting client writes 「name: text」; longer than this it is no name.
_NAME_LIMIT = 24


def peel(text: str) -> str:
    """The text without the shells at its head and tail. Idempotent, linear in its length."""
    text = _unquote(text)
    start = _head(text)
    end = _tail(text, start)
    return text[start:end]


def _unquote(text: str) -> str:
    if not text.startswith("「"):
        return text
    colon = text.find(":", 1, _NAME_LIMIT)
    close = text.find("」", 1)
    if colon < 0 or 0 <= close < colon:
        return text
    if close < 0:
        return text[colon + 1 :]
    return text[colon + 1 : close] + " " + text[close + 1 :].lstrip(" -—\n")


def _head(text: str) -> int:
    position, limit = 0, len(text)
    while position < limit:
        after = position
        while after < limit and text[after] in _PAUSES:
            after += 1
        step = _shell_at(text, after)
        if step == 0:
            break
        position = after + step
        position += _embraced(text, after - 1, position)
    while position < limit and text[position] in _SOFT:
        position += 1
    return position


def _shell_at(text: str, position: int) -> int:
    # One look for all of them; most texts begin with none.
    if not text.startswith(_OPENERS, position):
        return 0
    for shell in _HEADS:
        if text.startswith(shell, position):
            end = position + len(shell)
            if end >= len(text) or text[end] in _PAUSES:
                return len(shell)
    return next((len(lead) for lead in _LEADS if text.startswith(lead, position)), 0)


def _tail(text: str, start: int) -> int:
    end = len(text)
    while end > start:
        before = end
        while before > start and text[before - 1] in _PAUSES:
            before -= 1
        if not text.endswith(_TAILS, start, before):
            break
        shell = next(tail for tail in _TAILS if text.endswith(tail, start, before))
        if not _ends_apart(text, start, before - len(shell), shell):
            break
        end = before - len(shell)
        end -= _embraced(text, end - 1, before)
    while end > start and text[end - 1] in _SOFT:
        end -= 1
    return end


def _embraced(text: str, before: int, after: int) -> bool:
    """Whether the two places hold a pair of brackets, as around 【紧急通知】: they go with it."""
    return before >= 0 and text[before : before + 1] + text[after : after + 1] in _PAIRS


def _ends_apart(text: str, start: int, cut: int, shell: str) -> bool:
    """A question may lean on the sentence; a bare word such as 转 needs a pause before it."""
    return "真" in shell or cut <= start or text[cut - 1] in _PAUSES
