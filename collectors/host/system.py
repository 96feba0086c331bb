"""What the machine is: operating system, kernel, processor, memory, virtualization."""

from __future__ import annotations

import hashlib
import hmac
import re
import shlex
from typing import Any

from collectors.host.notebook import Notebook, decode, lines
from collectors.host.reader import Refusal
from inventory.origin import cpu_origin, os_origin
from inventory.unknown import UNKNOWN, Maybe, Unknown

_TEXT = 256  # longer names are somebody's joke
_HYPERVISORS = (  # (mark in DMI vendor or product, name as systemd-detect-virt has it)
    ("kvm", "kvm"), ("openstack", "kvm"), ("qemu", "qemu"), ("vmware", "vmware"),
    ("virtualbox", "oracle"), ("innotek", "oracle"), ("xen", "xen"), ("virtual machine", "microsoft"),
    ("alibaba cloud", "kvm"), ("huawei cloud", "kvm"), ("bochs", "bochs"), ("parallels", "parallels"),
)  # fmt: skip

_CONTAINERS = frozenset(
    "docker podman lxc lxc-libvirt systemd-nspawn openvz rkt pouch container-other".split()
)


def host_id(machine_id: bytes | Refusal, hostname: str) -> str:
    """Stable native id of a host: 12 hex digits of HMAC-SHA256 keyed with the machine id, because
    machine-id(5) asks not to show the id itself; the host name where there is no usable machine id."""
    text = b"" if isinstance(machine_id, Refusal) else machine_id.strip().lower()
    if re.fullmatch(rb"[0-9a-f]{32}", text) and text.strip(b"0"):
        return hmac.new(text, b"zhengguan host", hashlib.sha256).hexdigest()[:12]
    return re.sub(r"[^\w.-]", "_", hostname)[:64] or "localhost"


def os_release(data: bytes) -> dict[str, str]:
    """os-release(5): KEY=value with shell quoting. Lines that do not parse are left out."""
    found = {}
    for line in lines(data):
        key, equals, value = line.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key.strip()):
            continue
        try:
            words = shlex.split(value[: 4 * _TEXT])
        except ValueError:
            words = [value.strip("\"' ")]
        found[key.strip()] = " ".join(words)[:_TEXT]
    return found


def colon_table(data: bytes) -> dict[str, str]:
    """First value of each key of ``key : value`` text (/proc/cpuinfo, lscpu, /proc/meminfo)."""
    found: dict[str, str] = {}
    for line in decode(data).split("\n"):
        key, colon, value = line.partition(":")
        if colon:
            found.setdefault(key.strip().lower(), value.strip()[:_TEXT])
    return found


def processor_count(cpuinfo: bytes) -> int:
    """Logical processors in /proc/cpuinfo; 0 where it lists none."""
    return len(re.findall(rb"(?m)^processor\s*:", cpuinfo))


def mebibytes(meminfo: dict[str, str], key: str) -> Maybe[int]:
    """A row of /proc/meminfo ("16384 kB") in MiB."""
    match = re.match(r"([0-9]{1,15}) kB", meminfo.get(key, ""))
    return int(match[1]) // 1024 if match else UNKNOWN


def processor(cpuinfo: bytes, lscpu: bytes, architecture: str) -> dict[str, Any]:
    """Vendor, model and origin. On Arm /proc/cpuinfo holds only implementer and part numbers, which
    lscpu turns into names; the implementer number decides the origin where lscpu has none."""
    raw, named = colon_table(cpuinfo), colon_table(lscpu)
    implementer = raw.get("cpu implementer", "")
    vendor = _meaningful(named.get("vendor id")) or raw.get("vendor_id", "") or implementer
    model = _meaningful(named.get("model name")) or raw.get("model name", "") or raw.get("hardware", "")
    if not model and vendor.lower().startswith("loongson"):
        model = raw.get("cpu family", "")
    seen = bool(vendor or model) or architecture in ("loongarch64", "sw_64")
    return {
        "cpu_vendor": vendor or UNKNOWN,
        "cpu_model": model or UNKNOWN,
        "cpu_origin": cpu_origin(f"{vendor} {implementer}", model, architecture) if seen else UNKNOWN,
    }


def _meaningful(text: str | None) -> str:
    return "" if text is None or text in ("-", "") else text


def virtualization(notebook: Notebook, cpuinfo: bytes) -> Maybe[str | None]:
    """kvm, vmware, container …; None = bare metal. Absence of every mark says bare metal only where the
    marks could be read (x86 "hypervisor" flag and DMI)."""
    told = notebook.command("systemd-detect-virt")
    if not isinstance(told, Refusal):
        word = decode(told.stdout).strip()
        if re.fullmatch(r"[a-z0-9-]{2,32}", word):
            return "container" if word in _CONTAINERS else (None if word == "none" else word)
    if notebook.exists("/.dockerenv") or notebook.exists("/run/.containerenv"):
        return "container"
    marks = [notebook.file(f"/sys/class/dmi/id/{name}") for name in ("sys_vendor", "product_name")]
    text = " ".join(decode(m) for m in marks if isinstance(m, bytes)).lower()
    for mark, name in _HYPERVISORS:
        if mark in text:
            return name
    flags = colon_table(cpuinfo).get("flags") or ""
    if re.search(rb"(?m)^flags\s*:.*\bhypervisor\b", cpuinfo):
        return "vm"
    return None if flags and text.strip() else UNKNOWN


def system_facts(notebook: Notebook) -> dict[str, Any]:
    """Fields of ``Host`` that say what the machine is."""
    cpuinfo = _bytes(notebook.file("/proc/cpuinfo"))
    lscpu = _bytes(notebook.output("lscpu"))
    memory = colon_table(_bytes(notebook.file("/proc/meminfo")))
    architecture = _line(notebook.file("/proc/sys/kernel/arch")) or _line(notebook.output("uname", "-m"))
    uptime = re.match(rb"([0-9]{1,12})\.", _bytes(notebook.file("/proc/uptime")))
    return {
        **_operating_system(notebook),
        **processor(cpuinfo, lscpu, architecture),
        "kernel": _line(notebook.file("/proc/sys/kernel/osrelease")) or UNKNOWN,
        "cpu_architecture": architecture or UNKNOWN,
        "cpus": processor_count(cpuinfo) or UNKNOWN,
        "memory_mib": mebibytes(memory, "memtotal"),
        "memory_available_mib": mebibytes(memory, "memavailable"),
        "virtualization": virtualization(notebook, cpuinfo),
        "uptime_seconds": int(uptime[1]) if uptime else UNKNOWN,
    }


def _operating_system(notebook: Notebook) -> dict[str, Any]:
    found = notebook.first("/etc/os-release", "/usr/lib/os-release")
    if isinstance(found, Refusal):
        return {}
    release = os_release(found[1])
    os_id: Maybe[str] = release.get("ID", "").lower() or UNKNOWN
    return {
        "os_id": os_id,
        "os_name": release.get("PRETTY_NAME") or release.get("NAME") or UNKNOWN,
        "os_version": release.get("VERSION_ID") or None,
        "os_origin": UNKNOWN if isinstance(os_id, Unknown) else os_origin(os_id),
    }


def _bytes(answer: bytes | Refusal) -> bytes:
    return b"" if isinstance(answer, Refusal) else answer


def _line(answer: bytes | Refusal) -> str:
    """First line of a one-line answer; "" where it was not seen."""
    return decode(_bytes(answer)).strip().split("\n")[0][:_TEXT]
