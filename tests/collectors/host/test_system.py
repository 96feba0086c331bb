from __future__ import annotations

import pytest

from collectors.host.reader import Refusal
from collectors.host.system import host_id, os_release, processor, virtualization
from inventory.unknown import UNKNOWN


@pytest.mark.parametrize(
    ("name", "os_id", "os_origin", "cpu_origin", "cpus"),
    [
        ("debian-12", "debian", "foreign", "foreign", 2),
        ("openeuler-22.03", "openeuler", "domestic", "domestic", 2),
        ("kylin-v10-user", "kylin", "domestic", "domestic", 2),
        ("uos-20", "uos", "domestic", "domestic", 1),
        ("anolis-8-user", "anolis", "domestic", "domestic", 1),
        ("centos-7", "centos", "foreign", "foreign", 2),
    ],
)
def test_origins(machine, name: str, os_id: str, os_origin: str, cpu_origin: str, cpus: int) -> None:
    host = machine(name)["host"].resources[0]
    assert (host.os_id, host.os_origin, host.cpu_origin, host.cpus) == (os_id, os_origin, cpu_origin, cpus)


def test_arm_without_lscpu_is_told_by_implementer() -> None:
    text = b"processor\t: 0\nCPU implementer\t: %b\nCPU part\t: 0xd01\n"
    assert processor(text % b"0x48", b"", "aarch64")["cpu_origin"] == "domestic"
    assert processor(text % b"0x41", b"", "aarch64")["cpu_origin"] == "unidentified"
    assert processor(b"", b"", "aarch64")["cpu_origin"] is UNKNOWN
    assert processor(b"", b"", "loongarch64")["cpu_origin"] == "domestic"


def test_os_release_quoting_and_junk() -> None:
    text = b'ID=uos\nPRETTY_NAME="a \\"b\\""\nNAME=\'c d\'\n2X=bad\nnothing\nBROKEN="x\n'
    assert os_release(text) == {"ID": "uos", "PRETTY_NAME": 'a "b"', "NAME": "c d", "BROKEN": "x"}
    assert os_release('NAME="统信操作系统"\n'.encode("gbk"))["NAME"] == "统信操作系统"


def test_host_id_is_stable_and_does_not_show_the_machine_id() -> None:
    mid = b"0123456789abcdef0123456789abcdef\n"
    assert host_id(mid, "a") == host_id(mid, "b") == "1209150195bd"
    assert host_id(b"uninitialized\n", "web-1") == "web-1"
    assert host_id(Refusal.NOT_FOUND, "web/1 x") == "web_1_x"
    assert host_id(b"0" * 32, "") == "localhost"


@pytest.mark.parametrize(
    ("files", "commands", "expected"),
    [
        ({}, {"systemd-detect-virt": [1, "none\n"]}, None),
        ({}, {"systemd-detect-virt": [0, "docker\n"]}, "container"),
        ({"/.dockerenv": ""}, {}, "container"),
        ({"/sys/class/dmi/id/sys_vendor": "QEMU\n", "/sys/class/dmi/id/product_name": "x\n"}, {}, "qemu"),
        ({"/proc/cpuinfo": "flags\t: fpu hypervisor\n"}, {}, "vm"),
        ({"/proc/cpuinfo": "flags\t: fpu\n", "/sys/class/dmi/id/sys_vendor": "Inspur\n"}, {}, None),
        ({"/proc/cpuinfo": "flags\t: fpu\n"}, {}, UNKNOWN),
        ({}, {}, UNKNOWN),
    ],
)
def test_virtualization(notebook, files: dict, commands: dict, expected: object) -> None:
    book = notebook(files, commands=commands)
    cpuinfo = files.get("/proc/cpuinfo", "").encode()
    found = virtualization(book, cpuinfo)
    same = found is expected or (found is not UNKNOWN and expected is not UNKNOWN and found == expected)
    assert same, found


@pytest.mark.parametrize(
    "name", ["debian-12", "openeuler-22.03", "kylin-v10-user", "uos-20", "anolis-8-user", "centos-7"]
)
def test_every_complete_collection_shows_its_evidence_and_labels(machine, name: str) -> None:
    for batch in machine(name).values():
        (collection,) = batch.collections
        assert collection.evidence == [e.id for e in batch.evidence]
        assert collection.evidence
        assert all(r.labels == {"zone": "公用网络区"} for r in batch.resources)


def test_same_machine_gives_the_same_evidence(machine) -> None:
    first, second = machine("openeuler-22.03"), machine("openeuler-22.03")
    assert [e.id for b in first.values() for e in b.evidence] == [
        e.id for b in second.values() for e in b.evidence
    ]
