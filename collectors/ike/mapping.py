"""From what an IKE responder answered to its resource. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from collectors.endpoints import shown
from collectors.ike import codes
from collectors.ike.questions import Seen, Told
from inventory.kinds.crypto import IkeEndpoint, IkeVersion, KeyGroup
from inventory.unknown import UNKNOWN

WHY: Final[dict[str, tuple[str, str]]] = {
    "silent": (
        "没有应答：可能没有 IPsec，也可能只应答认识的对端，或被防火墙丢弃，分不清",
        "在防火墙和 VPN 设备上放行采集机的 UDP 500、4500，或在设备上查看配置，人工确认",
    ),
    "refused": ("端口没有监听（ICMP 不可达）", "检查地址和端口；没有 IPsec 的，从 targets 里去掉"),
    "unreachable": ("发不出去", "检查网络和地址"),
    "late": ("问完之前超过了 endpoint_seconds", "调大 endpoint_seconds 或 questions_per_second"),
    "unanswered": (
        "有的提议没有得到应答，是否接受分不清",
        "调小 questions_per_second，检查对端的半开连接限制，或在设备上查看配置",
    ),
}
"""Why something was not seen, and what helps."""


class Answered(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One address: the answers by question, and what ended the asking, a key of ``WHY``."""

    address: str
    told: dict[str, list[str]] = msgspec.field(default_factory=dict)
    ended: str = ""


class Target(msgspec.Struct, kw_only=True, omit_defaults=True):
    """All that was heard of one target: each of its addresses, or why there is none."""

    answers: list[Answered] = msgspec.field(default_factory=list)
    reason: str = ""
    remedy: str = ""


def endpoint(
    seen: Seen, ended: str, address: str, port: int, *, source: str, scope: str, labels: dict[str, str]
) -> tuple[IkeEndpoint | None, list[str]]:
    """The resource, None where nothing answered, and what was not seen of it: keys of ``WHY``."""
    if not seen.v1.answered and not seen.v2.answered:
        return None, [ended or "silent"]
    versions = [_version1(seen.v1), _version2(seen.v2)]
    why = [ended] if ended else []
    if not ended and not all(told.whole for told in (seen.v1, seen.v2)):
        why.append("unanswered")
    method = seen.aggressive
    return IkeEndpoint(
        source=source,
        native_id=shown(address, port),
        scope=scope,
        name=shown(address, port),
        labels=dict(labels),
        address=address,
        family="ipv6" if ":" in address else "ipv4",
        port=port,
        versions=versions,
        aggressive=UNKNOWN if method is None else method != 0,
        aggressive_authentication=UNKNOWN if method is None else _method(method, 0) if method else None,
        vendor_ids=[_vendor(v) for v in seen.vendors],
    ), why


def _version1(told: Told) -> IkeVersion:
    ciphers = codes.V1_CIPHERS + codes.V1_DOMESTIC_CIPHERS
    return _version(
        "IKEv1",
        told,
        encryptions=[
            codes.cipher_name(ciphers, code, 0 if code in _FIXED else bits) for code, bits in told.ciphers
        ],
        hashes=_names(told.hashes, codes.V1_HASHES),
        authentications=[_method(*one) for one in told.methods],
    )


def _version2(told: Told) -> IkeVersion:
    return _version(
        "IKEv2",
        told,
        encryptions=[codes.cipher_name(codes.V2_CIPHERS, *one) for one in told.ciphers],
        hashes=_names(told.hashes, codes.V2_PRFS),
        integrities=_names(told.integrities, codes.V2_INTEGRITIES),
    )


_FIXED: Final = tuple(
    c.code for c in codes.V1_DOMESTIC_CIPHERS
)  # some answer with their 128 bits, some without


def _version(
    version: str,
    told: Told,
    *,
    encryptions: list[str],
    hashes: list[str],
    integrities: list[str] | None = None,
    authentications: list[str] | None = None,
) -> IkeVersion:
    if not told.answered and told.offered is not False:
        return IkeVersion(version=version)  # type: ignore[arg-type]
    return IkeVersion(
        version=version,  # type: ignore[arg-type]
        offered=UNKNOWN if told.offered is None else told.offered,
        encryptions=list(dict.fromkeys(encryptions)),
        hashes=hashes,
        integrities=integrities or [],
        groups=[_group(code) for code in told.groups],
        authentications=authentications or [],
        asked_all=True if told.whole else UNKNOWN,
    )


def _group(code: int) -> KeyGroup:
    known = codes.GROUPS.get(code)
    if known is None:
        return KeyGroup(name=str(code))
    return KeyGroup(name=known.name, family=known.family, bits=known.bits)


def _names(found: Iterable[int], names: dict[int, str]) -> list[str]:
    return [names.get(code, str(code)) for code in found]


def _method(code: int, asymmetric: int) -> str:
    name = codes.V1_METHODS.get(code, str(code))
    if code != codes.ENVELOPE:
        return name
    return f"{codes.ASYMMETRIC.get(asymmetric, str(asymmetric))}-{name}"


def _vendor(hexadecimal: str) -> str:
    name = next((n for begin, n in codes.VENDORS.items() if hexadecimal.startswith(begin)), "")
    return name or hexadecimal[:64]
