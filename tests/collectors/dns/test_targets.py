"""Names and servers as people write them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from collectors import dns
from collectors.contract import SourceError
from collectors.dns.targets import ascii_name, names_in, names_of, server_of, system_resolvers


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("WWW.Example.GOV.cn.", "www.example.gov.cn"),
        ("政务.中国", "xn--zfr164b.xn--fiqs8s"),
        ("政务。中国", "xn--zfr164b.xn--fiqs8s"),
        ("_dmarc.example.cn", "_dmarc.example.cn"),
        (".", ""),
    ],
)
def test_names_become_a_labels(written: str, name: str) -> None:
    assert ascii_name(written) == name


@pytest.mark.parametrize(
    "written",
    [
        "https://www.example.cn/", "a b.cn", "a..cn", "x" * 64 + ".cn", "-a.cn", "10.0.0.1", "a\x00b.cn",
        "a\nb.cn", ".".join(["abcdefgh"] * 40), "user@example.cn", "2001:db8::1",
    ],
)  # fmt: skip
def test_what_is_no_name_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"域名|地址"):
        ascii_name(written)


def test_names_come_once_and_in_order() -> None:
    assert names_of(["b.cn", "a.cn", "B.cn."]) == ["b.cn", "a.cn"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_files_of_any_usual_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "names.txt"
    path.write_bytes("# 门户网站\r\nwww.example.cn\r\n\r\n政务.中国  # 主站\r\n".encode(encoding))
    assert names_in(path) == ["www.example.cn", "xn--zfr164b.xn--fiqs8s"]


def test_a_bad_line_of_a_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("www.example.cn\nhttp://a.cn/\n", encoding="utf-8")
    with pytest.raises(SourceError, match="第 2 行"):
        names_in(path)
    path.write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(SourceError, match="没有名字"):
        names_in(path)
    with pytest.raises(SourceError, match="读不出"):
        names_in(tmp_path / "absent")


@pytest.mark.parametrize(
    ("written", "server"),
    [
        ("192.0.2.1", "192.0.2.1"), ("192.0.2.1:53", "192.0.2.1"), ("192.0.2.1:5353", "192.0.2.1#5353"),
        ("2001:DB8::1", "2001:db8::1"), ("[2001:db8::1]:5353", "2001:db8::1#5353"),
    ],
)  # fmt: skip
def test_servers(written: str, server: str) -> None:
    assert server_of(written) == server


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"names": ["http://a.cn"]},
        {"names": ["a.cn"], "resolvers": ["dns.example.cn"]},
        {"names": ["a.cn"], "resolvers": ["192.0.2.1:99999"]},
        {"names": ["a.cn"], "trust_anchors": [". 1 13 2 nothex"]},
        {"names": ["a.cn"], "families": []},
        {"names": ["a.cn"], "families": ["ipv4", "ipv4"]},
        {"names": ["a.cn"], "lookups": 0},
        {"names": ["a.cn"], "retries": -1},
        {"names": ["a.cn"], "servers": {"b c": ["192.0.2.1"]}},
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(options, dns.Options)


def test_the_resolvers_of_this_machine(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text("search a.cn\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\nnameserver x\n")
    assert system_resolvers(path) == ["192.0.2.1", "fe80::1"]
    with pytest.raises(SourceError, match="没有配置域名服务器"):
        system_resolvers(tmp_path / "absent")
