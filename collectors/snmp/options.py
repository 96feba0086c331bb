"""Options of a source of SNMP devices: whom to ask, with which logins, how patiently."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from collectors import contract
from collectors.snmp.engines import Authentication, EngineName, Privacy, Version, split_target


class Login(contract.Options, kw_only=True):
    """One way to log in. v1 and v2c need ``community_ref``; v3 needs ``user``, and each algorithm its
    secret."""

    version: Version = "v2c"
    community_ref: str = ""
    user: str = ""
    authentication: Authentication = "none"
    authentication_ref: str = ""
    privacy: Privacy = "none"
    privacy_ref: str = ""

    def check_levels(self) -> None:
        """Raises ValueError for privacy without authentication (RFC 3411 §3.4.3 knows no such level)."""
        if self.privacy != "none" and self.authentication == "none":
            raise ValueError("SNMPv3 加密（privacy）需要先有认证（authentication）")

    def check(self) -> None:
        """Raises ValueError where something is missing."""
        self.check_levels()
        if self.version != "v3":
            if not self.community_ref:
                raise ValueError(f"{self.version} 需要 community_ref")
            if self.user or self.authentication_ref or self.privacy_ref:
                raise ValueError(f"{self.version} 没有 user、authentication_ref 和 privacy_ref")
            return
        if not self.user:
            raise ValueError("v3 需要 user")
        if (self.authentication != "none") != bool(self.authentication_ref):
            raise ValueError("authentication（例如 SHA256）和 authentication_ref 要一起写")
        if (self.privacy != "none") != bool(self.privacy_ref):
            raise ValueError("privacy（例如 AES128）和 privacy_ref 要一起写")


class Options(Login, kw_only=True):
    """``targets``: "host", "host:port" or "[v6]:port". With ``recording`` (a folder of .snmprec or
    .snmprec.gz files, or one file) they are names of files without the ending, and none given means all
    files; a target without a file has not answered. Times in seconds.

    One login stands in the fields of ``Login``, or several, tried in this order, in ``credentials``.
    ``try_defaults``: also ask each device with the communities that everybody knows."""

    PATHS: ClassVar[tuple[str, ...]] = ("recording",)

    targets: list[str] = msgspec.field(default_factory=list)
    credentials: list[Login] = msgspec.field(default_factory=list)
    try_defaults: bool = False
    engine: EngineName = "auto"
    recording: str = ""
    timeout_seconds: float = 2.0
    retries: int = 2
    concurrency: int = 16
    max_repetitions: int = 50
    device_seconds: float = 60.0
    table_seconds: float = 30.0

    @property
    def logins(self) -> list[Login]:
        """All logins, in the order they are to be tried."""
        return self.credentials or [self]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.recording:
            if not self.targets:
                raise ValueError("targets 是空的：至少写一台设备的地址")
            for target in self.targets:
                split_target(target)
        if len(set(self.targets)) != len(self.targets):
            raise ValueError("targets 里有重复的设备")
        if self.recording and any("/" in target or target.startswith(".") for target in self.targets):
            raise ValueError("使用录制时 targets 写文件名（不带目录和后缀）")
        for name in ("timeout_seconds", "concurrency", "max_repetitions", "device_seconds", "table_seconds"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} 要大于 0")
        if self.retries < 0:
            raise ValueError("retries 不能小于 0")
        self._check_logins()

    def _check_logins(self) -> None:
        if self.credentials and any((self.community_ref, self.user, self.version != "v2c")):
            raise ValueError("写了 credentials，就不要再写 version、community_ref、user：都放进 credentials")
        if self.recording:
            self.check_levels()
            return
        for position, login in enumerate(self.logins, start=1):
            try:
                login.check()
            except ValueError as error:
                where = f"credentials 第 {position} 组：" if self.credentials else ""
                raise ValueError(f"{where}{error}") from None
