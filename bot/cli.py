"""The command ``piyao``."""

import json
import logging
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.assembly import register_handlers
from bot.cli_wechat import wechat
from bot.tell import ERR, OUT, run_to_end, sentence, settings_or_exit
from config.settings import Settings
from matrix.matching.caution import Caution

app = typer.Typer(help="辟谣矩阵：区县联合辟谣平台。", no_args_is_help=True, add_completion=False)
app.add_typer(wechat, name="wechat")


@app.command(help="启动服务，并打印网址。")
def run(
    roles: Annotated[
        str, typer.Option(help="只做其中几样：web、chat、clock、worker，用逗号隔开；缺省全做")
    ] = "",
) -> None:
    """Run until a signal."""
    from bot.serve import serve

    def ready(address: str, probes: str, settings: Settings) -> None:
        key = "ready_demo" if settings.demonstration else "ready"
        if settings.split:
            key = "ready_split" if address else "ready_inside"
        shown = "、".join(sorted(settings.roles))
        OUT.print(sentence("cli", key, address=address, roles=shown))
        OUT.print(sentence("cli", "probes", address=probes))

    run_to_end(serve(settings_or_exit(**({"PIYAO_ROLES": roles} if roles else {})), ready))


@app.command(help="在终端里以某人的身份聊天。")
def terminal(
    name: Annotated[str, typer.Option("--as", help="人名")],
) -> None:
    """Chat as a person, with numbered replies."""
    from bot.terminal import talk

    run_to_end(talk(settings_or_exit(), name, OUT))


@app.command(help="讲一个完整的故事：从线索到更正，一分钟以内，用临时数据库。")
def demo() -> None:
    """The whole story in the terminal, as each role sees it."""
    from bot.demo import tell

    logging.disable(logging.CRITICAL)
    run_to_end(tell(OUT))


@app.command(help="建一个空的区，并打印首位管理员的邀请码。")
def init(
    district: Annotated[str, typer.Option(help="区的简称，例如：云江")],
    admin: Annotated[str, typer.Option(help="首位管理员的姓名")],
) -> None:
    """An empty district."""
    from bot.administration import initialise

    async def main() -> None:
        code = await initialise(settings_or_exit(), district, admin)
        OUT.print(sentence("cli", "initialised", name=admin, code=code))

    run_to_end(main())


@app.command(help="给一个人发一次性邀请码。")
def invite(name: Annotated[str, typer.Argument(help="姓名或编号")]) -> None:
    """A one-time invitation."""
    from bot.administration import invite_person

    async def main() -> None:
        code = await invite_person(settings_or_exit(), name)
        if code is None:
            ERR.print(sentence("cli", "no_such_person", name=name))
            raise typer.Exit(1)
        OUT.print(sentence("cli", "invited", name=name, code=code))

    run_to_end(main())


@app.command(help="把数据库升级到最新结构。")
def migrate() -> None:
    """Migrate."""
    from storage.migrate import upgrade

    settings = settings_or_exit()
    settings.data.mkdir(parents=True, exist_ok=True)
    upgrade(settings.url)
    OUT.print(sentence("cli", "migrated"))


@app.command(help="检查配置、数据库和各平台。")
def doctor() -> None:
    """What is wrong, and what to do."""
    from bot.administration import examine

    async def main() -> None:
        faults = await examine(settings_or_exit())
        for key, detail in faults:
            OUT.print(f"· {sentence('doctor', key, detail=detail)}")
        if any(key.startswith("bad_") for key, _ in faults):
            raise typer.Exit(1)
        OUT.print(sentence("doctor", "done"))

    run_to_end(main())


@app.command(name="import", help="导入表格（CSV、XLSX、JSONL），先显示差异。")
def import_(
    paths: Annotated[
        list[Path], typer.Argument(help="文件或文件夹；写 wecom 则从企业微信通讯录导入")
    ],
    table: Annotated[str, typer.Option(help="表名，缺省取文件名")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="不再询问")] = False,
) -> None:
    """Import tables."""
    from bot.administration import import_corporation, import_tables

    code = 0

    async def main() -> None:
        nonlocal code
        if [str(path) for path in paths] == ["wecom"]:
            code = await import_corporation(
                settings_or_exit(), lambda text: yes or typer.confirm(text), OUT.print
            )
            return
        code = await import_tables(
            settings_or_exit(),
            paths,
            table or None,
            lambda text: yes or typer.confirm(text),
            OUT.print,
        )

    run_to_end(main())
    raise typer.Exit(code)


@app.command(help="导出一张表。")
def export(
    table: Annotated[
        str,
        typer.Argument(
            help="areas、calendars、days、units、places、topics、people、posts、shifts、accounts、"
            "bulletins、links"
        ),
    ],
    path: Annotated[Path, typer.Argument(help="目标文件：.csv、.xlsx 或 .jsonl")],
) -> None:
    """Export a table."""
    from bot.administration import export_one

    async def main() -> None:
        count = await export_one(settings_or_exit(), table, path)
        OUT.print(sentence("cli", "exported", count=count, path=path))

    run_to_end(main())


@app.command(
    help="批量比对：已辟谣条目 × 线索 → 判断与理由；或用 --explain 说明一条线索是怎样判断的。"
)
def match(
    library: Annotated[Path | None, typer.Option(help="JSONL：id、title、rebuttal")] = None,
    leads: Annotated[Path | None, typer.Option(help="JSONL：id、text")] = None,
    output: Annotated[Path | None, typer.Option(help="结果 JSONL")] = None,
    level: Annotated[
        Caution, typer.Option(envvar="PIYAO_MATCH_LEVEL", help="机器自己答复的把握")
    ] = Caution.STANDARD,
    explain: Annotated[str, typer.Option(help="线索编号，例如 1109-07")] = "",
) -> None:
    """Match in batch, by the same code as the chat; or tell how a lead was judged."""
    register_handlers()
    if explain:
        _explain(explain)
        return
    if library is None or leads is None or output is None:
        ERR.print(sentence("cli", "match_needs_files"))
        raise typer.Exit(2)
    from bot.tables.match_batch import FaultyRowsError, run_match

    def words(reason: Any) -> str:
        return sentence("reason", reason.kind.value, left=reason.query, right=reason.claim)

    try:
        count = run_match(library, leads, output, words, level)
    except FaultyRowsError as error:
        for path, line, kind in error.faults:
            ERR.print(sentence("cli", "row_fault", path=path, line=line, kind=kind))
        raise typer.Exit(1) from None
    OUT.print(sentence("cli", "matched", count=count, path=output))


def _explain(lead: str) -> None:
    from bot.administration import explain

    async def main() -> None:
        rows = await explain(settings_or_exit(), lead)
        if not rows:
            ERR.print(sentence("cli", "nothing_to_explain", lead=lead))
            raise typer.Exit(1)
        for row in rows:
            reasons = [
                sentence("reason", kind, left=left, right=right)
                for kind, left, right in json.loads(row["reasons"])
            ]
            OUT.print(sentence("cli", "explained", **{**row, "reasons": "；".join(reasons)}))

    run_to_end(main())


clocks = typer.Typer(help="时限：先算一遍再启用；与经过记录核对。", no_args_is_help=True)
app.add_typer(clocks, name="clocks")


@clocks.command(help="打印一件案子的全部时限：每一步从何时到何时、按谁的作息、何时提醒谁。")
def simulate(
    grade: Annotated[str, typer.Option(help="等级：红、橙、黄、蓝")],
    start: Annotated[str, typer.Option("--from", help='首报时间，例如 "2026-02-13 17:30"')],
    unit: Annotated[str, typer.Option(help="主办单位：全称、简称或代码")],
) -> None:
    """The whole timeline of a case."""
    from bot import clock_report
    from bot.administration import read_district

    async def main() -> None:
        async with read_district(settings_or_exit()) as (_, directory):
            lines = clock_report.simulate(
                directory, clock_report.parse_grade(grade), clock_report.parse_time(start),
                clock_report.find_unit(directory, unit), sentence,
            )  # fmt: skip
            for line in lines:
                OUT.print(line)

    try:
        run_to_end(main())
    except clock_report.Unusable as fault:
        ERR.print(sentence("clocks", fault.key, value=fault.value))
        if fault.near:
            ERR.print(sentence("clocks", "near_unit", units="、".join(fault.near)))
        raise typer.Exit(2) from None


@clocks.command(help="从经过记录重算每一个时限，与库里的逐项比较。")
def replay() -> None:
    """Whether the log gives every stored clock."""
    from bot import clock_report
    from bot.administration import read_district

    async def main() -> None:
        async with read_district(settings_or_exit()) as (work, _):
            count, differing = await clock_report.compare(work)
        for one, names in differing.values():
            stage = sentence("stage", f"stage_{one.stage.value.replace('-', '_')}")
            OUT.print(
                sentence(
                    "clocks", "differs", id=one.id, subject=one.subject, stage=stage,
                    fields="、".join(names),
                )
            )  # fmt: skip
        if differing:
            ERR.print(sentence("clocks", "differing", count=count, bad=len(differing)))
            raise typer.Exit(1)
        OUT.print(sentence("clocks", "replayed", count=count))

    run_to_end(main())


def main() -> None:
    """Entry point: refuse rivals of our package names before anything else."""
    from bot.rivals import rivals

    for name, distribution in rivals():
        sys.stderr.write(
            f"{name}：另一个软件包 {distribution} 占用了这个名字，请使用独立的虚拟环境。\n"
        )
        raise SystemExit(2)
    app()
