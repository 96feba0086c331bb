"""自主可控: domestic, foreign or unidentified, told from technical marks.

Technical identification only: it is not the 安全可靠测评 result list, and what matches no row is
"unidentified", never domestic. Sources of the marks: util-linux (CPU implementer and part numbers), Xen
headers (x86 vendor ids), os-release ids, IANA private enterprise numbers. Rows marked ``memory`` were
not checked against a public source.
"""

from __future__ import annotations

import re
from typing import Literal

Origin = Literal["domestic", "foreign", "unidentified"]
"""信创 tri-state of a technology that was seen."""

DOMESTIC_CPU = (
    # (name, marks in vendor or model, lower case)
    ("鲲鹏", ("hisilicon", "kunpeng", "0x48")),
    ("飞腾", ("phytium", "ft-1500", "ft-2000", "ft-s2500", "s5000c", "d2000", "0x70")),  # models: memory
    ("海光", ("hygon",)),
    ("兆芯", ("zhaoxin", "shanghai", "kaixian", "kaisheng")),
    ("龙芯", ("loongson",)),
    ("申威", ("sunway", "sw3231", "sw831")),  # memory
)
DOMESTIC_ARCHITECTURES = ("loongarch64", "sw_64")
FOREIGN_CPU = ("intel", "amd", "ampere", "0xc0", "ibm", "icelake", "cascadelake", "skylake", "epyc", "xeon")
DOMESTIC_OS = frozenset(
    (
        "kylin uos openeuler kylinsec isoft fusionos bclinux anolis alinux tencentos opencloudos asianux "
        "redflag nfs nfschina deepin"
    ).split()
)
FOREIGN_OS = frozenset(
    (
        "rhel centos rocky almalinux ol ubuntu debian sles opensuse-leap opensuse fedora amzn windows "
        "esxi cirros freebsd"
    ).split()
)
VENDORS: dict[int, tuple[str, Origin]] = {
    2011: ("Huawei", "domestic"), 25506: ("H3C", "domestic"), 3902: ("ZTE", "domestic"),
    4881: ("Ruijie", "domestic"), 5651: ("Maipu", "domestic"), 11408: ("FiberHome", "domestic"),
    6339: ("Digital China", "domestic"), 31648: ("DPtech", "domestic"), 28557: ("Hillstone", "domestic"),
    35047: ("Sangfor", "domestic"), 14331: ("Topsec", "domestic"), 15227: ("Venustech", "domestic"),
    19849: ("NSFOCUS", "domestic"), 32328: ("Legendsec", "domestic"), 37157: ("NetentSec", "domestic"),
    27971: ("Infosec", "domestic"),  # 信安世纪, by the sysDescr of its own NSAE gateway
    9833: ("Leadsec", "domestic"), 3320: ("BDCOM", "domestic"),
    45577: ("Sundray", "domestic"), 27975: ("Centec", "domestic"), 37945: ("Inspur", "domestic"),
    9: ("Cisco", "foreign"), 2636: ("Juniper", "foreign"), 30065: ("Arista", "foreign"),
    12356: ("Fortinet", "foreign"), 25461: ("Palo Alto", "foreign"), 2620: ("Check Point", "foreign"),
    3375: ("F5", "foreign"), 11: ("HP", "foreign"), 6527: ("Nokia", "foreign"), 318: ("APC", "foreign"),
    705: ("Eaton", "foreign"), 534: ("Eaton", "foreign"),  # 705 was MGE's
}  # fmt: skip
AGENT_ENTERPRISES = {8072: "net-snmp", 6876: "VMware", 311: "Microsoft", 30803: "Vyatta"}
"""Enterprise numbers that name the agent's software, not the vendor of the equipment."""


def cpu_origin(vendor: str, model: str = "", architecture: str = "") -> Origin:
    """Origin of a processor. VIA's CentaurHauls is shared with 兆芯 and needs the model to tell."""
    text = f"{vendor} {model}".lower()
    if architecture in DOMESTIC_ARCHITECTURES or any(m in text for _, marks in DOMESTIC_CPU for m in marks):
        return "domestic"
    if any(mark in text for mark in FOREIGN_CPU):
        return "foreign"
    return "unidentified"


def os_origin(os_id: str) -> Origin:
    """Origin of an operating system by its os-release ID (compared without case)."""
    name = os_id.strip().lower()
    if name in DOMESTIC_OS:
        return "domestic"
    return "foreign" if name in FOREIGN_OS else "unidentified"


DOMESTIC_OS_NAMES = (
    "kylin 麒麟 uniontech uos 统信 openeuler 欧拉 euleros anolis 龙蜥 alibaba tencentos opencloudos"
    " bclinux fusionos keyarch ctyunos culinux deepin redflag 红旗 isoft 普华 nfschina 方德"
    " asianux hce velinux"
).split()
FOREIGN_OS_NAMES = (
    "centos rhel rocky almalinux oracle ubuntu debian sles suse opensuse fedora amazon flatcar"
    " bottlerocket talos windows photon container-optimized"
).split()


def os_image_origin(pretty_name: str) -> Origin:
    """Origin of an operating system by the name it shows to people (PRETTY_NAME of os-release, which
    Kubernetes calls osImage): there is no id where only this is told."""
    name = pretty_name.casefold()
    words = set(re.findall(r"[a-z][a-z-]*", name))
    if any(mark in name if not mark.isascii() else mark in words for mark in DOMESTIC_OS_NAMES):
        return "domestic"
    if "red hat" in name or not words.isdisjoint(FOREIGN_OS_NAMES):
        return "foreign"
    return "unidentified"


def vendor_origin(enterprise: int) -> tuple[str | None, Origin]:
    """Vendor and origin by IANA private enterprise number of a sysObjectID."""
    return VENDORS.get(enterprise, (None, "unidentified"))
