"""Sites: CPU of the collector beside bare library calls on the same pages, and its memory.

    python -m benchmarks.bench_website [--sites 200] [--links 50]

nginx serves one page of 60 KB with 60 links over both families on loopback; every site is a name of its own
there. The peer is ``requests`` and ``lxml``: the page over each family, parsed for its links, and for the
crawl the head of each link over IPv6, one after the other; it compares and measures nothing and has no guard.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

CONF = """\
daemon off; user root; worker_processes 1; pid {folder}/pid; error_log {folder}/log;
events {{ worker_connections 2048; }}
http {{
  access_log off; default_type text/html; charset utf-8;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port}; listen [::1]:{port}; root {folder}; try_files /index.html =404; }}
}}
"""
HEAD = """\
import resource, sys, time
sites, links, port = map(int, sys.argv[1:])
def told(began):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(time.process_time() - began, peak, flush=True)
"""
OURS = (
    HEAD
    + """
from collectors import website
from collectors.contract import Run, Source
from collectors.website import survey
from inventory.coverage import Status
import dns.asyncresolver, h11, lxml.etree, tldextract
names = [f"www.site{n}.gov.cn" for n in range(sites)]
options = website.Options(
    sites=[f"http://{name}:{port}/" for name in names], addresses=dict.fromkeys(names, ["127.0.0.1", "::1"]),
    tries=1, links=links, pages=0, external=False, robots=False, ports=[], tls=False, delay_seconds=0,
    concurrency=20, timeout_seconds=60, page_seconds=120, site_seconds=900)
source = Source(name="bench", type="website", options=options, deadline_seconds=1800)
began = time.process_time()
batches = list(website.collect(source, Run(source)))
rows = [r for b in batches for r in b.resources]
assert len(rows) == sites, [c.reason for b in batches for c in b.collections][:3]
assert all(r.similarity == 1.0 for r in rows)
asked = sum(link.ipv6 is True for r in rows for link in r.links)
assert asked == sites * links, asked
told(began)
"""
)
BARE = (
    HEAD
    + """
import lxml.html, requests
began = time.process_time()
for n in range(sites):
    host = {"Host": f"www.site{n}.gov.cn:{port}"}
    for address in ("127.0.0.1", "[::1]"):
        tree = lxml.html.fromstring(requests.get(f"http://{address}:{port}/", headers=host).content)
        found = [link for _, _, link, _ in tree.iterlinks()]
    for link in found[:links]:
        assert requests.get(f"http://[::1]:{port}{link}", headers=host, stream=True).status_code == 200
told(began)
"""
)


@contextmanager
def served() -> Iterator[int]:
    """nginx with the page; its port."""
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert nginx, "install nginx-light"
    with TemporaryDirectory() as name, socket.socket() as held:
        folder = Path(name)
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        held.close()
        anchors = "".join(f'<li><a href="/news/{n}.html">第 {n} 条新闻</a></li>' for n in range(60))
        text = "".join(f"<div><p>{'政务公开 ' * 20}{n}</p></div>" for n in range(180))
        (folder / "index.html").write_text(
            f"<html><body><ul>{anchors}</ul>{text}</body></html>", encoding="utf-8"
        )
        (folder / "conf").write_text(CONF.format(folder=folder, port=port))
        process = subprocess.Popen([nginx, "-c", str(folder / "conf")], stderr=subprocess.DEVNULL)
        try:
            ends = time.monotonic() + 30
            while not (folder / "pid").exists():
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < ends, "nginx did not start"
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()
            process.wait(20)


def measured(program: str, *arguments: int) -> tuple[float, float]:
    """CPU seconds of the work, and the peak of the process in MiB."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    cpu, peak = done.stdout.split()
    return float(cpu), float(peak)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sites", type=int, default=200)
    parser.add_argument("--links", type=int, default=50)
    arguments = parser.parse_args()
    print(
        f"{arguments.sites} sites, 20 at once; load average {os.getloadavg()[0]:.1f}. Imports not counted.\n"
    )
    print(
        "| what | reader | CPU s | sites / CPU-s | CPU ms / request | peak MiB |\n|---|---|---|---|---|---|"
    )
    with served() as port:
        for title, sites, links in (
            ("home page over both families", arguments.sites, 0),
            (f"and {arguments.links} links over IPv6", arguments.sites // 10, arguments.links),
        ):
            for name, program in (("zhengguan", OURS), ("requests and lxml", BARE)):
                cpu, peak = measured(program, sites, links, port)
                each = 1000 * cpu / (sites * (2 + links))
                print(
                    f"| {title} | {name} | {cpu:.2f} | {sites / cpu:.0f} | {each:.1f} | {peak:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
