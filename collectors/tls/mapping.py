"""From what was seen of an endpoint to its resources, and to how much of it was seen."""

from __future__ import annotations

from typing import Final

import msgspec

from collectors.tls.certificates import certificate, fields_of, fingerprint
from collectors.tls.codes import WIRE, group_of, scheme_name, suite_name
from collectors.tls.peer import Talk
from collectors.tls.questions import Seen, VersionSeen
from collectors.tls.trust import Trust, matches
from inventory.kinds.crypto import Certificate, Endpoint, KeyGroup, Presented, VersionOffer
from inventory.resource import Relation, uid_of
from inventory.unknown import UNKNOWN, Maybe

WHY: Final[dict[str, tuple[str, str]]] = {
    "refused": ("端口没有监听，或被防火墙拒绝", "检查地址和端口；服务已下线的，从 targets 里去掉"),
    "unreachable": ("连接不上", "检查网络、地址和防火墙"),
    "silent": ("没有在时限内应答", "检查网络和负载，或调大 timeout_seconds"),
    "too_long": ("应答超过 256 KiB，没有读完", "检查该端口上是什么服务"),
    "throttled": ("问到后来不再应答，拒绝与限速分不清", "调小 connections_per_second，或在对端放行采集机"),
    "name": ("对端不接受所问的名字", "用 server_name 写对端实际的域名"),
    "nonsense": ("应答自相矛盾", "检查该端口前面的设备"),
    "tlcp_alert": ("用 TLCP 的报文拒绝了握手，有没有国密套件分不清", "用支持国密的客户端连接，人工确认"),
    "late": ("问完之前超过了 endpoint_seconds", "调大 endpoint_seconds"),
    "hung_up": ("建立连接后不应答就断开，是不是 TLS 分不清", "检查该端口是什么服务，前面有没有拦截的设备"),
    "no_tls": ("明文阶段之后没有进入 TLS", "检查 starttls 写的协议"),
}
SM_HIDDEN: Final = (
    "只支持国密套件的 TLS 1.3（RFC 8998）：证书在握手中是加密的，本机密码库不能完成握手，证书未知",
    "用支持国密的客户端查看证书，人工确认",
)
CHAIN_HIDDEN: Final = ("握手没有完成，看不到证书", "检查对端是否要求客户端证书，或只支持很旧的算法")


class Whole(msgspec.Struct, kw_only=True):
    """One address, with everything that was learnt of it. ``why`` holds keys of ``WHY``."""

    address: str
    port: int
    server_name: str
    starttls: str
    seen: Seen
    chains: list[Shown] = msgspec.field(default_factory=list)
    talk: Talk | None = None
    asked_http: bool = False
    offered_no_tls: bool = False  # the plain dialogue said that there is none

    @property
    def native_id(self) -> str:
        """address:port, and /name where one was asked for."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}" + (f"/{self.server_name}" if self.server_name else "")

    @property
    def empty(self) -> bool:
        """Nothing at all was learnt."""
        return self.tls is None and not any(v.offered is not None for v in self.seen.versions.values())

    @property
    def tls(self) -> bool | None:
        """Whether TLS or TLCP is spoken; None = could not be told."""
        if self.offered_no_tls or self.seen.not_tls:
            return False
        if self.seen.alerted or any(v.offered for v in self.seen.versions.values()):
            return True
        return None

    @property
    def certificates_whole(self) -> bool:
        """Whether each family of protocols that is spoken showed its certificates."""
        if self.tls is not True:
            return self.tls is False
        uses = {shown.use for shown in self.chains}
        tls = any(self.seen.offers(v) for v in WIRE if v != "TLCP 1.1")
        sm_only = self.seen.only_sm and not uses & {"tls"}
        needs_tls = tls and not sm_only and not _only_without_certificate(self.seen)
        if sm_only or (needs_tls and "tls" not in uses):
            return False
        told = all(v.offered is not None for v in self.seen.versions.values())
        return told and not (self.seen.versions["TLCP 1.1"].suites and "tlcp_sign" not in uses)


class Shown(msgspec.Struct, kw_only=True):
    """One chain in DER; ``use`` as in the kind ``Presented``. ``whole`` False = only the leaf is known."""

    use: str
    chain: list[bytes]
    whole: bool = True
    trust: Trust = Trust(None)


def chains_of(seen: Seen, talk: Talk | None) -> list[Shown]:
    """Chains, each leaf once. In TLCP the first two certificates are the pair: to sign, and to encrypt
    (GB/T 38636, 6.4.5.3)."""
    found: dict[tuple[str, bytes], Shown] = {}

    def add(use: str, chain: list[bytes], *, whole: bool = True) -> None:
        key = (use, chain[0])
        held = found.get(key)
        if held is None or (whole and len(chain) > len(held.chain)):
            found[key] = Shown(use=use, chain=chain, whole=whole)

    for version, _, chain in seen.chains:
        if version != "TLCP 1.1":
            add("tls", chain)
        elif len(chain) > 1 and fields_of(chain[1]).get("authority") is not True:
            add("tlcp_sign", [chain[0], *chain[2:]])
            add("tlcp_encrypt", chain[1:])
        else:
            add("tlcp_sign", chain)
    if talk is not None:
        add("tls", talk.chain, whole=talk.whole)
    return list(found.values())


def resources(
    one: Whole, *, source: str, scope: str, labels: dict[str, str]
) -> tuple[Endpoint, list[Certificate]]:
    """The endpoint, and every certificate of its chains."""
    held: dict[str, Certificate] = {}
    for shown in one.chains:
        for position, der in enumerate(shown.chain):
            id_ = _certificate_id(one, der)
            if id_ not in held or position < _position(held[id_]):
                held[id_] = certificate(der, source=source, scope=scope, native_id=id_, position=position)
                held[id_].labels = dict(labels)
    asked = one.server_name or one.address
    certificates = [_presented(one, shown, asked) for shown in one.chains]
    seen, tls = one.seen, one.tls
    endpoint = Endpoint(
        source=source,
        native_id=one.native_id,
        scope=scope,
        name=one.native_id,
        labels=dict(labels),
        relations=[
            Relation("terminates_tls", uid_of(source, "certificate", _certificate_id(one, leaf)))
            for leaf in dict.fromkeys(shown.chain[0] for shown in one.chains)
        ],
        address=one.address,
        family="ipv6" if ":" in one.address else "ipv4",
        port=one.port,
        server_name=one.server_name or None,
        starttls=one.starttls or None,
        tls=UNKNOWN if tls is None else tls,
        versions=[_version(version, state, spoken=tls) for version, state in seen.versions.items()],
        groups=_groups(seen, spoken=tls),
        signature_schemes=_schemes(seen, spoken=tls),
        certificates=certificates if one.certificates_whole else UNKNOWN,
        http=one.talk.http if one.asked_http and one.talk and one.talk.spoke else UNKNOWN,
    )
    return endpoint, list(held.values())


def _certificate_id(one: Whole, der: bytes) -> str:
    return f"{one.native_id}/{fingerprint(der)[:16]}"


def _position(held: Certificate) -> int:
    return held.position if isinstance(held.position, int) else 0


def _version(version: str, state: VersionSeen, *, spoken: bool | None) -> VersionOffer:
    offered: Maybe[bool] = UNKNOWN if state.offered is None else state.offered
    if spoken is False:
        return VersionOffer(version=version, offered=False, suites=[], all_suites=True, preference=None)  # type: ignore[arg-type]
    known = state.whole and state.offered is not None
    return VersionOffer(
        version=version,  # type: ignore[arg-type]
        offered=offered,
        suites=[suite_name(code) for code in state.suites] if known or state.suites else UNKNOWN,
        all_suites=True if known else UNKNOWN,
        preference=state.preference or (None if known and len(state.suites) < 2 else UNKNOWN),  # type: ignore[arg-type]
    )


def _groups(seen: Seen, *, spoken: bool | None) -> Maybe[list[KeyGroup]]:
    found = [group_of(code) for code in seen.groups]
    found += [KeyGroup(name=f"dh{bits}", family="dh", bits=bits) for bits in sorted(seen.dh_bits)]
    whole = seen.groups_whole and all(v.whole for v in seen.versions.values())
    return found if spoken is False or whole else UNKNOWN


def _schemes(seen: Seen, *, spoken: bool | None) -> Maybe[list[str]]:
    if spoken is False:
        return []
    whole = seen.schemes_whole and seen.schemes
    return [scheme_name(code) for code in seen.schemes] if whole else UNKNOWN


def _presented(one: Whole, shown: Shown, asked: str) -> Presented:
    fields = fields_of(shown.chain[0])
    names = fields.get("names")
    told = shown.trust.trusted if shown.whole or shown.trust.trusted else None
    return Presented(
        certificate=_certificate_id(one, shown.chain[0]),
        use=shown.use,  # type: ignore[arg-type]
        length=len(shown.chain) if shown.whole else UNKNOWN,
        trusted=UNKNOWN if told is None else told,
        problem=UNKNOWN if told is None else (shown.trust.problem or None),
        name_matches=UNKNOWN if names is None else matches(asked, names),
    )


def _only_without_certificate(seen: Seen) -> bool:
    """Whether all suites are those in which a server shows no certificate."""
    suites = [suite_name(c) for v in WIRE if v != "TLCP 1.1" for c in seen.versions[v].suites]
    bare = ("_anon_", "TLS_PSK", "TLS_DHE_PSK", "TLS_ECDHE_PSK", "TLS_SRP_SHA_WITH", "KRB5")
    return bool(suites) and all(any(mark in name for mark in bare) for name in suites)
