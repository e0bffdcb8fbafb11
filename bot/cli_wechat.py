"""``piyao wechat``: menu, cover and invitations of the official accounts."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from bot.tell import ERR, OUT, run_to_end, sentence, settings_or_exit
from config.settings import Settings
from matrix.core.errors import DeliveryError

wechat = typer.Typer(help="公众号：菜单、封面、扫码绑定。", no_args_is_help=True)


@wechat.command(name="menu", help="给每个公众号建菜单：我要报、查辟谣、我的。")
def wechat_menu() -> None:
    """Make the menus."""
    from bot.official import make_menus

    async def main() -> None:
        made = await make_menus(settings_or_exit())
        for name, fault in made:
            key = "menu_failed" if fault else "menu_made"
            OUT.print(sentence("cli", key, name=name, detail=fault))
        if not made or any(fault for _, fault in made):
            raise typer.Exit(1)

    run_to_end(main())


@wechat.command(name="cover", help="上传自动发文用的封面，打印它的编号。")
def wechat_cover(
    picture: Annotated[Path, typer.Argument(help="图片文件", exists=True, dir_okay=False)],
    name: Annotated[str, typer.Option("--account", help="公众号的 name")],
) -> None:
    """Upload a cover."""
    from bot.official import upload_cover

    async def main() -> None:
        settings = settings_or_exit()
        _known(settings, name)
        with _api_faults():
            media = await upload_cover(settings, name, picture)
            OUT.print(sentence("cli", "cover_made", name=media))

    run_to_end(main())


@wechat.command(name="invite", help="给一个人发邀请，并生成扫码即绑定的二维码内容。")
def wechat_invite(
    person: Annotated[str, typer.Argument(help="姓名或编号")],
    name: Annotated[str, typer.Option("--account", help="公众号的 name")],
) -> None:
    """An invitation to scan."""
    from bot.administration import invite_person
    from bot.official import scene

    async def main() -> None:
        settings = settings_or_exit()
        _known(settings, name)
        code = await invite_person(settings, person)
        if code is None:
            ERR.print(sentence("cli", "no_such_person", name=person))
            raise typer.Exit(1)
        OUT.print(sentence("cli", "invited", name=person, code=code))
        with _api_faults():
            OUT.print(sentence("cli", "scene_made", address=await scene(settings, name, code)))

    run_to_end(main())


def _known(settings: Settings, name: str) -> None:
    if name not in {one.name for one in settings.wechat_accounts}:
        ERR.print(sentence("cli", "no_such_account", name=name))
        raise typer.Exit(1)


@contextlib.contextmanager
def _api_faults() -> Iterator[None]:
    try:
        yield
    except DeliveryError as error:
        said = getattr(error, "said", "")
        ERR.print(sentence("cli", "wechat_failed", detail=f"{error.code} {said}".strip()))
        raise typer.Exit(1) from None
