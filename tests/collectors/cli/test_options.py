"""Options that are wrong say so at once."""

from __future__ import annotations

import msgspec
import pytest

from collectors.cli.options import Options, Target, split_address

LOGIN = {"user": "u", "password_ref": "env:P"}


def made(**options: object) -> Options:
    return msgspec.convert({"targets": ["10.0.0.1"], **LOGIN, **options}, Options)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"targets": []}, "targets"),
        ({"targets": ["10.0.0.1", {"address": "10.0.0.1"}]}, "重复"),
        ({"targets": ["10.0.0.1:99999"]}, "写错了"),
        ({"targets": ["-oProxyCommand=x"]}, "写错了"),
        ({"targets": ["a b"]}, "写错了"),
        ({"platform": "windows"}, "不认识的 platform"),
        ({"targets": [{"address": "a", "platform": "x"}]}, "不认识的 platform"),
        ({"password_ref": ""}, "写一个"),
        ({"key_file": "/k"}, "写一个"),
        ({"user": ""}, "缺少 user"),
        ({"user": "-oProxyCommand=x"}, "不能用的字符"),
        ({"password_ref": "", "key_passphrase_ref": "env:X"}, "写一个"),
        ({"key_passphrase_ref": "env:X"}, "key_passphrase_ref"),
        ({"legacy": ["ssh-rsa"]}, "openssh"),
        ({"client": "openssh", "legacy": ["ssh-rsa -oProxyCommand=x"]}, "算法名"),
        ({"credentials": [LOGIN]}, "都放进 credentials"),
        ({"concurrency": 0}, "大于 0"),
        ({"retries": -1}, "retries"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, object], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says):
        made(**options)


def test_each_device_has_its_platform_and_logins_are_in_order() -> None:
    options = msgspec.convert(
        {
            "targets": ["10.0.0.1", {"address": "[2001:db8::1]:2222", "platform": "h3c"}],
            "platform": "huawei",
            "credentials": [LOGIN, {"user": "v", "key_file": "/keys/v", "enable_ref": "env:E"}],
        },
        Options,
    )
    assert options.devices == [
        Target(address="10.0.0.1", platform="huawei"),
        Target(address="[2001:db8::1]:2222", platform="h3c"),
    ]
    assert [login.user for login in options.logins] == ["u", "v"]
    with pytest.raises(msgspec.ValidationError, match="第 2 组：key_file 要写绝对路径"):
        msgspec.convert(
            {"targets": ["a"], "credentials": [LOGIN, {"user": "v", "key_file": "keys/v"}]}, Options
        )


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("sw1", ("sw1", 22)),
        ("10.0.0.1:830", ("10.0.0.1", 830)),
        ("2001:db8::1", ("2001:db8::1", 22)),
        ("[2001:db8::1]", ("2001:db8::1", 22)),
        ("[2001:db8::1]:2222", ("2001:db8::1", 2222)),
    ],
)
def test_addresses(text: str, where: tuple[str, int]) -> None:
    assert split_address(text) == where
