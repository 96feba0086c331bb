"""Libraries are imported by one thread at a time, whichever collector asks for them first."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# Everything that is first imported while the collector does not hold the lock, by a process of its own: in
# this one the libraries may long be there.
SCRIPT = """
import json
import sys
from importlib.abc import MetaPathFinder
from collectors.contract import IMPORTING, Run, Source
from {module} import {options}, {client}

unheld = []

class Watching(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if not IMPORTING.locked() and "." not in name:
            unheld.append(name)
        return None

options = {make}
sys.meta_path.insert(0, Watching())
{client}({arguments})
print(json.dumps([sorted(set(unheld)), sorted(set(sys.modules))]))
"""
CLIENTS = {
    "netmiko": {
        "module": "collectors.cli.logins",
        "options": "Options",
        "client": "_driver",
        "make": "Options(targets=['127.0.0.1:9'], user='u', password_ref='env:PATH')",
        "arguments": "'huawei_vrp'",
    },
    "openstack": {
        "module": "collectors.openstack",
        "options": "Options",
        "client": "LiveClient",
        "make": "Options(auth_url='http://127.0.0.1:9', username='u', password_ref='env:PATH', project='p')",
        "arguments": "options, Run(Source(name='a', type='openstack'))",
    },
    "kubernetes": {
        "module": "collectors.kubernetes",
        "options": "Options",
        "client": "LiveClient",
        "make": "Options(server='https://127.0.0.1:9', token_ref='env:PATH')",
        "arguments": "options, Run(Source(name='a', type='kubernetes'))",
    },
    "pysnmp": {
        "module": "collectors.snmp.engine_pysnmp",
        "options": "Credentials",
        "client": "PysnmpEngine",
        "make": "Credentials(version='v2c', community='c')",
        "arguments": "'127.0.0.1', 9, options",
    },
    "gufo.snmp": {
        "module": "collectors.snmp.engine_gufo",
        "options": "Credentials",
        "client": "GufoEngine",
        "make": "Credentials(version='v2c', community='c')",
        "arguments": "'127.0.0.1', 9, options",
    },
}
LIBRARIES = {
    "openstack",
    "keystoneauth1",
    "kubernetes",
    "requests",
    "urllib3",
    "yaml",
    "pysnmp",
    "gufo",
    "netmiko",
    "paramiko",
}


@pytest.mark.parametrize("library", CLIENTS)
def test_a_library_is_imported_under_the_lock(library: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(**CLIENTS[library])],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    unheld, imported = json.loads(done.stdout)
    assert library in imported
    assert LIBRARIES & set(unheld) == set()
