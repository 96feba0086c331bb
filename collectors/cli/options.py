"""Options of a source of network devices read over SSH: whom to ask, as whom, how patiently."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar, Literal

import msgspec

from collectors import contract
from collectors.cli.platforms import ALIASES, AUTO, PLATFORMS

_ALGORITHM = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._-]{2,63}")
_USER = re.compile(r"[^\s\x00-\x1f-][^\x00-\x1f]{0,127}")
_PORT = 22


class Target(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One device: ``address`` as in ``Options.targets``; ``platform`` "" = that of the source."""

    address: str
    platform: str = ""


class Login(contract.Options, kw_only=True):
    """One way to log in: ``user`` with a password, or a private key in ``key_file``. ``enable_ref``: the
    secret of the privileged level, where the account starts below it and may not see the configuration."""

    user: str = ""
    password_ref: str = ""
    key_file: str = ""
    key_passphrase_ref: str = ""
    enable_ref: str = ""

    def check(self) -> None:
        """Raises ValueError where something is missing."""
        if not self.user:
            raise ValueError("缺少 user")
        if not _USER.fullmatch(self.user):
            raise ValueError("user 里有不能用的字符")
        if bool(self.password_ref) == bool(self.key_file):
            raise ValueError("password_ref 和 key_file 写一个")
        if self.key_passphrase_ref and not self.key_file:
            raise ValueError("key_passphrase_ref 是 key_file 的口令，要和它一起写")


class Options(Login, kw_only=True):
    """``targets``: "host", "host:port", "[v6]:port" or a ``Target``. With ``recording`` they are those of the
    recording, and none given means all. Times in seconds.

    One login stands in the fields of ``Login``, or several, tried in this order, in ``credentials``.
    ``known_hosts`` "" = the user's own file. ``insecure``: take any host key; the devices then say so.
    ``client: openssh`` runs the ``ssh`` program, with the algorithms of ``legacy`` besides its own."""

    PATHS: ClassVar[tuple[str, ...]] = ("recording", "known_hosts", "key_file")

    targets: list[str | Target] = msgspec.field(default_factory=list)
    platform: str = AUTO
    credentials: list[Login] = msgspec.field(default_factory=list)
    known_hosts: str = ""
    insecure: bool = False
    client: Literal["paramiko", "openssh"] = "paramiko"
    legacy: list[str] = msgspec.field(default_factory=list)
    recording: str = ""
    concurrency: int = 8
    connect_seconds: float = 15.0
    command_seconds: float = 60.0
    device_seconds: float = 180.0
    retries: int = 1
    output_mib: float = 8.0

    @property
    def logins(self) -> list[Login]:
        """All logins, in the order they are to be tried."""
        return self.credentials or [self]

    @property
    def devices(self) -> list[Target]:
        """All targets, each with its platform."""
        found = [Target(address=t) if isinstance(t, str) else t for t in self.targets]
        return [Target(address=t.address, platform=t.platform or self.platform) for t in found]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.recording and not self.targets:
            raise ValueError("targets 是空的：至少写一台设备的地址")
        addresses = [target.address for target in self.devices]
        for address in addresses:
            split_address(address)
        if len(set(addresses)) != len(addresses):
            raise ValueError("targets 里有重复的设备")
        for name in {self.platform, *(target.platform for target in self.devices)}:
            if name != AUTO and name not in PLATFORMS and name not in ALIASES:
                known = "、".join((AUTO, *PLATFORMS))
                raise ValueError(f"不认识的 platform {name}，可以写：{known}")
        numbers = ("concurrency", "connect_seconds", "command_seconds", "device_seconds", "output_mib")
        for name in numbers:
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} 要大于 0")
        if self.retries < 0:
            raise ValueError("retries 不能小于 0")
        self._check_client()
        self._check_logins()

    def _check_client(self) -> None:
        if self.legacy and self.client != "openssh":
            raise ValueError("legacy 里的旧算法只有 client: openssh 会用")
        for name in self.legacy:
            if not _ALGORITHM.fullmatch(name):
                raise ValueError("legacy 写算法名，例如 diffie-hellman-group1-sha1、ssh-rsa、3des-cbc")
        if self.client == "openssh" and any(login.key_passphrase_ref for login in self.logins):
            raise ValueError("client: openssh 不支持带口令的私钥（key_passphrase_ref）")

    def _check_logins(self) -> None:
        own = (self.user, self.password_ref, self.key_file, self.key_passphrase_ref, self.enable_ref)
        if self.credentials and any(own):
            raise ValueError("写了 credentials，就不要再写 user、password_ref、key_file：都放进 credentials")
        if self.recording:
            return
        for position, login in enumerate(self.logins, start=1):
            where = f"credentials 第 {position} 组：" if self.credentials else ""
            try:
                login.check()
            except ValueError as error:
                raise ValueError(f"{where}{error}") from None
            if where and login.key_file and not Path(login.key_file).expanduser().is_absolute():
                raise ValueError(f"{where}key_file 要写绝对路径")


def split_address(text: str) -> tuple[str, int]:
    """Host and port of "host", "host:port", "v6" or "[v6]:port". Raises ValueError."""
    host, port = text, ""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"地址 {text} 写错了：IPv6 加端口写成 [地址]:端口")
        port = rest[1:]
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    number = int(port) if port.isascii() and port.isdecimal() else 0 if port else _PORT
    if not host or not 0 < number < 65536 or any(c.isspace() or c == "/" for c in host) or host[0] == "-":
        raise ValueError(f"地址 {text} 写错了：写成 主机、主机:端口 或 [IPv6]:端口")
    return host, number
