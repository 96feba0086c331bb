"""``zhengguan discover``: which devices and hosts answer inside given prefixes, and which of them are new."""

from __future__ import annotations

import argparse
import socket
from collections.abc import Iterable, Iterator
from ipaddress import ip_address

import msgspec

from collectors.cli.options import Options as CliOptions
from collectors.cli.options import split_address
from collectors.contract import Progress, Run, Source, SourceError
from collectors.discovery import Found, Settings, discover
from collectors.discovery.probes import SnmpLogin
from collectors.discovery.scope import DEFAULT_MOST, Address, Scope, not_swept, scope_of, seeds, swept
from collectors.linux.options import Options as LinuxOptions
from collectors.linux.options import split_target as split_ssh
from collectors.snmp import heard
from collectors.snmp.engines import split_target as split_snmp
from collectors.snmp.logins import credentials_of
from collectors.snmp.options import Options as SnmpOptions
from inventory.kinds.network import Device, Interface
from inventory.snapshot import Snapshot
from inventory.store import StoreError
from inventory.unknown import Unknown
from zhengguan import console
from zhengguan.config import Config
from zhengguan.errors import Exit, UserError
from zhengguan.found_sources import fragment
from zhengguan.loop import chosen, configured, opened

_OUTSIDE_SHOWN = 20


class Row(msgspec.Struct, kw_only=True):
    """An address that answered, with what we knew of it. ``known``: the source or device it belongs to, "" =
    new; ``told_by``: the device whose neighbour it is, "" = found by the sweep."""

    found: Found
    known: str = ""
    told_by: str = ""


def run(options: argparse.Namespace) -> int:
    config = configured(options.config)
    settings = _settings(options)
    scope = _scope(options)
    snapshot = _snapshot(config) if options.neighbours else None
    told = list(neighbours(snapshot)) if snapshot else []
    if options.neighbours:
        told += _heard(config, options.source)
    inside, outside = seeds(scope, told)
    addresses = _addresses(scope, inside, options)
    logins = _logins(config, options.source)
    if not logins:
        console.warn("没有 snmp 来源可取凭据：只看 SSH。在 sources 下登记一个 snmp 来源即可一并探测 SNMP")
    known = _known(config, snapshot or _snapshot(config))
    with console.progress() as progress:
        found = sorted(
            discover(scope, addresses, logins, settings, progress), key=lambda f: _order(f.address)
        )
    rows = [
        Row(found=one, known=known.get(one.address, ""), told_by=inside.get(ip_address(one.address), ""))
        for one in found
    ]
    text = fragment([row.found for row in rows if not row.known], config.sources, settings)
    _tell(rows, {str(a): teller for a, teller in outside.items()}, text, len(addresses), options.json)
    return Exit.FINE


def _settings(options: argparse.Namespace) -> Settings:
    settings = Settings(
        rate=options.rate,
        timeout_seconds=options.timeout,
        retries=options.retries,
        snmp_port=options.snmp_port,
        ssh_port=options.ssh_port,
        ssh=not options.no_ssh,
    )
    fine = 0 < settings.rate <= 10_000 and 0 < settings.timeout_seconds <= 60 and 0 <= settings.retries <= 5
    if not fine:
        raise UserError("--rate 要在 0 和 10000 之间，--timeout 不超过 60 秒，--retries 不超过 5")
    return settings


def _scope(options: argparse.Namespace) -> Scope:
    try:
        return scope_of(options.prefix, options.exclude)
    except ValueError as error:
        raise UserError(str(error)) from error


def _addresses(scope: Scope, inside: dict[Address, str], options: argparse.Namespace) -> list[Address]:
    """The sweep and the neighbours, each address once."""
    if (ipv6 := not_swept(scope)) and not options.neighbours:
        raise UserError(
            f"IPv6 前缀 {'、'.join(ipv6)} 不逐个探测：一个 /64 有 2^64 个地址，多快也扫不完",
            remedy="加 --neighbours，只问其中已知设备报告过的邻居；或写单个地址",
        )
    try:
        sweep = swept(scope, options.max_addresses or DEFAULT_MOST)
    except ValueError as error:
        raise UserError(str(error), remedy="分几次探测，或用 --max-addresses 写明要探测这么多") from error
    return list(dict.fromkeys([*sweep, *inside]))


def _snapshot(config: Config) -> Snapshot | None:
    """The last snapshot; None where nothing was collected yet."""
    try:
        return opened(config).snapshot()
    except (StoreError, UserError):
        return None


def neighbours(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """Addresses that devices of a snapshot told of (LLDP, CDP, routing protocols), each with the teller."""
    for device in snapshot.of(Device):
        teller = device.name if isinstance(device.name, str) else device.native_id
        for neighbour in [] if isinstance(device.neighbours, Unknown) else device.neighbours:
            for address in [] if isinstance(neighbour.addresses, Unknown) else neighbour.addresses:
                yield address, teller
        for peer in [] if isinstance(device.routing_peers, Unknown) else device.routing_peers:
            if isinstance(peer.address, str):
                yield peer.address, teller


def _heard(config: Config, names: list[str]) -> Iterator[tuple[str, str]]:
    """Addresses in the ARP tables and neighbour caches of the SNMP sources' devices, as they are now."""
    for source in _snmp_sources(config, names):
        with console.progress() as progress:
            total = len(source.options.targets)
            for done, (target, found) in enumerate(heard(source, Run(source)), start=1):
                progress(Progress(source=source.name, what="读取 ARP 和邻居表", done=done, total=total))
                if isinstance(found, SourceError):
                    console.warn(f"{source.name} {target}：没有读到 ARP 和邻居表，{found.reason}")
                else:
                    yield from ((address, target) for address in found)


def _snmp_sources(config: Config, names: list[str]) -> Iterator[Source]:
    for source in chosen(config, names) if names else config.sources:
        if isinstance(source.options, SnmpOptions) and not source.options.recording:
            yield source


def _logins(config: Config, names: list[str]) -> list[SnmpLogin]:
    """All logins of the SNMP sources, or of those named; each that says the same is tried once."""
    found: list[SnmpLogin] = []
    for source in _snmp_sources(config, names):
        options: SnmpOptions = source.options
        run = Run(msgspec.structs.replace(source, deadline_seconds=7 * 86400.0))
        try:
            credentials = credentials_of(options.logins, run)
        except SourceError as error:
            raise UserError(f"来源 {source.name}：{error.reason}", remedy=error.remedy) from error
        held = [login.credentials for login in found]
        found += [
            SnmpLogin(source=source.name, position=position, credentials=one, engine=options.engine, run=run)
            for position, one in enumerate(credentials)
            if one not in held
        ]
    return found


def _known(config: Config, snapshot: Snapshot | None) -> dict[str, str]:
    """Address → the source whose target it is, or the device that has it on an interface."""
    found: dict[str, str] = {}
    if snapshot:
        for interface in snapshot.of(Interface):
            for address in [] if isinstance(interface.addresses, Unknown) else interface.addresses:
                if isinstance(address.address, str):
                    owner = next(iter(interface.related("part_of")), interface.source)
                    found.setdefault(address.address, owner)
    for source in config.sources:
        for host in _targets(source):
            found.update(dict.fromkeys(_resolved(host), source.name))
    return found


def _targets(source: Source) -> Iterable[str]:
    options = source.options
    if isinstance(options, SnmpOptions) and not options.recording:
        return [split_snmp(target)[0] for target in options.targets]
    if isinstance(options, LinuxOptions) and not options.recording:
        return [split_ssh(target)[0] for target in options.targets]
    if isinstance(options, CliOptions) and not options.recording:
        return [split_address(target.address)[0] for target in options.devices]
    return []


def _resolved(host: str) -> set[str]:
    try:
        return {str(ip_address(host))}
    except ValueError:
        pass
    try:
        return {str(row[4][0]) for row in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return set()


def _order(address: str) -> tuple[int, int]:
    parsed = ip_address(address)
    return parsed.version, int(parsed)


def _tell(rows: list[Row], outside: dict[str, str], text: str, asked: int, as_json: bool) -> None:
    if as_json:
        console.write_json({"asked": asked, "found": rows, "outside": outside, "sources": text})
        return
    new = [row for row in rows if not row.known]
    console.table(
        ("地址", "名称", "厂商", "型号", "SNMP", "SSH", "已登记"),
        [_cells(row) for row in rows],
        title=f"探测了 {asked} 个地址，{len(rows)} 个有应答，其中 {len(new)} 个还没有登记",
    )
    if outside:
        shown = [f"{address}（{teller} 报告）" for address, teller in outside.items()]
        more = f" 等 {len(shown)} 个" if len(shown) > _OUTSIDE_SHOWN else ""
        console.say(f"给定前缀之外的邻居，没有去碰：{'、'.join(shown[:_OUTSIDE_SHOWN])}{more}")
    if text:
        console.say()
        console.say("粘贴到 zhengguan.yaml 的 sources 下，改好名字和标签，再运行 zhengguan doctor：")
        for line in text.splitlines():
            print(line)


def _cells(row: Row) -> tuple[str, ...]:
    seen = row.found.snmp
    spoken = seen.version if seen else ("有应答，凭据不对" if row.found.refused else "")
    known = row.known or (f"（{row.told_by} 的邻居）" if row.told_by else "")
    if seen is None:
        return row.found.address, "", "", "", spoken, row.found.ssh, known
    return row.found.address, seen.name, seen.vendor, seen.model, spoken, row.found.ssh, known
