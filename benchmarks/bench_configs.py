"""Configurations of network devices: text to tree, and tree to the facts that rules judge.

    python -m benchmarks.bench_configs [--rounds 5] [--without-hier-config]

Process CPU time, best of. Two texts made from the samples of the tests: VRP of some 300 lines, IOS of some
15 000. The peer is hier_config 3.7.1 (MIT), which makes a tree and no facts; it is installed on first use
into a folder of its own. Target: the tree of 15 000 lines below 50 ms.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from collectors.cli import facts
from collectors.cli.config_tree import tree

SAMPLES = Path(__file__).parents[1] / "tests" / "data" / "cli"
PEER = "hier_config==3.7.1"


def vrp() -> str:
    """The good sample with 22 more ports."""
    head, _, _ = (SAMPLES / "huawei_vrp-good.cfg").read_text(encoding="utf-8").rpartition("#\nreturn")
    port = (
        "#\ninterface GigabitEthernet0/0/{0}\n description PC{0}\n port link-type access\n"
        " port default vlan 20\n"
        " storm-control broadcast min-rate 1000 max-rate 2000\n port-security enable\n"
    )
    return head + "".join(port.format(n) for n in range(4, 26)) + "#\nreturn\n"


def ios() -> str:
    """The good sample with 1 250 more interfaces of 11 lines."""
    head, _, _ = (SAMPLES / "cisco_ios-good.cfg").read_text(encoding="utf-8").rpartition("!\nend")
    block = (
        "interface GigabitEthernet{0}/0/{1}\n description user port {2}\n switchport access vlan {3}\n"
        " switchport mode access\n switchport port-security\n storm-control broadcast level 1.00\n"
        " ipv6 nd raguard attach-policy host\n spanning-tree portfast\n"
        " ip address 10.{4}.{5}.1 255.255.255.0\n"
        " ip access-group A{2} in\n no ip redirects\n!\n"
    )
    blocks = (block.format(n // 48 + 10, n % 48, n, n % 4000, n // 250, n % 250) for n in range(1250))
    return head + "!\n" + "".join(blocks) + "end\n"


def best(call: Callable[[], object], rounds: int) -> float:
    """Milliseconds of CPU, best of."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        call()
        times.append(time.process_time() - started)
    return min(times) * 1000


def peer(rounds: int) -> Callable[[str, str], float]:
    """A function that measures hier_config on a text of one of its platforms."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "zhengguan-bench" / "hier_config"
    if not cache.is_dir():
        install = [sys.executable, "-m", "pip", "install", "-q", "--target", str(cache), PEER]
        subprocess.run(install, check=True)
    sys.path.insert(0, str(cache))
    from hier_config import Platform, get_hconfig

    return lambda name, text: best(lambda: get_hconfig(Platform[name], text), rounds)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without-hier-config", action="store_true")
    given = parser.parse_args()
    other = None if given.without_hier_config else peer(max(1, given.rounds // 2))
    print("| text | lines | tree, CPU ms | tree and facts, CPU ms | hier_config, tree alone, CPU ms |")
    print("|---|---|---|---|---|")
    for platform, theirs, text in (("huawei_vrp", "HUAWEI_VRP", vrp()), ("cisco_ios", "CISCO_IOS", ios())):
        trees = best(lambda text=text: tree(text), given.rounds)  # type: ignore[misc]
        whole = best(lambda text=text, name=platform: facts.read(name, text, {}), given.rounds)  # type: ignore[misc]
        beside = "–" if other is None else f"{other(theirs, text):.1f}"
        print(f"| {platform} | {text.count(chr(10))} | {trees:.1f} | {whole:.1f} | {beside} |")


if __name__ == "__main__":
    main()
