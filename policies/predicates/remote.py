"""Whether a device's management can be reached from outside: by a policy of its firewall, by an interface in
an untrusted zone, or by a public address whose logins no list restricts."""

from __future__ import annotations

from datetime import datetime

from inventory.kinds.device_config import DeviceConfig, SecurityPolicy
from inventory.unknown import known, or_none
from policies.predicates.contract import Predicate, UndecidedError, seen


def management_from_outside(config: DeviceConfig, now: datetime) -> bool:
    """Whether such a way is open. That none is, is told of a whole configuration alone."""
    policies = config.policies if known(config.policies) else []
    if any(_opens(policy) for policy in policies):
        return True
    outside = seen(config.outside)
    if or_none(outside.interface_services) is True:
        return True
    if seen(config.complete) is False:
        raise UndecidedError("配置没有读全，没看到的地方可能开着入口")
    if seen(outside.people):
        raise UndecidedError("配了给人用的 VPN 接入，是不是用来远程运维，设备上看不出")
    if seen(config.policies):
        return _firewall_open(config, policies) or seen(outside.interface_services)
    return _open_to_public(config) if seen(outside.global_address) else False


def _opens(policy: SecurityPolicy) -> bool:
    """Whether a rule surely does."""
    states = (policy.permits, policy.enabled, policy.opens_management)
    return all(or_none(state) is True for state in states) and or_none(policy.narrowed) is not True


def _firewall_open(config: DeviceConfig, policies: list[SecurityPolicy]) -> bool:
    if seen(config.policy_default_permits):
        return True
    for policy in policies:
        if policy.permits is not False and policy.enabled is not False and seen(policy.opens_management):
            raise UndecidedError("放行管理的策略还有别的条件（时间、VPN），是不是开着看不出")
    return False


def _open_to_public(config: DeviceConfig) -> bool:
    """A device with a public address: is a login open to any address."""
    lists = [
        acl for row in seen(config.terminals) if seen(row.remote) for acl in (row.acl_ipv4, row.acl_ipv6)
    ]
    if any(known(acl) and acl is None for acl in lists):
        return True
    web = seen(config.web)
    if or_none(web.http) is True or or_none(web.https) is True or seen(web.http) or seen(web.https):
        lists += [web.acl_ipv4, web.acl_ipv6]
    if any(known(acl) and acl is None for acl in lists):
        return True
    return any(seen(acl) is None for acl in lists)


PREDICATES = (
    Predicate(
        name="management_from_outside",
        kinds=(DeviceConfig,),
        reads=("outside", "policies", "policy_default_permits", "terminals", "web", "complete"),
        call=management_from_outside,
        purpose="从不信任的网络或公网能连到设备自己的管理服务；整份配置里没有这样的入口才算没有",
    ),
)
