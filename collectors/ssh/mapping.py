"""From what an SSH server said to its resource. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from collectors.endpoints import shown
from collectors.ssh.audit import Report
from collectors.ssh.kexinit import Heard, NoSshError, Offer, offer_of
from inventory.kinds.crypto import SshEndpoint, SshHostKey
from inventory.unknown import UNKNOWN, Maybe, known

WHY: Final[dict[str, tuple[str, str]]] = {
    "refused": ("端口没有监听，或被防火墙拒绝", "检查地址和端口；服务已下线的，从 targets 里去掉"),
    "unreachable": ("连接不上", "检查网络、地址和防火墙"),
    "silent": ("没有在时限内应答", "检查网络和负载，或调大 timeout_seconds；SSH 服务应先报出自己的版本"),
    "broken": ("连接上后没有报出版本和算法就断开", "检查该端口是什么服务，是否限制了采集机的地址或连接数"),
    "garbled": ("报出的算法不成样子，读不出", "检查该端口是什么服务"),
    "no_audit": ("没有安装 ssh-audit，主机密钥的长度和指纹未知", "安装：pip install 'zhengguan[endpoints]'"),
    "not_asked": ("host_keys: false，没有取主机密钥", "在来源上写 host_keys: true"),
    "late": (
        "ssh-audit 没有在 endpoint_seconds 内完成，主机密钥未知",
        "检查对端负载，或调大 endpoint_seconds",
    ),
    "audit_failed": (
        "ssh-audit 没有给出结果，主机密钥未知",
        "在采集机上运行 ssh-audit 看它报什么；检查对端是否限制连接数",
    ),
    "keys_hidden": (
        "有的主机密钥没有取到（国密等算法 ssh-audit 不会，或对端中断了密钥交换），其长度或指纹未知",
        "在主机上用 ssh-keygen -lf 查看，人工确认",
    ),
    "primes_hidden": ("DH 组交换所用素数的长度没有取到", "检查主机上的 moduli 文件，人工确认"),
}
"""Why something was not seen, and what helps."""

_TYPES: Final = (
    ("sm2", "SM2"),
    ("ssh-ed25519", "Ed25519"),
    ("ssh-ed448", "Ed448"),
    ("ecdsa-sha2-", "EC"),
    ("rsa-sha2-", "RSA"),
    ("ssh-rsa", "RSA"),
    ("ssh-dss", "DSA"),
    ("x509v3-sign-rsa", "RSA"),
    ("x509v3-ssh-rsa", "RSA"),
    ("x509v3-rsa2048-", "RSA"),
    ("x509v3-sign-dss", "DSA"),
    ("x509v3-ssh-dss", "DSA"),
    ("x509v3-ecdsa-", "EC"),
    ("sk-ssh-ed25519", "Ed25519"),
    ("sk-ecdsa-", "EC"),
)
_VERSION2: Final = ("SSH-2.", "SSH-1.99-")
_FIXED_BITS: Final = {"SM2": 256, "Ed25519": 256, "Ed448": 456}
_CURVES: Final = {"nistp256": 256, "nistp384": 384, "nistp521": 521}
_SAME_KEY: Final = dict.fromkeys(("ssh-rsa", "rsa-sha2-256", "rsa-sha2-512"), "ssh-rsa") | {
    f"{name}-cert-v01@openssh.com": "ssh-rsa-cert-v01@openssh.com"
    for name in ("ssh-rsa", "rsa-sha2-256", "rsa-sha2-512")
}
"""RFC 8332: one RSA key signs under three names."""


class Answered(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What one address answered. ``why``: keys of ``WHY``; ``other``: something else than SSH answers."""

    address: str
    heard: Heard | None = None
    report: Report | None = None
    other: bool = False
    why: list[str] = msgspec.field(default_factory=list)


class Told(msgspec.Struct, kw_only=True, omit_defaults=True):
    """All that was heard of one target: each of its addresses, or why there is none."""

    answers: list[Answered] = msgspec.field(default_factory=list)
    reason: str = ""
    remedy: str = ""


def endpoint(
    one: Answered, *, port: int, source: str, scope: str, labels: dict[str, str]
) -> tuple[SshEndpoint | None, list[str]]:
    """The resource, None where nothing was learnt, and what was not seen of it: keys of ``WHY``."""
    made = SshEndpoint(
        source=source,
        native_id=shown(one.address, port),
        scope=scope,
        name=shown(one.address, port),
        labels=dict(labels),
        address=one.address,
        family="ipv6" if ":" in one.address else "ipv4",
        port=port,
    )
    if one.other:
        made.ssh, made.version1, made.version2, made.banner = False, False, False, None
        made.key_exchanges = made.host_key_algorithms = made.ciphers = made.macs = made.compressions = []
        made.strict_key_exchange, made.group_exchange_bits, made.host_keys = False, None, []
        return made, []
    if one.heard is None:
        return None, one.why
    why = list(one.why)
    made.ssh, made.banner = True, one.heard.version
    try:
        offer = offer_of(one.heard)
    except NoSshError:
        made.version1 = one.heard.version.startswith("SSH-1.")
        made.version2 = one.heard.version.startswith(_VERSION2)
        return made, [*why, "garbled"]
    _set_offer(made, offer)
    made.host_keys = keys = host_keys(offer.host_keys, one.report)
    made.group_exchange_bits = _primes(offer, one.report)
    if one.report is not None:
        if not all(known(key.key_bits) and (key.certificate or known(key.fingerprint)) for key in keys):
            why.append("keys_hidden")
        if not known(made.group_exchange_bits):
            why.append("primes_hidden")
    return made, why


def _set_offer(made: SshEndpoint, offer: Offer) -> None:
    made.version1 = offer.version1
    made.version2 = offer.version.startswith(_VERSION2)
    made.key_exchanges, made.host_key_algorithms = offer.key_exchanges, offer.host_keys
    made.ciphers, made.macs, made.compressions = offer.ciphers, offer.macs, offer.compressions
    made.strict_key_exchange = offer.strict


def host_keys(offered: Iterable[str], report: Report | None) -> list[SshHostKey]:
    """A key for each offered name, the names of one RSA key together. What the name does not tell and no
    exchange showed is UNKNOWN: a key that was not fetched is there all the same."""
    names: dict[str, list[str]] = {}
    for name in offered:
        names.setdefault(_SAME_KEY.get(name, name), []).append(name)
    prints = {f.hostkey: f.hash for f in report.fingerprints if f.hash_alg == "SHA256"} if report else {}
    sizes = {n.algorithm: n for n in report.key} if report else {}
    found = []
    for name, signs in names.items():
        told = max((sizes[n] for n in signs if n in sizes), key=lambda n: (n.keysize, n.casize), default=None)
        hash_ = prints.get(name)
        certified = "-cert-v0" in name or name.startswith("x509v3-")
        found.append(
            SshHostKey(
                algorithms=signs,
                key_type=key_type(name),
                key_bits=_bits(name, told.keysize if told else 0),
                fingerprint=f"SHA256:{hash_[:64]}" if hash_ and hash_.isprintable() else UNKNOWN,
                certificate=certified,
                authority_type=_authority(told.ca_algorithm if told else "", certified=certified),
                authority_bits=(told.casize if told and told.casize else UNKNOWN) if certified else None,
            )
        )
    return found


def key_type(name: str) -> Maybe[str]:
    """The type of key behind a host key algorithm's name; UNKNOWN for a name nobody here knows."""
    return next((kind for begin, kind in _TYPES if name.startswith(begin)), UNKNOWN)


def _bits(name: str, keysize: int) -> Maybe[int]:
    curve = next((bits for curve, bits in _CURVES.items() if curve in name), 0)
    kind = key_type(name)
    fixed = curve or (_FIXED_BITS.get(kind, 0) if isinstance(kind, str) else 0)
    return fixed or keysize or UNKNOWN


def _authority(algorithm: str, *, certified: bool) -> Maybe[str | None]:
    if not certified:
        return None
    return key_type(algorithm) if algorithm else UNKNOWN


def _primes(offer: Offer, report: Report | None) -> Maybe[int | None]:
    """The shortest prime of group exchange; UNKNOWN where one of its names was not tried."""
    names = [name for name in offer.key_exchanges if name.startswith("diffie-hellman-group-exchange-")]
    if not names:
        return None
    sizes = {n.algorithm: n.keysize for n in report.kex} if report else {}
    if not all(sizes.get(name) for name in names):
        return UNKNOWN
    return min(sizes[name] for name in names)
