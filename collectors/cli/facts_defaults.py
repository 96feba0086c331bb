"""What a device does where its configuration says nothing, by platform.

Only rows that were checked against the maker's public documents (``verified``) are used; the others stand
here so that it is seen what is missing, and leave the fact UNKNOWN. ``versions`` is a pattern over the
software version ("" = whatever it is); where it is given and the version was not told, nothing is known.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from inventory.unknown import UNKNOWN


class Default(msgspec.Struct, frozen=True, kw_only=True):
    """One default. ``basis`` says what it rests on."""

    platform: str
    fact: str
    value: Any
    basis: str
    versions: str = ""
    verified: bool = False


_SHOWN = "show running-config 对关闭的接口总是写出 shutdown"
DEFAULTS: tuple[Default, ...] = (
    Default(
        platform="huawei_vrp", fact="terminals.idle_seconds", value=600, verified=True,
        basis="idle-timeout 的默认值 10 分钟（Quidway 操作手册、CloudEngine 命令参考）",
    ),
    Default(
        platform="huawei_vrp", fact="lockout.attempts", value=3, versions=r"V[36]00R|V800R", verified=True,
        basis="local-aaa-user wrong-password 缺省启用，3 次、锁 5 分钟（NetEngine 命令参考）",
    ),
    Default(
        platform="huawei_vrp", fact="lockout.minutes", value=5, versions=r"V[36]00R|V800R", verified=True,
        basis="同上",
    ),
    Default(
        platform="huawei_vrp", fact="ssh.ipv4", value=False, verified=True,
        basis="STelnet 服务缺省不启用（AR、NetEngine、CloudEngine 命令参考 stelnet server enable）",
    ),
    Default(platform="huawei_vrp", fact="ssh.ipv6", value=False, verified=True, basis="同上"),
    Default(
        platform="huawei_vrp", fact="files.ftp_ipv4", value=False, verified=True,
        basis="FTP 服务缺省不启用（命令参考 ftp server enable）",
    ),
    Default(platform="huawei_vrp", fact="files.ftp_ipv6", value=False, verified=True, basis="同上"),
    Default(
        platform="hp_comware", fact="ssh.ipv4", value=False, verified=True,
        basis="Stelnet 服务器缺省关闭（H3C 配置指导 ssh server enable）",
    ),
    Default(
        platform="hp_comware", fact="logging.enabled", value=True, verified=True,
        basis="信息中心缺省开启（DISA 的 HP FlexFabric STIG 引用的说明）",
    ),
    Default(
        platform="huawei_vrp", fact="policy_stateful", value=True, verified=True,
        basis="状态检测缺省开启，关闭时写 undo firewall session link-state check（USG 用户的配置和说明）",
    ),
    Default(
        platform="hp_comware", fact="policy_stateful", value=True, verified=True,
        basis="安全策略按会话放行：首包匹配规则，后续报文按会话表（H3C 配置指导 安全策略）",
    ),
    Default(
        platform="juniper_junos", fact="policy_stateful", value=True, verified=True,
        basis="SRX 缺省按流处理，改为逐包要写 security forwarding-options family … mode packet-based",
    ),
    Default(platform="juniper_junos", fact="signatures.automatic", value=True, basis="只关闭时写：未核对"),
    Default(
        platform="huawei_vrp", fact="access_lists.default_permits", value=True, verified=True,
        basis="traffic-filter 引用的 ACL 没有规则匹配时允许通过（命令参考 traffic-filter）",
    ),
    Default(
        platform="hp_comware", fact="access_lists.default_permits", value=True, verified=True,
        basis="包过滤的缺省动作是允许，改为拒绝时写 packet-filter default deny（配置指导）",
    ),
    Default(
        platform="cisco_ios", fact="access_lists.default_permits", value=False, verified=True,
        basis="每个访问列表最后隐含 deny（IOS 命令参考 ip access-list）",
    ),
    Default(platform="ruijie_os", fact="access_lists.default_permits", value=False, basis="同 IOS，未核对"),
    Default(platform="huawei_vrp", fact="signatures.automatic", value=True, basis="因版本而异：未核对"),
    Default(platform="hp_comware", fact="signatures.automatic", value=False, basis="凭记忆，未核对"),
    Default(platform="huawei_vrp", fact="telnet.ipv4", value=False, basis="因版本而异，旧版本开启：未核对"),
    Default(platform="huawei_vrp", fact="ssh.version1", value=False, basis="旧版本接受：未核对"),
    Default(platform="huawei_vrp", fact="logging.enabled", value=True, basis="凭记忆，未核对"),
    Default(platform="huawei_vrp", fact="password_rules.min_classes", value=2, basis="缺省启用，类数未核对"),
    Default(platform="hp_comware", fact="terminals.idle_seconds", value=600, basis="凭记忆，未核对"),
    Default(platform="hp_comware", fact="password_rules.max_days", value=90, basis="凭记忆，未核对"),
    Default(platform="cisco_ios", fact="terminals.idle_seconds", value=600, basis="凭记忆，未核对"),
    Default(platform="cisco_ios", fact="logging.enabled", value=True, basis="凭记忆，未核对"),
    Default(platform="cisco_ios", fact="lockout.attempts", value=None, basis="凭记忆，未核对"),
    Default(platform="cisco_ios", fact="ssh.version1", value=True, basis="因版本而异：未核对"),
    Default(platform="juniper_junos", fact="ssh.root_login", value=True, basis="因版本而异：未核对"),
    Default(platform="frr", fact="terminals.idle_seconds", value=600, basis="凭记忆，未核对"),
    Default(platform="cisco_ios", fact="interfaces.shutdown", value=False, basis=_SHOWN, verified=True),
    Default(platform="ruijie_os", fact="interfaces.shutdown", value=False, basis=_SHOWN, verified=True),
)  # fmt: skip


def default_of(platform: str, fact: str, version: str) -> Any:
    """The verified default of a fact, else UNKNOWN."""
    for row in _BY_FACT.get((platform, fact), ()):
        if row.verified and (not row.versions or re.search(row.versions, version)):
            return row.value
    return UNKNOWN


_BY_FACT: dict[tuple[str, str], list[Default]] = {}
for _row in DEFAULTS:
    _BY_FACT.setdefault((_row.platform, _row.fact), []).append(_row)
