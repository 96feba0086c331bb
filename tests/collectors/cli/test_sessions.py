"""Sessions with a command line that answers as VRP and Comware do, on a real pseudo-terminal."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from collectors.cli.platforms import PLATFORMS, detected, platform_of, refusal_of
from collectors.cli.sessions import CutShortError, ForbiddenError, Session, decoded
from collectors.contract import SourceError

DATA = Path(__file__).parents[2] / "data" / "cli"
Talk = Callable[..., Session]
Device = Callable[..., Path]
Typed = Callable[[Path], list[str]]

CONFIGURATION_WORDS = re.compile(
    r"(?<!\S)(?:system-view|configure|conf|config|commit|undo|no|delete|del|save|write|reset|reboot|reload|clear|copy"
    r"|format|rollback|restore|install|upgrade|load|erase|start|shutdown|debug|debugging|ping|telnet|stelnet)(?!\S)"
)


@pytest.mark.parametrize("name", PLATFORMS)
def test_the_table_only_shows(name: str) -> None:
    for command in PLATFORMS[name].commands:
        bare = command.text.removeprefix("vtysh -c '").removesuffix("'")
        assert bare.startswith(("display ", "show ")), bare
        assert not CONFIGURATION_WORDS.search(bare), bare
        assert not re.search(r"[;|&<>`$\n]", bare), bare
    assert PLATFORMS[name].leave in ("quit", "exit")


def test_paging_is_switched_off_for_the_session_alone() -> None:
    known = {
        "screen-length 0 temporary",
        "screen-length disable",
        "terminal length 0",
        "set cli screen-length 0",
        "set cli screen-width 0",
    }
    assert {command for platform in PLATFORMS.values() for command in platform.paging} == known


FORBIDDEN = (
    "system-view|save|display current-configuration\nsave|display version |y|Y|undo telnet|reset".split("|")
)


def test_nothing_else_can_be_sent(talk: Talk, device: Device, typed: Typed) -> None:
    folder = device()
    session = talk(folder)
    before = typed(folder)
    for line in FORBIDDEN:
        with pytest.raises(ForbiddenError):
            session.ask(line)
    with pytest.raises(ForbiddenError):
        session.wire.answer_secret("a-secret")  # nobody asked for one
    time.sleep(0.05)
    assert typed(folder) == before


def test_a_session_asks_and_the_answer_is_what_the_device_showed(talk: Talk, device: Device) -> None:
    session = talk(device())
    assert session.prompt == "<CORE-SW1>"
    for name in ("display version", "display current-configuration", "display interface"):
        shown = (DATA / "vrp" / f"{name.replace(' ', '_')}.txt").read_text(encoding="utf-8").rstrip("\n")
        assert decoded(session.ask(name)) == shown


@pytest.mark.parametrize("name", ["vrp", "comware"])
def test_a_pager_is_answered_where_it_cannot_be_switched_off(name: str, talk: Talk, device: Device) -> None:
    folder = device(name)
    session = talk(folder, "no-paging", platform="huawei_vrp" if name == "vrp" else "hp_comware")
    shown = (folder / "display_current-configuration.txt").read_text(encoding="utf-8").rstrip("\n")
    assert shown.count("\n") > 48  # three pages
    assert decoded(session.ask("display current-configuration")) == shown


def test_a_question_is_answered_no_and_a_banner_is_no_prompt(
    talk: Talk, device: Device, typed: Typed
) -> None:
    folder = device()
    session = talk(folder, "question")
    assert typed(folder)[0] == "N"
    assert "VRP (R)" in session.ask("display version")


def test_a_line_that_reads_like_the_prompt_is_not_the_end(talk: Talk, device: Device) -> None:
    folder = device()
    shown = 'sysname CORE-SW1\nheader login information "\n<CORE-SW1>\n"\nreturn'
    (folder / "display_current-configuration.txt").write_text(shown, encoding="utf-8")
    assert decoded(talk(folder).ask("display current-configuration")) == shown


def test_a_forced_password_change_ends_it_with_a_remedy(talk: Talk, device: Device) -> None:
    with pytest.raises(SourceError, match="先修改口令"):
        talk(device(), "force")


def test_a_device_that_never_prompts_ends_in_time(talk: Talk, device: Device) -> None:
    with pytest.raises(SourceError, match="没有等到提示符"):
        talk(device(), "silent", connect_seconds=0.8)


@pytest.mark.parametrize(("name", "platform"), [("vrp", "huawei_vrp"), ("comware", "hp_comware")])
def test_the_platform_is_found_out(name: str, platform: str, talk: Talk, device: Device) -> None:
    assert talk(device(name), platform="auto").platform.name == platform


def test_gbk_is_read(talk: Talk, device: Device) -> None:
    session = talk(device(), "gbk")
    text = decoded(session.ask("display current-configuration"))
    assert " description 管理网" in text.split("\n")


def test_endless_output_is_cut_and_says_so(talk: Talk, device: Device) -> None:
    session = talk(device(), "endless", output_mib=0.05)
    with pytest.raises(CutShortError, match="MiB") as cut:
        session.ask("display current-configuration")
    assert "sysname CORE-SW1" in cut.value.partial
    assert cut.value.lost


def test_a_reboot_in_the_middle_is_told_with_what_came(talk: Talk, device: Device) -> None:
    session = talk(device(), "reboot")
    with pytest.raises(CutShortError, match="中断") as cut:
        session.ask("display current-configuration")
    assert "sysname CORE-SW1" in cut.value.partial
    assert "user-interface vty" not in cut.value.partial


def test_a_device_that_stops_talking_is_left(talk: Talk, device: Device) -> None:
    session = talk(device(), "stall", command_seconds=0.6)
    with pytest.raises(CutShortError, match="没有答完"):
        session.ask("display current-configuration")


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        ("                ^\nError: Unrecognized command found at '^' position.", "unsupported"),
        (" % Unrecognized command found at '^' position.", "unsupported"),
        ("% Invalid input detected at '^' marker.", "unsupported"),
        ("Error: You do not have permission to run the command or the command is incomplete.", "denied"),
        ("Permission denied.", "denied"),
        ("% Permission denied for the role", "denied"),
        ("error: permission denied", "denied"),
        ("% User doesn't have sufficient privilege to execute this command", "denied"),
        ("unknown command.", "unsupported"),
        ("bash: vtysh: command not found", "unsupported"),
        ("sysname A\n#\nreturn", None),
        ("", None),
        ("\n".join(["% text"] * 20), None),
        ("header login information\npermission denied to all\n#\nsysname A\nreturn", None),
    ],
)
def test_refusals_are_told_from_answers(answer: str, refusal: str | None) -> None:
    assert refusal_of(answer) == refusal


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("H3C Comware Software, Version 7.1.070, Release 6126P20", "hp_comware"),
        ("Huawei Versatile Routing Platform Software", "huawei_vrp"),
        ("Cisco IOS Software, C2960 Software", "cisco_ios"),
        ("Cisco Nexus Operating System (NX-OS) Software", "cisco_nxos"),
        ("System software version : S6220_RGOS 11.0(5)B1", "ruijie_os"),
        ("ZXR10 5960 Software, Version: V3.00", "zte_zxros"),
        ("FRRouting 8.4.4 (r1) on Linux(6.1).", "frr"),
        ("Junos: 18.4R2-S3", "juniper_junos"),
    ],
)
def test_versions_tell_the_platform(text: str, platform: str) -> None:
    found = detected("show version", text)
    assert found is not None
    assert found.name == platform
    assert detected("show version", "Linux") is None


def test_names_of_netmiko_are_known() -> None:
    from netmiko.ssh_dispatcher import CLASS_MAPPER

    assert {platform.driver for platform in PLATFORMS.values()} <= set(CLASS_MAPPER)
    assert set(PLATFORMS) - set(CLASS_MAPPER) == {"frr", "frr_linux"}
    assert platform_of("huawei").name == "huawei_vrp"
