"""What endpoints of SSH and IPsec add to a bill of cryptography (``exporters.cbom``)."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from exporters.plain import line
from inventory.kinds.crypto import Endpoint, IkeEndpoint, IkeVersion, KeyGroup, SshEndpoint, SshHostKey
from inventory.unknown import Unknown, known, or_none
from policies.grades import of_ike, of_key, of_protocol, of_ssh

if TYPE_CHECKING:
    from exporters.cbom import Bill

_PRIMITIVE_OF_GROUP: Final = {"dh": "key-agree", "ec": "key-agree", "pq": "combiner"}


def ssh_endpoint(bill: Bill, endpoint: SshEndpoint) -> None:
    """The versions that a server speaks, what it offers in them, and its host keys."""
    lists = (
        (endpoint.key_exchanges, lambda _: "key-agree"),
        (endpoint.host_key_algorithms, lambda _: "signature"),
        (endpoint.ciphers, ssh_cipher),
        (endpoint.macs, lambda _: "mac"),
    )
    refs = [
        bill.algorithm(line(name), primitive(name), grade=of_ssh(name))
        for names, primitive in lists
        for name in or_none(names) or []
    ]
    uses = []
    for version, spoken in (("1", endpoint.version1), ("2.0", endpoint.version2)):
        if or_none(spoken):
            offered = refs if version == "2.0" else []
            uses.append(_protocol(bill, endpoint.uid, f"SSH {version}", "ssh", version, offered))
    keys = or_none(endpoint.host_keys) or []
    uses += [_host_key(bill, endpoint, key) for key in keys]
    whole = known(endpoint.ssh) and known(endpoint.host_keys) and all(known(names) for names, _ in lists)
    whole = whole and all(known(key.key_bits) for key in keys)
    bill.user(endpoint, uses, whole=whole, uri=uri("ssh", endpoint), ssh=_word(endpoint.ssh))


def _host_key(bill: Bill, endpoint: SshEndpoint, key: SshHostKey) -> str:
    names = or_none(key.algorithms) or ["?"]
    kind, bits, print_ = or_none(key.key_type), or_none(key.key_bits), or_none(key.fingerprint)
    name = "-".join(str(part) for part in (kind or names[0], bits) if part)
    algorithm = bill.algorithm(
        line(name),
        "pke" if kind == "RSA" else "signature",
        grade=of_key(kind, bits) if kind and bits else None,
        parameterSetIdentifier=str(bits) if bits else None,
    )
    told: dict[str, Any] = {"type": "public-key", "algorithmRef": algorithm}
    told |= {"size": bits} if bits else {}
    told |= {"id": line(print_)} if print_ else {}
    crypto = {"assetType": "related-crypto-material", "relatedCryptoMaterialProperties": told}
    # the same key on two machines is one component in two places: so it is found out
    ref = f"ssh-host-key/{print_}" if print_ else f"{endpoint.uid}#{names[0]}"
    return bill.asset(ref, f"{name} SSH 主机密钥", crypto, at=endpoint.uid)


def ike_endpoint(bill: Bill, endpoint: IkeEndpoint) -> None:
    """The versions of IKE that a gateway accepts, with what it took in some proposal."""
    uses = []
    versions = or_none(endpoint.versions) or []
    for version in versions:
        if or_none(version.offered) and known(version.version):
            refs = [*_accepted(bill, version)]
            uses.append(
                _protocol(bill, endpoint.uid, str(version.version), "ike", str(version.version)[-1], refs)
            )
    whole = known(endpoint.versions) and all(known(version.asked_all) for version in versions)
    bill.user(endpoint, uses, whole=whole, uri=uri("ike", endpoint))


def _accepted(bill: Bill, version: IkeVersion) -> Iterable[str]:
    for name in or_none(version.encryptions) or []:
        sort = "ae" if any(mode in name for mode in ("GCM", "CCM", "POLY1305")) else "block-cipher"
        yield bill.algorithm(line(name), sort, grade=of_ike(name))
    for names, sort in ((version.hashes, "hash"), (version.integrities, "mac")):
        for name in or_none(names) or []:
            yield bill.algorithm(line(name), sort, grade=of_ike(name))
    for group in or_none(version.groups) or []:
        yield key_group(bill, group)


def _protocol(bill: Bill, uid: str, name: str, kind: str, version: str, refs: list[str]) -> str:
    told: dict[str, Any] = {"type": kind, "version": version}
    told |= {"cryptoRefArray": list(dict.fromkeys(refs))} if refs else {}
    crypto = {"assetType": "protocol", "protocolProperties": told}
    return bill.asset(f"{uid}#{name}", name, crypto, at=uid, grade=of_protocol(name))


def key_group(bill: Bill, group: KeyGroup) -> str:
    """A group of a key exchange; its reference."""
    name = or_none(group.name) or "?"
    family, bits = or_none(group.family), or_none(group.bits)
    kind = "SM2" if name == "curveSM2" else {"dh": "DH", "ec": "EC"}.get(family or "", "")
    return bill.algorithm(
        line(name),
        _PRIMITIVE_OF_GROUP.get(family or "", "unknown"),
        grade=of_key(kind, bits) if kind and bits else None,
        parameterSetIdentifier=str(bits) if bits else None,
        curve=name if family == "ec" else None,
    )


def ssh_cipher(name: str) -> str:
    """The CycloneDX primitive of a cipher of SSH."""
    if "gcm" in name or "poly1305" in name:
        return "ae"
    return "stream-cipher" if name.startswith("arcfour") else "block-cipher"


def uri(scheme: str, endpoint: Endpoint | SshEndpoint | IkeEndpoint) -> str:
    """Where an endpoint is; "" where that was not seen. IPv6 in full: readers of CycloneDX refuse ``::``."""
    address = or_none(endpoint.address)
    if not address or not known(endpoint.port):
        return ""
    host = f"[{ip_address(address).exploded}]" if ":" in address else address
    return f"{scheme}://{host}:{endpoint.port}"


def _word(value: bool | Unknown) -> str:
    return "unknown" if isinstance(value, Unknown) else str(value).lower()
