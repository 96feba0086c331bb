"""Load balancers and their listeners."""

from __future__ import annotations

from typing import Any

import msgspec

from collectors.openstack import load_balancer
from collectors.openstack.listing import Place
from inventory.kinds.virtual_network import BalancerListener, LoadBalancer

PLACE = Place(source="zw", labels={}, clean=lambda value: value)
KEYS = "http://127.0.0.1:25006/v1/containers"


def listener(**fields: Any) -> BalancerListener:
    row = {"id": "l1", "loadbalancers": [{"id": "lb1"}], **fields}
    found, problems = load_balancer.listeners([msgspec.json.encode({"listeners": [row]})])
    assert problems == []
    return found["lb1"][0]


def balancer(heard: dict[str, list[BalancerListener]] | None, **fields: Any) -> LoadBalancer:
    page = msgspec.json.encode({"loadbalancers": [{"id": "lb1", "name": "门户", **fields}]})
    (found,) = load_balancer.load_balancers([page], heard, PLACE).resources
    assert isinstance(found, LoadBalancer)
    return found


def test_no_list_of_allowed_prefixes_is_everybody_and_a_missing_one_is_unknown() -> None:
    assert listener(allowed_cidrs=None).allowed_prefixes is None
    assert listener(allowed_cidrs=[]).allowed_prefixes is None
    assert listener(allowed_cidrs=["10.0.0.0/8", "::/0"]).allowed_prefixes == ["10.0.0.0/8", "::/0"]
    assert repr(listener().allowed_prefixes) == "UNKNOWN"


def test_a_listener_names_its_certificates_by_id_and_never_by_content() -> None:
    one = listener(
        protocol="TERMINATED_HTTPS",
        protocol_port=443,
        default_tls_container_ref=f"{KEYS}/c-1",
        sni_container_refs=[f"{KEYS}/c-3/", f"{KEYS}/c-2"],
        client_ca_tls_container_ref=f"{KEYS}/c-4",
        client_authentication="MANDATORY",
        tls_versions=["TLSv1.3", "TLSv1.2"],
        tls_ciphers="TLS_AES_256_GCM_SHA384",
        insert_headers={"X-Forwarded-For": "true", "X-Forwarded-Port": "true"},
    )
    assert one.certificates == ["c-1", "c-2", "c-3", "c-4"]
    assert one.tls_versions == ["TLSv1.2", "TLSv1.3"]
    assert (one.port, one.client_authentication) == (443, "MANDATORY")
    assert one.insert_headers == ["X-Forwarded-For", "X-Forwarded-Port"]
    assert listener(default_tls_container_ref=None, sni_container_refs=[]).certificates == []


def test_certificates_that_listeners_refer_to_are_told_to_who_lists_secrets() -> None:
    rows = [
        {"id": "a", "default_tls_container_ref": f"{KEYS}/c-1"},
        {"id": "b", "default_tls_container_ref": None, "sni_container_refs": [f"{KEYS}/c-2"]},
    ]
    assert load_balancer.certificates([msgspec.json.encode({"listeners": rows})]) == {"c-1", "c-2"}


def test_a_balancer_with_both_families_and_its_listeners() -> None:
    heard = {"lb1": [BalancerListener(id="l1", protocol="HTTP", port=80)]}
    one = balancer(
        heard,
        project_id="p1",
        operating_status="ONLINE",
        provisioning_status="ACTIVE",
        vip_address="198.18.0.9",
        vip_subnet_id="s4",
        vip_network_id="n1",
        vip_port_id="port1",
        additional_vips=[{"subnet_id": "s6", "ip_address": "2001:db8::9"}],
        pools=[{"id": "a"}, {"id": "b"}],
    )
    addresses = [(a.family, a.address) for a in one.addresses]  # type: ignore[union-attr]
    assert addresses == [("ipv4", "198.18.0.9"), ("ipv6", "2001:db8::9")]
    assert one.listeners == heard["lb1"]
    assert one.pools == 2
    assert [r.target for r in one.relations] == ["zw/port/port1", "zw/network/n1", "zw/project/p1"]


def test_a_balancer_without_listeners_is_not_one_whose_listeners_nobody_saw() -> None:
    assert balancer({}).listeners == []
    assert repr(balancer(None).listeners) == "UNKNOWN"
    assert repr(balancer({}).addresses) == repr(balancer({}).pools) == "UNKNOWN"


def test_an_odd_listener_is_told() -> None:
    page = msgspec.json.encode({"listeners": [{"id": "l1", "protocol_port": "https"}]})
    found, problems = load_balancer.listeners([page])
    assert found == {}
    assert len(problems) == 1
    assert problems[0].startswith("l1：")
