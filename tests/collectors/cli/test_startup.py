"""The running configuration beside the saved one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from collectors.cli.platforms import PLATFORMS
from collectors.cli.reading import Reading, ask_all
from collectors.cli.sessions import Session
from collectors.cli.startup import compared
from inventory.coverage import Status
from inventory.unknown import UNKNOWN, Maybe

SHOWN = "display_current-configuration.txt"
SAVED = "display_saved-configuration.txt"
IOS = "version 15.2\nhostname a\n!\nenable secret 5 $1$abcd$one\nend\n"


@pytest.mark.parametrize(
    ("running", "saved", "expected", "told"),
    [
        (IOS, IOS, True, ""),
        (
            f"Building configuration...\n\nCurrent configuration : 90 bytes\n! changed at 1\n{IOS}",
            f"Using 80 out of 65536 bytes\n{IOS}",
            True,
            "",
        ),
        (IOS.replace("hostname a", "hostname b"), IOS, False, "- hostname a\n+ hostname b"),
        (IOS.replace("$one", "$two"), IOS, UNKNOWN, ""),  # a secret, perhaps only encrypted anew
        ("version 15.2\nip a\nip b\nend\n", "version 15.2\nip b\nip a\nend\n", UNKNOWN, ""),
        (IOS, "startup-config is not present\n", UNKNOWN, ""),
        (IOS, IOS.replace("end\n", ""), UNKNOWN, ""),
        (IOS, "", UNKNOWN, ""),
        (
            "crypto pki certificate chain a\n certificate self-signed 01\n  30820229 30820192\n  \tquit\nend\n",
            "crypto pki certificate chain a\n certificate self-signed 01 nvram:IOS-Self-Sig#1.cer\nend\n",
            True,
            "",
        ),
    ],
)
def test_compared(running: str, saved: str, expected: Maybe[bool], told: str) -> None:
    assert compared(PLATFORMS["cisco_ios"], running, saved) == (expected, told)


def test_a_secret_that_differs_is_not_told() -> None:
    same, told = compared(
        PLATFORMS["huawei_vrp"],
        "sysname a\nsuper password cipher Planted-1\ninterface Vlanif10\nreturn\n",
        "sysname a\nsuper password cipher Planted-2\nreturn\n",
    )
    assert same is False
    assert told == "+ interface Vlanif10"


@pytest.fixture
def reading(talk: Callable[..., Session], device: Callable[..., Path]) -> Callable[..., Reading]:
    def work(change: Callable[[str], str] | None, *faults: str) -> Reading:
        folder = device("vrp")
        if change is not None:
            (folder / SAVED).write_text(change((folder / SHOWN).read_text(encoding="utf-8")))
        found = Reading(target="core", platform="huawei_vrp")
        ask_all(talk(folder, *faults), found)
        assert found.config is not None
        return found

    return work


def test_a_switch_tells_whether_it_is_saved(reading: Callable[..., Reading]) -> None:
    found = reading(lambda text: text)
    assert found.config.saved is True  # type: ignore[union-attr]
    assert found.answer("saved").text == ""  # type: ignore[union-attr]


def test_what_is_not_saved_is_evidence(reading: Callable[..., Reading]) -> None:
    found = reading(lambda text: text.replace("vlan batch 10", "vlan batch 10 20"))
    assert found.config.saved is False  # type: ignore[union-attr]
    assert found.answer("saved").text == "- vlan batch 10 20\n+ vlan batch 10"  # type: ignore[union-attr]


def test_a_switch_that_does_not_show_it(reading: Callable[..., Reading]) -> None:
    found = reading(None)
    assert found.config.saved is UNKNOWN  # type: ignore[union-attr]
    assert found.answer("saved").status is Status.UNSUPPORTED  # type: ignore[union-attr]
