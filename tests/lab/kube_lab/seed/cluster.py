"""Namespaces, nodes, and the system's own pods as kubeadm leaves them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from kube_lab.seed.plan import DEPARTMENTS, LEVELS, Plan
from kube_lab.seed.things import BORN, Json, Thing, thing

POD_SECURITY = ("restricted", "baseline", "privileged", "")

# (architecture, CPU vendor as node-feature-discovery labels it, model, osImage, kernel)
MACHINES = [
    ("arm64", "", "Kunpeng-920", "openEuler 22.03 (LTS-SP3)", "5.10.0-182.0.0.95.oe2203sp3.aarch64"),
    (
        "amd64",
        "Hygon",
        "C86-7285",
        "Kylin Linux Advanced Server V10 (Lance)",
        "4.19.90-52.22.v2207.ky10.x86_64",
    ),
    ("loong64", "", "Loongson-3C5000", "UnionTech OS Server 20", "4.19.0-91.82.153.uelc20.loongarch64"),
    ("amd64", "Intel", "Xeon-8358", "Debian GNU/Linux 12 (bookworm)", "6.1.0-28-amd64"),
    ("arm64", "", "FT-S2500", "银河麒麟高级服务器操作系统 V10", "4.19.90-52.22.v2207.ky10.aarch64"),
    ("amd64", "Hygon", "C86-7380", "统信服务器操作系统V20", "4.19.90-2403.3.0.0270.uel20.x86_64"),
    ("amd64", "", "", "CentOS Linux 7 (Core)", "3.10.0-1160.el7.x86_64"),  # whose chip nobody can tell
]


def namespaces(plan: Plan) -> Iterator[Thing]:
    """One a department, with what a planner sorts by."""
    for number, name in enumerate(plan.namespaces):
        department = plan.department(name)
        labels = {
            "department": department,
            "level": LEVELS[number % 3],
            "grade": str(2 + number % 2),
            "kubesphere.io/workspace": department,
            "kubernetes.io/metadata.name": name,
        }
        level = POD_SECURITY[number % 4]
        if level and not plan.old:
            labels["pod-security.kubernetes.io/enforce"] = level
            labels["pod-security.kubernetes.io/warn"] = "restricted"
        annotations = {"kubesphere.io/alias-name": DEPARTMENTS[department], "contact": "0771-0000000"}
        yield thing("v1", "namespaces", "Namespace", name, labels=labels, annotations=annotations)
    yield thing("v1", "namespaces", "Namespace", "abandoned", labels={"department": "unknown-office"})


def node_name(number: int) -> str:
    return f"{'master' if number < 3 else 'worker'}-{number:03d}"


def node_addresses(number: int) -> list[str]:
    """Dual stack, one in three IPv4 only, the last of a dozen IPv6 only."""
    ipv4, ipv6 = f"10.20.{number // 250}.{number % 250 + 1}", f"2001:db8:20::{number + 1:x}"
    if number % 12 == 11:
        return [ipv6]
    return [ipv4] if number % 3 == 2 else [ipv4, ipv6]


def trouble(number: int) -> str:
    """What is wrong with the node: most are well."""
    return {5: "not-ready", 7: "cordoned", 9: "disk-pressure"}.get(number % 100, "")


def nodes(plan: Plan) -> Iterator[Thing]:
    """Fake machines: nothing runs on them, their kubelets' words are the seed's."""
    for number in range(plan.nodes):
        yield node(plan, number)


def node(plan: Plan, number: int) -> Thing:
    name, wrong = node_name(number), trouble(number)
    architecture, vendor, model, os_image, kernel = MACHINES[number % len(MACHINES)]
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/arch": architecture,
        "kubernetes.io/os": "linux",
        "topology.kubernetes.io/zone": f"zone-{'abc'[number % 3]}",
    }
    if vendor:
        labels["feature.node.kubernetes.io/cpu-model.vendor_id"] = vendor
    if model:
        labels["gov.example/cpu-model"] = model
    taints: list[Json] = []
    if number < 3:
        role = "node-role.kubernetes.io/" + ("master" if plan.old else "control-plane")
        labels[role] = ""
        taints.append({"key": role, "effect": "NoSchedule"})
    if wrong == "not-ready":
        taints.append({"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": BORN})
    if wrong == "cordoned":
        taints.append({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": BORN})
    if number % 20 == 4:
        taints.append({"key": "department", "value": "public-security", "effect": "NoSchedule"})
    spec: Json = {
        "podCIDR": f"10.244.{number % 256}.0/24",
        "podCIDRs": [f"10.244.{number % 256}.0/24", f"fd10:244:0:{number:x}::/64"],
        "unschedulable": wrong == "cordoned",
        "taints": taints,
    }
    addresses = [{"type": "InternalIP", "address": a} for a in node_addresses(number)]
    status: Json = {
        **sizes(number),
        "addresses": [*addresses, {"type": "Hostname", "address": name}],
        "conditions": conditions(wrong),
        "nodeInfo": {
            "architecture": architecture,
            "operatingSystem": "linux",
            "osImage": os_image,
            "kernelVersion": kernel,
            "kubeletVersion": f"v1.{plan.minor - (number % 10 == 8)}.2",
            "kubeProxyVersion": f"v1.{plan.minor}.2",
            "containerRuntimeVersion": (
                "containerd://1.7.27" if number % 4 else "docker://20.10.7" if plan.old else "isulad://2.1.5"
            ),
            "machineID": hashlib.sha256(name.encode()).hexdigest()[:32],
            "systemUUID": f"00000000-0000-0000-0000-{number:012d}",
            "bootID": f"00000000-0000-0000-0001-{number:012d}",
        },
        "images": [
            {"names": [f"registry.gov.example/app/image-{n}:v{n}"], "sizeBytes": 10**8 + n} for n in range(10)
        ],
    }
    return thing("v1", "nodes", "Node", name, labels=labels, spec=spec, status=status)


def sizes(number: int) -> Json:
    cpu, memory_gib = ((64, 256), (32, 128), (128, 512))[number % 3]
    capacity = {
        "cpu": str(cpu),
        "memory": f"{memory_gib * 2**20}Ki",
        "pods": "110",
        "ephemeral-storage": "500Gi",
    }
    allocatable = {
        "cpu": f"{cpu * 1000 - 500}m",
        "memory": f"{(memory_gib - 2) * 2**20}Ki",
        "pods": "110",
        "ephemeral-storage": "450Gi",
    }
    if number % 7 == 0:
        capacity["huawei.com/Ascend910"] = allocatable["huawei.com/Ascend910"] = "8"
    return {"capacity": capacity, "allocatable": allocatable}


def conditions(wrong: str) -> list[Json]:
    states = {"MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False", "Ready": "True"}
    if wrong == "not-ready":
        states = dict.fromkeys(states, "Unknown")
    if wrong == "disk-pressure":
        states["DiskPressure"] = "True"
    return [
        {
            "type": kind,
            "status": state,
            "reason": "Kubelet" if state != "Unknown" else "NodeStatusUnknown",
            "message": "",
            "lastHeartbeatTime": BORN,
            "lastTransitionTime": BORN,
        }
        for kind, state in states.items()
    ]


# --------------------------------------------------------------------------- kube-system
GOOD_CIPHERS = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
BAD_CIPHERS = "TLS_RSA_WITH_AES_128_CBC_SHA,TLS_RSA_WITH_3DES_EDE_CBC_SHA"


def control_plane_flags(plan: Plan, number: int) -> dict[str, dict[str, str]]:
    """Master 0 is hardened, master 1 is not, master 2 says nothing: defaults hold."""
    if number == 2:
        return {"kube-apiserver": {"authorization-mode": "Node,RBAC"}, "etcd": {}, **others(good=True)}
    good = number == 0
    apiserver = {
        "anonymous-auth": "false" if good else "true",
        "authorization-mode": "Node,RBAC" if good else "AlwaysAllow",
        "enable-admission-plugins": "NodeRestriction,AlwaysPullImages" if good else "AlwaysAdmit",
        "profiling": "false" if good else "true",
        "tls-min-version": "VersionTLS12" if good else "VersionTLS10",
        "tls-cipher-suites": GOOD_CIPHERS if good else BAD_CIPHERS,
        "etcd-servers": "https://127.0.0.1:2379" if good else "http://10.20.0.2:2379",
        "audit-log-path": "/var/log/kubernetes/audit.log",
    }
    if good:
        apiserver |= {
            "audit-log-maxage": "180",
            "audit-policy-file": "/etc/kubernetes/audit.yaml",
            "encryption-provider-config": "/etc/kubernetes/encryption.yaml",
            "kubelet-certificate-authority": "/etc/kubernetes/pki/ca.crt",
        }
    else:
        apiserver["token-auth-file"] = "/etc/kubernetes/tokens.csv"
        apiserver["disable-admission-plugins"] = "ServiceAccount,NamespaceLifecycle"
    if plan.old:
        apiserver["insecure-port"] = "0" if good else "8080"
    etcd = {
        "client-cert-auth": str(good).lower(),
        "peer-client-cert-auth": str(good).lower(),
        "auto-tls": str(not good).lower(),
        "listen-client-urls": "https://127.0.0.1:2379" if good else "http://0.0.0.0:2379",
    }
    return {"kube-apiserver": apiserver, "etcd": etcd, **others(good)}


def others(good: bool) -> dict[str, dict[str, str]]:
    bind = "127.0.0.1" if good else "0.0.0.0"
    return {
        "kube-controller-manager": {
            "use-service-account-credentials": str(good).lower(),
            "bind-address": bind,
        },
        "kube-scheduler": {"bind-address": bind, "profiling": str(not good).lower()},
    }


def control_plane(plan: Plan) -> Iterator[Thing]:
    """Mirror pods: the flags of a kubeadm cluster are readable through the API."""
    for number in range(3):
        for component, flags in control_plane_flags(plan, number).items():
            container: Json = {
                "name": component,
                "image": f"registry.gov.example/k8s/{component}:v1.{plan.minor}.2",
                "command": [component, *(f"--{flag}={value}" for flag, value in flags.items())],
                "resources": {"requests": {"cpu": "250m"}},
            }
            yield thing(
                *("v1", "pods", "Pod", f"{component}-{node_name(number)}", "kube-system"),
                labels={"component": component, "tier": "control-plane"},
                annotations={"kubernetes.io/config.mirror": "lab", "kubernetes.io/config.source": "file"},
                spec={"nodeName": node_name(number), "hostNetwork": True, "containers": [container]},
                status=running(number, [container], host_network=True),
            )


def running(number: int, containers: list[Json], *, host_network: bool = False, index: int = 0) -> Json:
    """Status of a pod that runs on a node."""
    if host_network:
        addresses = node_addresses(number)
    else:
        suffix = index // 200 * 200 + index % 200 + 2
        addresses = [f"10.244.{number % 256}.{suffix % 250 + 2}", f"fd10:244:0:{number:x}::{suffix:x}"]
    return {
        "phase": "Running",
        "hostIP": node_addresses(number)[0],
        "podIP": addresses[0],
        "podIPs": [{"ip": a} for a in addresses],
        "startTime": BORN,
        "conditions": [
            {"type": kind, "status": "True", "lastTransitionTime": BORN}
            for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
        ],
        "containerStatuses": [
            container_status(c, {"running": {"startedAt": BORN}}, ready=True) for c in containers
        ],
    }


def container_status(container: Json, state: Json, *, ready: bool, restarts: int = 0) -> Json:
    image = str(container["image"])
    digest = hashlib.sha256(image.encode()).hexdigest()
    return {
        "name": container["name"],
        "image": image,
        "imageID": f"{image.partition('@')[0].rpartition(':')[0]}@sha256:{digest}"
        if "waiting" not in state
        else "",
        "containerID": f"containerd://{digest}" if "waiting" not in state else "",
        "ready": ready,
        "started": ready,
        "restartCount": restarts,
        "state": state,
        "lastState": {},
    }


def system_pods(plan: Plan) -> Iterator[Thing]:
    """The control plane, and kube-proxy on every node."""
    yield from control_plane(plan)
    image = f"registry.gov.example/k8s/kube-proxy:v1.{plan.minor}.2"
    proxy: Json = {
        "name": "kube-proxy",
        "image": image,
        "securityContext": {"privileged": True},
        "resources": {},
    }
    spec: Json = {"hostNetwork": True, "containers": [proxy]}
    template: Json = {
        "metadata": {"labels": {"k8s-app": "kube-proxy"}},
        "spec": spec,
    }
    yield thing(
        *("apps/v1", "daemonsets", "DaemonSet", "kube-proxy", "kube-system"),
        spec={"selector": {"matchLabels": {"k8s-app": "kube-proxy"}}, "template": template},
        status={
            "desiredNumberScheduled": plan.nodes,
            "currentNumberScheduled": plan.nodes,
            "numberReady": plan.nodes,
            "numberMisscheduled": 0,
        },
    )
    for number in range(plan.nodes):
        yield thing(
            *("v1", "pods", "Pod", f"kube-proxy-{number:03d}", "kube-system"),
            labels={"k8s-app": "kube-proxy"},
            owner=("DaemonSet", "kube-proxy"),
            spec={**spec, "nodeName": node_name(number)},
            status=running(number, [proxy], host_network=True),
        )


SYSTEM_PODS = 12
"""Mirror pods: four on each of three masters; kube-proxy comes on top, one a node."""
