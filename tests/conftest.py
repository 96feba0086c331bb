"""A small estate and its assessment, made by hand: two clouds, a host, a device that could not be read,
hostile names, unknown values, stale rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import settings

from inventory.answers import Answer, AnswerFile
from inventory.coverage import Collection, Status
from inventory.kinds.cloud import Cloud, Project, Quota
from inventory.kinds.cluster import Cluster, Container, Namespace, Node, Workload
from inventory.kinds.compute import Flavor, Hypervisor, Image, Server
from inventory.kinds.host import Host, SshServer
from inventory.kinds.network import Device
from inventory.kinds.storage import StoragePool, Volume, VolumeClaim, VolumeSnapshot
from inventory.kinds.usage import Amount, Utilization
from inventory.kinds.virtual_network import (
    BalancerListener,
    FloatingIp,
    LoadBalancer,
    SecurityGroup,
    Subnet,
)
from inventory.resource import Relation, Resource
from inventory.selectors import Selector
from inventory.snapshot import Snapshot, SnapshotInfo
from inventory.systems import System
from policies.assess_crypto import assess_crypto
from policies.assessment import (
    AnswerUse,
    Assessment,
    Asset,
    Control,
    ControlVerdict,
    ExceptionUse,
    HighRisk,
    ObjectVerdict,
    PolicyException,
    Score,
)
from policies.crypto import CryptoObject, UnitFacts
from policies.evaluate import evaluate
from policies.outcome import Rule
from policies.rules import BUILTIN, load_rule
from policies.standards import load_standard
from policies.verdict import Finding, Unseen, Verdict, finding_id

# no test fails because the machine is busy: by default an example of more than 200 ms does
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """``--dist loadgroup``: files that disturb the same lab go to one worker, every other file to any."""
    from xdist.scheduler import LoadScopeScheduling

    class ByLab(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            if not file.startswith("tests/lab_suite/") or file.endswith("test_wheel.py"):
                return file
            return "kubernetes" if "/test_kube" in file else "openstack"

    return ByLab(config, log) if config.getvalue("dist") == "loadgroup" else None


TAKEN = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
HOSTILE = "<script>alert(\"x\")</script>{{7*7}}\x07\u202egnp.exe\\\n=cmd|'/c calc'!A0"


def _pem(name: str, *, key: Any, issuer: tuple[str, Any] | None = None, **more: Any) -> bytes:
    """A key and its certificate. ``issuer``: name and key of who signs; ``days``, ``names``, ``ca``."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    by = subject if issuer is None else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer[0])])
    names = [
        x509.IPAddress(ip_address(n)) if n[0].isdigit() or ":" in n else x509.DNSName(n)
        for n in more.get("names", ["127.0.0.1", "localhost"])
    ]
    now = datetime.now(UTC).replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(more.get("serial", 4711))
        .not_valid_before(now - timedelta(days=365))
        .not_valid_after(now + timedelta(days=more.get("days", 30)))
        .add_extension(x509.BasicConstraints(ca=more.get("ca", False), path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    for extension in more.get("extensions", ()):
        builder = builder.add_extension(extension, critical=False)
    made = builder.sign(key if issuer is None else issuer[1], hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public: bytes = made.public_bytes(serialization.Encoding.PEM)
    return bytes(private) + public


@pytest.fixture(scope="session")
def pem_of() -> Callable[..., bytes]:
    """Make a key and its certificate."""
    return _pem


@pytest.fixture(scope="session")
def self_signed() -> bytes:
    """A key and a certificate for 127.0.0.1 that signed itself, PEM."""
    return _pem("loopback", key=ec.generate_private_key(ec.SECP256R1()), ca=True)


@pytest.fixture
def taken_at() -> datetime:
    return TAKEN


@pytest.fixture
def hostile() -> str:
    """Text as a device or a tenant may choose it."""
    return HOSTILE


@pytest.fixture
def estate() -> Snapshot:
    rows: list[Resource] = [
        Project(source="province-cloud", native_id="p1", name="政务服务", labels={"department": "省数据局"}),
        Server(source="province-cloud", native_id="s1", name="portal-01", labels={"department": "省数据局"}),
        Server(source="province-cloud", native_id="s2", name=HOSTILE, labels={"department": "省财政厅"}),
        SecurityGroup(source="province-cloud", native_id="g1", name="web"),
        Image(source="province-cloud", native_id="i1", name="kylin", os_origin="domestic"),
        Hypervisor(
            source="province-cloud",
            native_id="h1",
            name="cn-01",
            state="up",
            cpu_origin="domestic",
            vcpus=128,
            vcpus_used=40,
            memory_mib=524288,
            memory_used_mib=1024,
        ),
        Hypervisor(source="province-cloud", native_id="h2", name="cn-02", state="up", cpu_origin="domestic"),
        Hypervisor(source="city-cloud", native_id="h1", name="cn-x", vcpus=64, memory_mib=1024),
        Host(source="jump-01", native_id="jump-01", name="jump-01", os_origin="foreign"),
        Device(source="core-sw-01", native_id="sw", name="core-sw-01", vendor_origin="domestic"),
    ]
    by_kind: dict[str, list[Resource]] = {}
    for row in rows:
        by_kind.setdefault(row.KIND, []).append(row)
    for held in by_kind.values():
        held.sort(key=lambda r: r.uid)
    return Snapshot(
        SnapshotInfo(id=7, taken_at=TAKEN),
        by_kind,
        collections(),
        stale={"core-sw-01/device/sw": TAKEN - timedelta(days=2)},
        fresh={
            ("province-cloud", "server"): TAKEN,
            ("province-cloud", "project"): TAKEN - timedelta(hours=3),
            ("jump-01", "host"): TAKEN,
            ("core-sw-01", "device"): TAKEN - timedelta(days=2),
        },
    )


@pytest.fixture
def planned() -> Snapshot:
    """Clouds and a cluster for planners: one cloud seen whole, one that lets nobody see its hosts and volumes,
    a cluster on the first; idle things, a full zone, measured load, a hostile name."""
    cloud, dark = "province-cloud", "city-cloud"
    rows: list[Resource] = [
        Cloud(source=cloud, native_id="self", labels={"department": "省数据局"}),
        Project(source=cloud, native_id="p1", name="政务服务", labels={"department": "省政务办"}),
        Project(source=cloud, native_id="p2", name=HOSTILE, labels={"department": "=HYPERLINK(省财政厅)"}),
        *_planned_hosts(cloud),
        *(
            Flavor(source=cloud, native_id=n, name=n, vcpus=c, memory_mib=m, disk_gib=0)
            for n, c, m in (("小", 2, 4096), ("中", 8, 16384), ("大", 64, 262144))
        ),
        *_planned_servers(cloud),
        *_planned_storage(cloud),
        Server(source=dark, native_id="d1", name="dark-01", vcpus=4, memory_mib=8192, status="ACTIVE"),
        *_planned_cluster("k8s"),
    ]
    by_kind: dict[str, list[Resource]] = {}
    for row in rows:
        by_kind.setdefault(row.KIND, []).append(row)
    told = [
        Collection(
            source=source, kind=kind, status=Status.COMPLETE, started_at=TAKEN, ended_at=TAKEN, count=1
        )
        for source, kind in sorted({(r.source, r.KIND) for r in rows})
    ]
    told += [
        Collection(
            source=dark,
            kind=kind,
            status=Status.DENIED,
            started_at=TAKEN,
            ended_at=TAKEN,
            reason="凭据看不到",
            remedy="授予 admin 角色",
        )
        for kind in ("hypervisor", "volume")
    ]
    return Snapshot(SnapshotInfo(id=9, taken_at=TAKEN), by_kind, told)


def _planned_hosts(cloud: str) -> list[Resource]:
    def amounts(vcpus: float, memory: float) -> list[Amount]:
        return [
            Amount(of="vcpu", total=64, reserved=4, ratio=4.0, allocated=vcpus, used=12),
            Amount(of="memory_mib", total=262144, reserved=8192, ratio=1.0, allocated=memory),
        ]

    def host(name: str, zone: str, architecture: str, used: list[Amount], **more: Any) -> Hypervisor:
        more = {"state": "up", "enabled": True, "labels": {"department": "省数据局"}, **more}
        return Hypervisor(
            source=cloud,
            native_id=name,
            name=name,
            zone=zone,
            cpu_architecture=architecture,
            amounts=used,
            **more,
        )

    return [
        host("cn-01", "az-a", "aarch64", amounts(180, 200_000), aggregates=["信创"]),
        host("cn-02", "az-a", "aarch64", amounts(60, 100_000), aggregates=["信创"]),
        host("cn-03", "az-b", "x86_64", amounts(230, 252_000), aggregates=[]),
        host("cn-04", "az-b", "x86_64", amounts(10, 20_000), aggregates=[], state="down"),
        host("cn-05", "az-c", "x86_64", amounts(24, 247_603.2), aggregates=[]),
    ]


def _planned_servers(cloud: str) -> list[Resource]:
    def mine(project: str) -> list[Relation]:
        return [Relation("in_project", f"{cloud}/project/{project}")]

    def load(server: str, metric: Any, p95: float) -> Utilization:
        target = f"{cloud}/server/{server}"
        return Utilization(
            source="prom",
            native_id=f"{target}/{metric}",
            metric=metric,
            mean=p95 / 2,
            p95=p95,
            peak=min(1.0, p95 * 2),
            window_hours=168.0,
            relations=[Relation("measures", target)],
        )

    size: dict[str, Any] = {"vcpus": 8, "memory_mib": 16384, "disk_gib": 40}
    return [
        Server(source=cloud, native_id="s1", name="portal-01", status="ACTIVE", relations=mine("p1"), **size),
        Server(source=cloud, native_id="s2", name="portal-02", status="ACTIVE", relations=mine("p1"), **size),
        Server(
            source=cloud,
            native_id="s3",
            name=HOSTILE,
            status="SHUTOFF",
            relations=mine("p2"),
            updated_at=TAKEN - timedelta(days=200),
            **size,
        ),
        Server(source=cloud, native_id="s4", name="unsized", status="ACTIVE", relations=mine("p2")),
        load("s1", "cpu", 0.71),
        load("s2", "cpu", 0.03),
        load("s2", "memory", 0.21),
        Quota(
            source=cloud,
            native_id="p1/compute",
            service="compute",
            relations=mine("p1"),
            limits={"cores": 20, "ram": 65536},
        ),
    ]


def _planned_storage(cloud: str) -> list[Resource]:
    mine = [Relation("in_project", f"{cloud}/project/p1")]
    return [
        StoragePool(
            source=cloud,
            native_id="ceph",
            name="ceph",
            amounts=[Amount(of="disk_gib", total=10240, reserved=512, ratio=1.0, allocated=8900, used=6100)],
        ),
        Volume(source=cloud, native_id="v1", size_gib=500, attached=True, status="in-use", relations=mine),
        Volume(
            source=cloud,
            native_id="v2",
            name="old-data",
            size_gib=2000,
            attached=False,
            status="available",
            created_at=TAKEN - timedelta(days=400),
            relations=mine,
        ),
        VolumeSnapshot(source=cloud, native_id="n1", volume="gone", size_gib=300, relations=mine),
        Subnet(
            source=cloud,
            native_id="ext",
            family="ipv4",
            amounts=[Amount(of="floating_ip", total=253, reserved=3, ratio=1.0, allocated=240)],
        ),
        FloatingIp(source=cloud, native_id="f1", address="203.0.113.9", associated=False, relations=mine),
        FloatingIp(source=cloud, native_id="f2", address="203.0.113.10", associated=True, relations=mine),
    ]


def _planned_cluster(cluster: str) -> list[Resource]:
    container = Container(init=False, cpu_request=0.5, memory_request_mib=512.0)
    return [
        Cluster(source=cluster, native_id="self", labels={"department": "省数据局"}),
        Node(
            source=cluster,
            native_id="n1",
            name="n1",
            ready=True,
            schedulable=True,
            zone=None,
            cpu_architecture="aarch64",
            labels={"department": "省数据局"},
            amounts=[
                Amount(of="vcpu", total=16, reserved=1, ratio=1.0, allocated=9),
                Amount(of="memory_mib", total=65536, reserved=4096, ratio=1.0, allocated=30_000),
                Amount(of="pod", total=110, reserved=0, ratio=1.0, allocated=31),
            ],
        ),
        Namespace(source=cluster, native_id="web", name="web", pods=6, system=False),
        Namespace(source=cluster, native_id="old", name="old", pods=0, system=False),
        Workload(
            source=cluster,
            native_id="web/Deployment/portal",
            name="portal",
            namespace="web",
            pods=6,
            containers=[container],
        ),
        VolumeClaim(source=cluster, native_id="web/data", namespace="web", size_gib=50.0, used=False),
    ]


def collections() -> list[Collection]:
    def one(source: str, kind: str, status: Status, count: int = 0, **more: str) -> Collection:
        return Collection(
            source=source,
            kind=kind,
            status=status,
            started_at=TAKEN,
            ended_at=TAKEN,
            count=count,
            evidence=["e" * 64],
            **more,
        )

    return [
        one("province-cloud", "server", Status.COMPLETE, 2),
        one("province-cloud", "project", Status.COMPLETE, 1),
        one("province-cloud", "security_group", Status.COMPLETE, 1),
        one(
            "province-cloud",
            "user",
            Status.DENIED,
            reason="凭据不能列出账户",
            remedy="授予 system 范围的 reader 角色",
        ),
        one("jump-01", "host", Status.COMPLETE, 1),
        one("core-sw-01", "device", Status.FAILED, reason="SNMP 超时", remedy="检查 UDP 161 的访问控制"),
        one("city-cloud", "hypervisor", Status.PARTIAL, 1, scope="az-b", reason="第 2 页中断"),
    ]


def control(id_: str, class_name: str, point: str, summary: str, **more: object) -> Control:
    fields: dict[str, object] = {
        "level": 3,
        "part": "general",
        "cite": id_.rpartition(".")[0] + " " + id_.rpartition(".")[2] + ")",
        "sag": "S",
        "summary_en": "",
        "automation": "technical-auto",
        "objects": ("server",),
        "unit_id": "L3-CES1-01",
    }
    return Control(
        id=f"dengbao/{id_}",
        class_name=class_name,
        control_point=point,
        summary=summary,
        **{**fields, **more},  # type: ignore[arg-type]
    )


@pytest.fixture
def assessment() -> Assessment:
    root = Finding(
        rule="host-ssh-root-login",
        severity="high",
        uid="jump-01/host/jump-01",
        kind="host",
        source="jump-01",
        name="jump-01",
        message="允许 root 直接 ssh 登录",
        fix="在 sshd_config 中设 PermitRootLogin no 并重载 sshd",
        controls=("dengbao/8.1.4.2.a",),
        evidence={"ssh.permit_root_login": "yes"},
    )
    opened = Finding(
        rule="security-group-open-admin-port",
        severity="critical",
        uid="province-cloud/security_group/g1",
        kind="security_group",
        source="province-cloud",
        name=HOSTILE,
        message="安全组对 0.0.0.0/0 和 ::/0 开放 22 端口",
        fix="只放行运维堡垒机的地址",
        controls=("dengbao/8.1.3.2.a", "dengbao/8.1.3.2.c"),
        evidence={"rules": [{"remote": None, "port_min": 22}], "name": HOSTILE},
    )
    telnet = Finding(
        rule="device-telnet",
        severity="medium",
        uid="core-sw-01/device/sw",
        kind="device",
        source="core-sw-01",
        name="core-sw-01",
        message="设备开放 telnet",
        fix="关闭 telnet，改用 SSH",
        controls=("dengbao/8.1.4.1.c",),
        evidence={"telnet_enabled": True},
        stale=True,
    )
    cloud, jump, switch = "province-cloud/cloud/self", "jump-01/host/jump-01", "core-sw-01/device/sw"
    edge = "安全区域边界"
    computing = "安全计算环境"
    controls = [
        ControlVerdict(
            control=control(
                "8.1.1.1.a", "安全物理环境", "物理位置选择", "机房防震防风防雨", automation="manual"
            ),
            verdict=Verdict.UNKNOWN,
            origin="none",
            reason="待人工核查",
        ),
        ControlVerdict(
            control=control(
                "8.1.3.2.a",
                edge,
                "访问控制",
                "边界设访问规则，默认拒绝",
                unit_verified=True,
                unit_id="L3-ABS1-05",
                high_risk=("6.3.2.1",),
            ),
            verdict=Verdict.FAIL,
            origin="auto",
            reason="1 项检查不符合",
            objects=[
                ObjectVerdict(
                    asset=cloud,
                    verdict=Verdict.FAIL,
                    reason="安全组对全网开放 22 端口",
                    checks={"security-group-open-admin-port": Verdict.FAIL},
                    findings=(opened.id,),
                )
            ],
        ),
        ControlVerdict(
            control=control("8.1.3.2.c", edge, "访问控制", "按五元组控制数据包"),
            verdict=Verdict.PARTIAL,
            origin="auto",
            reason="部分对象不符合",
            objects=[
                ObjectVerdict(
                    asset=cloud,
                    verdict=Verdict.FAIL,
                    reason="规则不限端口",
                    checks={"security-group-open-admin-port": Verdict.FAIL},
                    findings=(opened.id,),
                ),
                ObjectVerdict(asset=switch, verdict=Verdict.PASS, reason="末条拒绝", checks={}),
            ],
        ),
        ControlVerdict(
            control=control("8.1.4.1.a", computing, "身份鉴别", "身份标识唯一，口令复杂并定期更换"),
            verdict=Verdict.PASS,
            origin="auto",
            reason="全部检查符合",
            objects=[
                ObjectVerdict(
                    asset=jump,
                    verdict=Verdict.PASS,
                    reason="口令策略符合",
                    checks={"host-password-policy": Verdict.PASS},
                )
            ],
        ),
        ControlVerdict(
            control=control("8.1.4.1.c", computing, "身份鉴别", "远程管理防窃听"),
            verdict=Verdict.FAIL,
            origin="auto",
            reason="设备开放 telnet",
            objects=[
                ObjectVerdict(
                    asset=switch,
                    verdict=Verdict.FAIL,
                    reason="设备开放 telnet（上次结果）",
                    checks={"device-telnet": Verdict.FAIL},
                    findings=(telnet.id,),
                )
            ],
        ),
        ControlVerdict(
            control=control("8.1.4.2.a", computing, "访问控制", "为登录用户分配账户和权限"),
            verdict=Verdict.FAIL,
            origin="auto",
            reason="允许 root 直接登录",
            objects=[
                ObjectVerdict(
                    asset=jump,
                    verdict=Verdict.FAIL,
                    reason="允许 root 直接 ssh 登录",
                    checks={"host-ssh-root-login": Verdict.FAIL},
                    findings=(root.id,),
                )
            ],
        ),
        ControlVerdict(
            control=control("8.1.4.9.b", computing, "数据备份恢复", "异地实时备份", sag="A"),
            verdict=Verdict.NOT_APPLICABLE,
            origin="person",
            reason="张三 2026-10-01：无此类数据",
        ),
        ControlVerdict(
            control=control(
                "8.1.7.1.a", "安全管理机构", "岗位设置", "成立领导小组", sag="G", automation="manual"
            ),
            verdict=Verdict.PASS,
            origin="person",
            reason="李四 2026-09-01：见红头文件",
        ),
    ]
    return Assessment(
        system=System(
            name="portal",
            title="省政务服务平台",
            grade="S3A3",
            include=[Selector(sources=["*"])],
            cloud="tenant",
            department="省数据局",
            contact="王五",
            filing_number="51000099001-22001",
            filing_expires=date(2027, 3, 1),
            last_assessment=date(2026, 1, 15),
            importance="关键",
        ),
        standard="dengbao",
        standard_title="GB/T 22239-2019",
        taken_at=TAKEN,
        snapshot=7,
        program="zhengguan 0.1.0",
        score=Score(
            edition="2025",
            low=Decimal("28.57"),
            high=Decimal("42.86"),
            unit="%",
            coverage=Decimal("0.8571"),
            conclusion_low="不符合",
            conclusion_high="不符合",
            parameters={"partial_credit": "0", "basis": "item"},
            notes=("partial_credit = 0：公开文本没有写明，取较严的 0（未核实）", "其他说明"),
        ),
        controls=controls,
        high_risks=[
            HighRisk(
                case="6.3.2.1",
                title="重要区域边界访问控制缺失",
                state="triggered",
                condition="边界无有效访问控制",
                mitigation="有其他边界设备控制，可酌情降",
                mitigable=True,
                major_trigger="B-02",
                controls=("dengbao/8.1.3.2.a",),
                findings=(opened.id,),
            ),
            HighRisk(
                case="6.1.1.1",
                title="机房出入口访问控制缺失",
                state="undetermined",
                condition="无门禁且无人值守",
                mitigation="专人值守",
                mitigable=True,
                major_trigger="A-01",
                controls=("dengbao/8.1.1.1.a",),
            ),
        ],
        assets=[
            Asset(
                uid=cloud,
                name="province-cloud",
                category="系统管理软件/平台",
                importance="关键",
                types=("cloud_platform",),
                resources=5,
            ),
            Asset(
                uid=jump,
                name="jump-01",
                category="服务器",
                importance="重要",
                types=("server",),
                address="10.1.2.3",
                version="Debian 12",
                origin="foreign",
            ),
            Asset(
                uid=switch,
                name="core-sw-01",
                category="网络设备",
                importance="关键",
                types=("network_device",),
                address="2001:db8::1",
                vendor="Huawei",
                model="S12704",
                origin="domestic",
            ),
        ],
        findings=[opened, root, telnet],
        unseen=[
            Unseen(
                rule="user-no-mfa",
                kind="user",
                source="province-cloud",
                missing="账户列表",
                remedy="授予 system 范围的 reader 角色",
            )
        ],
        collections=collections(),
        stale={switch: TAKEN - timedelta(days=2)},
        answers=answers(switch),
        exceptions=exceptions(telnet),
    )


def exceptions(telnet: Finding) -> list[ExceptionUse]:
    """One in force that covers the telnet finding, one that has ended, one whose rule is gone."""

    def one(id_: str, rule: str, left: int, state: str, *findings: str) -> ExceptionUse:
        told = PolicyException(
            id=id_,
            rule=rule,
            scope=[Selector(sources=["*"])],
            reason="老型号不支持 SSH，" + HOSTILE,
            owner="张三",
            approver="李四",
            expires=(TAKEN + timedelta(days=left)).date(),
        )
        return ExceptionUse(
            exception=told,
            state=state,  # type: ignore[arg-type]
            findings=findings,
            why="" if state == "matched" else "说明",
            days_left=left,
        )

    return [
        one("old-switch", "device-telnet", 100, "matched", telnet.id),
        one("ended", "host-ssh-root-login", -1, "expired"),
        one("lost", "no-such-rule", 100, "unknown"),
    ]


def answers(switch: str) -> list[AnswerUse]:
    """What people said: one that counts and ends soon, one that has ended, one that the machine refutes."""

    def one(id_: int, subject: str, verdict: str, left: int, effect: str, **more: Any) -> AnswerUse:
        told = Answer(
            id=id_,
            system="portal",
            standard="dengbao",
            about="control",
            subject=f"dengbao/{subject}",
            verdict=verdict,  # type: ignore[arg-type]
            by="李四",
            answered_at=TAKEN - timedelta(days=300),
            valid_until=(TAKEN + timedelta(days=left)).date(),
            recorded_at=TAKEN - timedelta(days=300),
            **{"note": "见红头文件", **more},
        )
        return AnswerUse(
            answer=told,
            effect=effect,  # type: ignore[arg-type]
            why={"expired": f"已过 {-left} 天", "contradicted": "机器所见：设备开放 telnet"}.get(effect, ""),
            days_left=left,
            expiring=0 <= left <= 30,
        )

    paper = AnswerFile(digest="a1" * 32, name="任命文件.pdf", size_bytes=20480)
    return [
        one(1, "8.1.7.1.a", "pass", 20, "counted", files=(paper,)),
        one(2, "8.1.1.1.a", "pass", -3, "expired", note=HOSTILE),
        one(3, "8.1.4.1.c", "pass", 200, "contradicted", object=switch),
    ]


@pytest.fixture
def finding_ids(assessment: Assessment) -> set[str]:
    return {finding_id(f.rule, f.uid) for f in assessment.findings}


@pytest.fixture(scope="session")
def crypto_rules() -> list[Rule]:
    """Built-in rules that speak to units of 密评: D denied, A denied, clues."""
    names = (
        "cloud_network/lb-plain-http",
        "cloud_identity/endpoint-exposed-plaintext",
        "cloud_compute/volume-unencrypted",
        "device/device-telnet",
        "host_ssh/ssh-weak-ciphers",
    )
    return [load_rule(BUILTIN / f"{name}.yaml") for name in names]


@pytest.fixture
def crypto_assessment(crypto_rules: list[Rule]) -> Assessment:
    """密评 of a small system of level 3 by the real rules, with a few answers of people's."""
    rows: list[Resource] = [
        Cloud(source="city-cloud", native_id="city-cloud", name="city-cloud", endpoints=[]),
        LoadBalancer(
            source="city-cloud",
            native_id="lb1",
            name=HOSTILE,
            listeners=[BalancerListener(protocol="HTTP", port=80)],
        ),
        LoadBalancer(
            source="city-cloud",
            native_id="lb2",
            name="lb-two",
            listeners=[BalancerListener(protocol="TERMINATED_HTTPS", port=443)],
        ),
        Volume(source="city-cloud", native_id="v1", name="db", encrypted=False),
        Device(source="core-sw-01", native_id="sw", name="core-sw-01", role="switch", telnet_enabled=True),
        Host(
            source="jump-01",
            native_id="jump-01",
            name="jump-01",
            ssh=SshServer(installed=True, ciphers=["3des-cbc"]),
        ),
    ]
    by_kind: dict[str, list[Resource]] = {}
    for row in rows:
        by_kind.setdefault(row.KIND, []).append(row)
    snapshot = Snapshot(SnapshotInfo(id=7, taken_at=TAKEN), by_kind, collections())
    system = System(
        name="portal",
        title="省政务服务门户",
        grade="S3A2",
        cloud="tenant",
        department="省数据局",
        include=[Selector(sources=["*"])],
        absent_objects=["vm", "security_device", "database", "terminal"],
    )
    full = {"d": True, "a": True, "k": True}
    answers = {
        "PHY-02": UnitFacts(verdict=Verdict.NOT_APPLICABLE),
        "NET-03": UnitFacts(objects=(CryptoObject(name="city-cloud/load_balancer/lb2", **full),)),
        "APP-04": UnitFacts(
            objects=(
                CryptoObject(name="数据", d=False, made_up_by=(("NET-03", "city-cloud/load_balancer/lb2"),)),
            )
        ),
        "POL-01": UnitFacts(verdict=Verdict.PASS),
    }
    return assess_crypto(
        system,
        load_standard("miping"),
        evaluate(crypto_rules, snapshot, now=TAKEN),
        snapshot,
        people=answers,
        program="zhengguan 0.1.0",
    )
