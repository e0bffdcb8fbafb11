"""Reads departments and members for the import. Source: path/90208, 90201, 90216, 90213."""

from typing import Any

from bot.wechat.client import Api
from handlers.importing.corporation import Department, Member


async def read_directory(api: Api) -> tuple[list[Department], list[Member]]:
    """Everything that the secret may see. Raises ApiError."""
    said = await api.call(lambda c: c.get("department/list"), repeatable=True)
    departments = [
        Department(
            id=int(one["id"]), name=str(one.get("name") or one["id"]),
            parent=int(one.get("parentid") or 0),
        )
        for one in said["department"]
    ]  # fmt: skip
    tags = await _tags(api)
    members: dict[str, Member] = {}
    for department in departments:
        for one in await _members_of(api, department.id):
            userid = str(one["userid"])
            ids = [int(n) for n in one.get("department") or [department.id]]
            flags = one.get("is_leader_in_dept") or [0] * len(ids)
            led = frozenset(n for n, flag in zip(ids, flags, strict=False) if flag)
            members[userid] = Member(
                userid=userid, name=str(one.get("name") or userid),
                position=str(one.get("position") or ""), departments=tuple(ids), leads=led,
                tags=tags.get(userid, frozenset()),
            )  # fmt: skip
    return departments, list(members.values())


async def _members_of(api: Api, department: int) -> list[dict[str, Any]]:
    params = {"department_id": department}
    said = await api.call(lambda c: c.get("user/list", params=params), repeatable=True)
    rows: list[dict[str, Any]] = said["userlist"]
    return rows


async def _tags(api: Api) -> dict[str, frozenset[str]]:
    """Names of tags by member."""
    found: dict[str, set[str]] = {}
    said = await api.call(lambda c: c.get("tag/list"), repeatable=True)
    for tag in said["taglist"]:
        for one in await _tagged(api, int(tag["tagid"])):
            found.setdefault(str(one["userid"]), set()).add(str(tag["tagname"]))
    return {userid: frozenset(names) for userid, names in found.items()}


async def _tagged(api: Api, tag: int) -> list[dict[str, Any]]:
    params = {"tagid": tag}
    said = await api.call(lambda c: c.get("tag/get", params=params), repeatable=True)
    rows: list[dict[str, Any]] = said["userlist"]
    return rows
