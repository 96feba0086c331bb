"""What every part of the OpenStack lab uses: where things lie, daemons, the databases, a REST client."""

from __future__ import annotations

import concurrent.futures as cf
import json
import os
import secrets
import socket
import subprocess
import textwrap
import time

LAB = os.environ.get("LAB_DIR") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "openstack-lab"
)
BASE = int(os.environ.get("LAB_PORT_BASE", "25000"))
REGION = os.environ.get("LAB_REGION", "zw-region-1")
REGION_2 = "zw-region-2"
WORKERS = int(os.environ.get("LAB_WORKERS", "2"))
IP = "127.0.0.1"
ETC, LOG, RUN, DATA, PY = (os.path.join(LAB, d) for d in ("etc", "log", "run", "data", "py"))
PORT = {
    n: BASE + i
    for i, n in enumerate(
        "keystone nova placement neutron glance cinder barbican octavia designate manila swift"
        " swift-account swift-container swift-object".split()
    )
}
PORT.update(mysql=BASE + 306, rabbit=BASE + 672, rabbitdist=BASE + 673, epmd=BASE + 369, memcached=BASE + 211)
ENV = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": os.path.join(LAB, "home"),
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "PYTHONPATH": PY,
    "OS_KEYSTONE_CONFIG_DIR": ETC,
    "OS_NOVA_CONFIG_DIR": ETC,
    "OS_PLACEMENT_CONFIG_DIR": ETC,
    "OS_DESIGNATE_CONFIG_DIR": os.path.join(ETC, "designate"),
    "LAB_DIR": LAB,
    "PYTHONWARNINGS": "ignore",
}


def say(*a):
    print("[{}]".format(time.strftime("%H:%M:%S")), *a, flush=True)


def sh(cmd, log=None, check=True, env=None, **kw):
    e = dict(ENV)
    e.update(env or {})
    out = open(os.path.join(LOG, log), "ab") if log else None
    r = subprocess.run(
        cmd, stdout=out, stderr=subprocess.STDOUT if out else None, env=e, shell=isinstance(cmd, str), **kw
    )
    if check and r.returncode:
        tail = ""
        if log:
            with open(os.path.join(LOG, log), "rb") as f:
                tail = f.read()[-1500:].decode("utf8", "replace")
        raise SystemExit(f"FAILED ({r.returncode}): {cmd}\n{tail}")
    return r


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def born(pid):
    """Start time of a process in clock ticks since boot (None when gone)."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return int(f.read().rsplit(")", 1)[1].split()[19])
    except OSError:
        return None


def recorded(name):
    try:
        with open(os.path.join(RUN, name + ".pid")) as f:
            pid, t = f.read().split()[:2]
            return int(pid), int(t)
    except (OSError, ValueError):
        return None


def pid_of(name):
    """The pid of our daemon; the start time guards against a reused pid."""
    r = recorded(name)
    return r[0] if r and alive(r[0]) and born(r[0]) == r[1] else None


def start(name, cmd, env=None):
    """Start a daemon unless it runs; its pid in run/, its output in log/."""
    if pid_of(name):
        return False
    e = dict(ENV)
    e.update(env or {})
    log = open(os.path.join(LOG, name + ".log"), "ab")
    p = subprocess.Popen(
        cmd, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=e, start_new_session=True, cwd=LAB
    )
    with open(os.path.join(RUN, name + ".pid"), "w") as f:
        f.write("%d %d" % (p.pid, born(p.pid) or 0))
    return True


DAEMON_OF = {
    "neutron": "neutron-server",
    "glance": "glance-api",
    "cinder": "cinder-api",
    "rabbitmq": "rabbitmq",
    "mariadb": "mysql",
}


def wait_port(port, timeout=300, what=""):
    end = time.time() + timeout
    while time.time() < end:
        try:
            socket.create_connection((IP, port), 1).close()
            return
        except OSError:
            time.sleep(0.2)
            if what in DAEMON_OF and not pid_of(DAEMON_OF[what]):
                raise SystemExit(f"{what} died: see {LOG}/{DAEMON_OF[what]}.log") from None
    raise SystemExit(f"nothing listens on {port} ({what})")


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    text = textwrap.dedent(text).lstrip("\n")
    with open(path + ".new", "w") as f:
        f.write(text)
    os.chmod(path + ".new", mode)
    os.replace(path + ".new", path)


def sec(name):
    path = os.path.join(ETC, "secrets.json")
    d = {}
    if os.path.exists(path):
        d = json.load(open(path))
    if name not in d:
        d[name] = secrets.token_hex(12)
        write(path, json.dumps(d, indent=1), 0o600)
    return d[name]


def db_url(name):
    return "mysql+pymysql://lab:%s@%s:%d/%s?charset=utf8" % (sec("db"), IP, PORT["mysql"], name)


def sql(stmt, db="", capture=False):
    r = subprocess.run(
        ["mariadb", "--no-defaults", "-uroot", "-N", "-B", "-S", os.path.join(RUN, "mysql.sock")]
        + ([db] if db else []),
        input=stmt.encode(),
        env=ENV,
        check=True,
        stdout=subprocess.PIPE if capture else None,
    )
    return r.stdout.decode() if capture else None


def auth_block(user, section):
    return textwrap.dedent("""
        [%s]
        auth_url = http://%s:%d/v3
        www_authenticate_uri = http://%s:%d/v3
        auth_type = password
        project_domain_name = Default
        user_domain_name = Default
        project_name = service
        username = %s
        password = %s
        region_name = %s
        memcached_servers = %s:%d
        service_token_roles_required = true
        """) % (
        section,
        IP,
        PORT["keystone"],
        IP,
        PORT["keystone"],
        user,
        sec("svc"),
        REGION,
        IP,
        PORT["memcached"],
    )


def uwsgi(name, script, port, procs, threads, env=None, pyargv=""):
    cmd = [
        "uwsgi_python3" if os.path.exists("/usr/bin/uwsgi_python3") else "uwsgi-core",
        "--plugin",
        "python3",
        "--http-socket",
        "%s:%d" % (IP, port),
        "--wsgi-file",
        script,
        "--master",
        "--processes",
        str(procs),
        "--threads",
        str(threads),
        "--enable-threads",
        "--lazy-apps",
        "--buffer-size",
        "65535",
        "--die-on-term",
        "--need-app",
        "--listen",
        "100",
        "--disable-logging",
        "--add-header",
        "Connection: close",
        "--procname-prefix",
        name + " ",
    ]
    if pyargv:
        cmd += ["--pyargv", pyargv]
    return start(name, cmd, env)


def daemon(name, module, conf):
    """A daemon by its Python entry point: the packages that hold the bare
    start scripts would pull in libvirt, qemu, iSCSI and LVM."""
    return start(
        name,
        [
            "/usr/bin/python3",
            "-c",
            f"import sys; sys.argv[0] = {name!r}; from {module} import main; sys.exit(main())",
            "--config-file",
            os.path.join(ETC, conf),
        ],
    )


class Api:
    """A few lines over requests: a token, JSON in and out, one retry."""

    PATH = {
        "keystone": "/v3",
        "nova": "/v2.1",
        "neutron": "/v2.0",
        "glance": "/v2",
        "cinder": "/v3",
        "barbican": "/v1",
        "placement": "",
        "octavia": "/v2/lbaas",
        "designate": "/v2",
        "manila": "/v2",
        "swift": "/v1",
    }
    HEAD = {
        "nova": {"OpenStack-API-Version": "compute 2.93"},
        "cinder": {"OpenStack-API-Version": "volume 3.70"},
        "placement": {"OpenStack-API-Version": "placement 1.39"},
        "manila": {"X-OpenStack-Manila-API-Version": "2.65"},
    }

    @staticmethod
    def raw(method, url, **kw):
        import requests

        s = requests.Session()
        s.trust_env = False
        return s.request(method, url, timeout=120, **kw)

    def __init__(self, user="admin", password=None, project="admin", domain="Default"):
        import requests

        self.s = requests.Session()
        self.s.trust_env = False
        self.s.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=32))
        self.who = (user, password or sec("admin"), project, domain)
        self.token = None

    def auth(self):
        user, pw, project, dom = self.who
        r = self.s.post(
            "http://%s:%d/v3/auth/tokens" % (IP, PORT["keystone"]),
            timeout=60,
            json={
                "auth": {
                    "identity": {
                        "methods": ["password"],
                        "password": {"user": {"name": user, "domain": {"name": dom}, "password": pw}},
                    },
                    "scope": {"project": {"name": project, "domain": {"name": dom}}},
                }
            },
        )
        r.raise_for_status()
        self.token = r.headers["X-Subject-Token"]
        self.project_id = r.json()["token"]["project"]["id"]

    def call(self, method, svc, path, body=None, ok404=False, ok409=False, headers=None, data=None):
        if not self.token:
            self.auth()
        pre = self.PATH[svc] + ("/" + self.project_id if svc == "cinder" else "")
        url = "http://%s:%d%s%s" % (IP, PORT[svc], pre, path)
        h = {"X-Auth-Token": self.token}
        h.update(self.HEAD.get(svc, {}))
        h.update(headers or {})
        for n in range(3):
            r = self.s.request(method, url, json=body, data=data, headers=h, timeout=300)
            if r.status_code in (500, 503, 504) and n < 2:
                time.sleep(1 + n)
                continue
            break
        if (r.status_code == 404 and ok404) or (r.status_code == 409 and ok409):
            return None
        if r.status_code >= 400:
            raise RuntimeError(f"{method} {url} -> {r.status_code} {r.text[:400]}")
        try:
            return r.json()
        except ValueError:
            return {}

    def get(self, svc, path, **kw):
        return self.call("GET", svc, path, **kw)

    def post(self, svc, path, body, **kw):
        return self.call("POST", svc, path, body, **kw)

    def put(self, svc, path, body=None, **kw):
        return self.call("PUT", svc, path, body, **kw)

    def find(self, svc, kind, **flt):
        from urllib.parse import urlencode

        plural = kind[:-1] + "ies" if kind.endswith("y") else kind + "s"
        path = "/" + plural.replace("_", "-")
        if svc in ("keystone", "nova", "glance"):
            path = "/" + plural
        r = self.get(svc, path + "?" + urlencode(flt))
        return (r.get(plural) or [None])[0]

    def ensure(self, svc, kind, body, path=None, key=("name",), flt=None):
        f = dict(flt or {}, **{k: body[k] for k in key})
        if kind in ("project", "user") and "domain_id" in body:
            f["domain_id"] = body["domain_id"]
        x = self.find(svc, kind, **f)
        if x:
            return x
        plural = kind[:-1] + "ies" if kind.endswith("y") else kind + "s"
        p = "/" + (plural if svc in ("keystone", "nova", "glance") else plural.replace("_", "-"))
        return self.post(svc, path or p, {kind: body})[kind]


def pmap(fn, items, workers=6):
    """fn over items with threads; the first error is raised at the end."""
    with cf.ThreadPoolExecutor(workers) as ex:
        return list(ex.map(fn, items))


def wait_for(fn, timeout=1800, step=2.0):
    end = time.time() + timeout
    while time.time() < end:
        r = fn()
        if r:
            return r
        time.sleep(step)
    raise SystemExit("timed out")


def list_all(a, svc, path, key):
    """Marker paging by hand."""
    out, marker = [], ""
    while True:
        sep = "&" if "?" in path else "?"
        r = a.get(svc, "{}{}limit=500{}".format(path, sep, "&marker=" + marker if marker else ""))[key]
        out += r
        if len(r) < 500:
            return out
        marker = r[-1]["id"]
