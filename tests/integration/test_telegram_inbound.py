"""What people do on Telegram, as it arrives in the inbox: real client, real HTTP."""

from collections.abc import AsyncIterator

import pytest

from bot.channel import Press
from matrix.core.conversation import Inbound
from tests.doubles.bot_api import BotApi
from tests.doubles.telegram_rig import NOW, Rig, directly, rigged

GROUP = -1001234567890
MB = 1024 * 1024


@pytest.fixture
async def api(monkeypatch) -> AsyncIterator[BotApi]:
    async with directly(monkeypatch) as server:
        yield server


@pytest.fixture
async def rig(api) -> AsyncIterator[Rig]:
    async with rigged(api) as built:
        yield built


async def test_a_text_is_stored_as_it_was_written(api, rig):
    message = api.push_text(42, "听说明天停水 😀", name="李敏")
    got = await rig.hears()
    assert got == Inbound(
        id="id0001",
        platform="telegram",
        message_id=f"m:42:{message['message_id']}",
        external="42",
        chat="42",
        text="听说明天停水 😀",
        sender_name="李敏",
        received_at=NOW,
    )


async def test_the_author_of_a_forwarded_message_is_dropped(api, rig):
    api.push_text(42, "转：明天停水", forwarded_from="张三丰")
    got = await rig.hears()
    assert got.forwarded
    assert "张三丰" not in repr(got)


async def test_an_edit_names_the_message_it_changes(api, rig):
    message = api.push_text(42, "旧")
    await rig.hears()
    api.push_edit(message, "新")
    got = await rig.hears()
    assert (got.kind, got.text) == ("edit", "新")
    assert got.edits == f"m:42:{message['message_id']}"
    assert got.edits in rig.stored
    assert got.message_id == f"e:42:{message['message_id']}:{message['date'] + 5}"


async def test_a_picture_with_caption_comes_with_its_file(api, rig):
    api.push_photo(42, b"\xff\xd8large", caption="看图")
    got = await rig.hears()
    assert (got.text, got.files) == ("看图", ("a1",))
    assert rig.files[0][0] == b"\xff\xd8large"
    assert rig.files[0][1].endswith(".jpg")


@pytest.mark.parametrize(("kind", "name"), [("document", "通知.pdf"), ("voice", ".ogg")])
async def test_documents_and_voices_are_files_too(api, rig, kind, name):
    api.push_file(42, b"bytes", kind, file_name="通知.pdf")
    got = await rig.hears()
    assert got.files == ("a1",)
    assert rig.files[0][1].endswith(name)


async def test_the_parts_of_an_album_share_their_group(api, rig):
    for caption in ("三张图", ""):
        api.push_photo(42, b"x", caption=caption, media_group_id="g7")
    await rig.hears()
    assert [one.media_group for one in rig.stored.values()] == ["g7", "g7"]
    assert len(rig.files) == 2


@pytest.mark.parametrize("size", [10 * MB + 1, 21 * MB])
async def test_a_file_above_the_cap_leaves_a_note(api, rig, size):
    api.push_file(42, b"x", file_name="a.zip", caption="附件", size=size)
    got = await rig.hears()
    assert (got.text, got.files) == ("附件\n[file:attachment_too_large]", ())
    assert not [name for name, _ in api.calls if name == "getfile"]


async def test_a_file_whose_size_was_not_told_is_measured(api, rig):
    api.push_file(42, b"x" * (10 * MB + 1), size=0)
    assert (await rig.hears()).text == "[file:attachment_too_large]"


async def test_a_file_that_does_not_come_holds_up_nothing(api, rig):
    api.fail("download", status=500, times=-1)
    api.push_photo(42, b"x", caption="看图")
    got = await rig.hears()
    assert (got.text, got.files) == ("看图\n[file:attachment_unavailable]", ())
    assert len(rig.pauses) == 2


async def test_a_file_that_comes_at_the_second_try_is_kept(api, rig):
    api.fail("getFile", status=502)
    api.push_photo(42, b"x")
    assert (await rig.hears()).files == ("a1",)


async def test_a_refused_file_leaves_the_reason(api, rig):
    rig.refuse_files = "attachment_type"
    api.push_photo(42, b"x")
    assert (await rig.hears()).text == "[file:attachment_type]"


async def test_a_press_is_stored_and_its_clock_stopped(api, rig):
    await rig.send("请选择", buttons=(Press(token="tok1", label="签收", number=1),))
    update = api.press(42, api.messages[0], "签收")
    got = await rig.hears()
    query = update["callback_query"]["id"]
    assert (got.kind, got.token, got.message_id, got.chat) == ("button", "tok1", f"c:{query}", "42")
    assert api.answered == [query]


async def test_a_press_too_old_to_answer_is_kept_all_the_same(api, rig):
    api.fail("answerCallbackQuery", status=400, description="Bad Request: query is too old")
    query = {"id": "q", "from": {"id": 42, "is_bot": False, "first_name": "a"}}
    api.push(callback_query=query | {"chat_instance": "1", "data": "tok"})
    got = await rig.hears()
    assert (got.token, got.chat) == ("tok", "42")


async def test_a_mention_in_a_group_brings_the_quoted_text(api, rig):
    rumor = api.push_text(7, "食堂有人中毒", GROUP, name="王五")
    api.push_text(42, "😀😀 @Piyao_Bot 是真的吗", GROUP, reply_to=rumor)
    got = await rig.hears()
    assert (got.in_group, got.mentioned, got.quoted) == (True, True, "食堂有人中毒")
    assert (got.chat, got.external) == (str(GROUP), "42")
    assert "王五" not in repr(got)


async def test_a_command_with_our_name_is_a_mention(api, rig):
    api.push_text(42, "/help@piyao_bot", GROUP)
    assert (await rig.hears()).mentioned


async def test_a_mention_brings_the_quoted_picture(api, rig):
    picture = api.push_photo(7, b"rumor", caption="", chat_id=GROUP)
    api.push_text(42, "@piyao_bot", GROUP, reply_to=picture)
    got = await rig.hears()
    assert (got.quoted, got.files, rig.files[0][0]) == ("", ("a1",), b"rumor")
    assert len(rig.stored) == 1, "the picture itself passed by unasked"


async def test_a_mention_in_a_caption_brings_the_picture(api, rig):
    api.push_photo(42, b"x", caption="@piyao_bot 看", chat_id=GROUP)
    got = await rig.hears()
    assert (got.mentioned, got.files) == (True, ("a1",))


async def test_talk_in_a_group_without_us_is_no_mention(api, rig):
    api.push_text(42, "@piyao_bot_2 早上好 a@piyao", GROUP)
    got = await rig.hears()
    assert not got.mentioned
    assert got.in_group


async def test_an_answer_to_our_message_is_addressed_but_does_not_quote_us(api, rig):
    await rig.send("云江-0312 已有辟谣", str(GROUP))
    api.push_text(42, "不是同一件事", GROUP, reply_to=api.messages[0])
    got = await rig.hears()
    assert (got.mentioned, got.quoted) == (True, "")


async def test_joining_a_group_is_told_once_with_the_person(api, rig):
    update = api.push_joined(42, GROUP)
    got = await rig.hears()
    assert (got.kind, got.chat, got.external) == ("joined", str(GROUP), "42")
    assert got.message_id == f"j:{GROUP}:{update['update_id']}"


@pytest.mark.parametrize(
    "more",
    [
        {"sticker": {"file_id": "s", "file_unique_id": "s", "type": "regular", "width": 9,
                     "height": 9, "is_animated": False, "is_video": False}},
        {"location": {"latitude": 29.5, "longitude": 107.4}},
        {"contact": {"phone_number": "13800138000", "first_name": "a"}},
        {"dice": {"emoji": "x", "value": 3}},
    ],
)  # fmt: skip
async def test_what_is_neither_text_nor_file_comes_empty_and_is_answered(api, rig, more):
    private, who = {"id": 42, "type": "private"}, {"id": 42, "is_bot": False, "first_name": "a"}
    api.push(message={"message_id": 7, "date": 1, "chat": private, "from": who} | more)
    got = await rig.hears()
    assert (got.kind, got.text, got.files) == ("text", "", ())
    group = {"id": GROUP, "type": "supergroup", "title": "g"}
    api.push(message={"message_id": 8, "date": 1, "chat": group, "from": who} | more)
    await rig.hears()
    assert list(rig.stored.values()) == [got], "silence in groups"


async def test_what_nobody_needs_is_confirmed_and_forgotten(api, rig):
    me, who = {"user": api.me}, {"id": 42, "is_bot": False, "first_name": "a"}
    private = {"id": 42, "type": "private"}
    blocked = {
        "old_chat_member": me | {"status": "member"},
        "new_chat_member": me | {"status": "left"},
    }
    api.push(my_chat_member={"chat": private, "from": who, "date": 1} | blocked)
    api.push(something_new_of_2027={"a": 1})
    api.push(message={"junk": True})
    api.push(message="junk")
    base = {"message_id": 5, "date": 1, "chat": {"id": GROUP, "type": "supergroup", "title": "g"}}
    api.push(message=base | {"from": who, "new_chat_title": "t"})
    api.push(message=base | {"from": who, "sender_chat": base["chat"], "text": "匿名管理员"})
    api.push(channel_post=base | {"text": "x"})
    assert await rig.hears() is None
    assert api.updates == []
