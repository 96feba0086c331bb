"""The framed output, taken apart: nothing that a host prints can pass for another answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collectors.host.accounts import shadow_lines
from collectors.host.reader import Output, Refusal
from collectors.linux.answers import Answer, ScriptReader, transcript
from collectors.linux.questions import FILES, SOCKETS

W = "0123456789abcdef"


def told(*parts: bytes) -> bytes:
    return b"".join(parts).replace(b"@", W.encode())


def test_answers_in_order_with_what_came_before() -> None:
    output = told(
        b"motd\nno\xff\n\n@! start\n\n@? f /a\nx\ny\n\n@. ok\n\n@? c uname -m\narm\n\n@. status 3\n\n@! done\n"
    )
    found = transcript(output, W)
    assert (found.started, found.whole, found.preface.strip()) == (True, True, b"motd\nno\xff")
    assert found.answers == {"f /a": Answer("ok", b"x\ny\n"), "c uname -m": Answer("status 3", b"arm\n")}
    reader = ScriptReader(found.answers)
    assert reader.read_file("/a") == b"x\ny\n"
    assert reader.run(("uname", "-m")) == Output(3, b"arm\n")


def test_an_answer_without_end_is_unreadable_and_shifts_no_other() -> None:
    output = told(b"\n@! start\n\n@? f /a\ncut off by head\n@? f /b\nb\n@. ok\n\n@? f /c\nno end")
    found = transcript(output, W)
    assert not found.whole
    reader = ScriptReader(found.answers)
    assert reader.read_file("/a") is Refusal.UNREADABLE
    assert reader.read_file("/b") == b"b"
    assert reader.read_file("/c") is Refusal.UNREADABLE


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_content_is_kept_byte_for_byte(one: bytes, two: bytes) -> None:
    w = W.encode()
    output = b"\n%s? f /a\n%s\n%s. ok\n\n%s? f /b\n%s\n%s. ok\n" % (w, one, w, w, two, w)
    found = transcript(output, W).answers
    assert [found["f /a"].content, found["f /b"].content] == [one, two]


@given(st.binary(max_size=400))
def test_nothing_raises(output: bytes) -> None:
    found = transcript(output.replace(b"@", W.encode()), W)
    reader = ScriptReader(found.answers)
    reader.read_file("/etc/shadow")
    reader.list_dir("/proc")


def reader_of(**more: tuple[str, str]) -> ScriptReader:
    answers = {"u": Answer("ok", b"1000")}
    answers |= {
        name.replace("_", " "): Answer(status, text.encode()) for name, (status, text) in more.items()
    }
    return ScriptReader(answers)


def test_what_was_not_asked_is_unreadable_and_remembered() -> None:
    reader = reader_of()
    assert reader.read_file("/etc/own.conf") is Refusal.UNREADABLE
    assert reader.list_dir("/etc/own.d") is Refusal.UNREADABLE
    assert reader.modified("/etc/x") is Refusal.UNREADABLE
    assert reader.run(("lscpu",)) is Refusal.UNREADABLE
    assert list(reader.missed) == [
        ("f", "/etc/own.conf"),
        ("d", "/etc/own.d"),
        ("m", "/etc/x"),
        ("c", "lscpu"),
    ]


def test_shadow_is_put_together_from_parts_without_a_hash() -> None:
    states = "root:$y\nold:!$1\ndes:.............\nlocked:!\nnone:*\nempty:\n"
    dates = "root:19000:0:90:7::\nold:1::::\ndes:1:::::20000\nlocked::::::\nnone::::::\nempty::::::\n"
    data = reader_of(w_state=("ok", states), w_dates=("ok", dates)).read_file("/etc/shadow")
    assert isinstance(data, bytes)
    rows = shadow_lines(data)
    assert {n: (r.state, r.algorithm) for n, r in rows.items()} == {
        "root": ("set", "yescrypt"), "old": ("locked", "md5"), "des": ("set", "des"),
        "locked": ("locked", None), "none": ("none", None), "empty": ("empty", None),
    }  # fmt: skip
    assert rows["root"].max_days == 90
    assert rows["des"].expires is not None
    for bad in ("root:1\n", "other:19000:0:90:7::\n" + dates.split("\n", 1)[1], dates + "more:1::::\n"):
        reader = reader_of(w_state=("ok", states), w_dates=("ok", bad))
        assert reader.read_file("/etc/shadow") is Refusal.UNREADABLE
    denied = reader_of(w_state=("denied /usr/bin/cut -d$ -f1,2 /etc/shadow", ""), w_dates=("ok", dates))
    assert denied.read_file("/etc/shadow") is Refusal.DENIED
    assert denied.root_commands == ["/usr/bin/cut -d$ -f1,2 /etc/shadow"]


def test_files_that_root_printed_stand_for_those_denied() -> None:
    printed = "/etc/sudoers\0root ALL=(ALL) ALL\n/etc/sudoers\0@includedir /etc/sudoers.d\n/etc/sudoers.d/a\0u ALL=ALL\n"
    answers = {
        "u": Answer("ok", b"1000"),
        f"c {FILES}": Answer("elevated 2", printed.encode()),
        "f /etc/sudoers": Answer("denied", b""),
        "d /etc/sudoers.d": Answer("denied", b""),
        "d /etc/audit/rules.d": Answer("denied", b""),
        "f /etc/audit/audit.rules": Answer("denied", b""),
        "f /etc/login.defs": Answer("denied", b""),
    }
    reader = ScriptReader(answers)
    assert reader.read_file("/etc/sudoers") == b"root ALL=(ALL) ALL\n@includedir /etc/sudoers.d\n"
    assert reader.list_dir("/etc/sudoers.d") == ["a"]
    assert reader.read_file("/etc/sudoers.d/a") == b"u ALL=ALL\n"
    assert reader.list_dir("/etc/audit/rules.d") == []
    assert reader.read_file("/etc/audit/audit.rules") is Refusal.NOT_FOUND
    assert reader.read_file("/etc/login.defs") is Refusal.DENIED
    # a grep that did not understand its options printed nothing, which is no absence
    empty = ScriptReader(answers | {f"c {FILES}": Answer("elevated 2", b"")})
    assert empty.read_file("/etc/sudoers") is Refusal.DENIED
    assert empty.list_dir("/etc/sudoers.d") is Refusal.DENIED
    assert empty.read_file("/etc/audit/audit.rules") is Refusal.DENIED


def test_holders_of_sockets_by_ls_and_by_ss() -> None:
    line = (
        'tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=7,fd=3),("x",pid=8,fd=5)) ino:4711 sk:1 <->'
    )
    reader = reader_of(o=("ok", "9:\n0 ?\n3 55\n"), p=("ok", "7 sshd\n8 x\n9 own\n10 other\n"))
    assert reader.list_dir("/proc/9/fd") == ["0", "3"]
    assert reader.read_link("/proc/9/fd/3") == "socket:[55]"
    assert reader.read_link("/proc/9/fd/0") is Refusal.DENIED
    assert reader.list_dir("/proc/7/fd") is Refusal.DENIED
    more = ScriptReader({"u": Answer("ok", b"5"), f"c {SOCKETS}": Answer("elevated 0", line.encode())})
    assert more.read_link("/proc/7/fd/3") == "socket:[4711]"
    assert more.read_link("/proc/8/fd/5") == "socket:[4711]"
    assert more.list_dir("/proc/10/fd") is Refusal.DENIED


def test_a_listing_that_failed_owns_no_socket() -> None:
    """Without ls nothing is listed; that must not read as "the kernel's own"."""
    reader = ScriptReader({"u": Answer("ok", b"0"), "o": Answer("ok", b""), "p": Answer("ok", b"7 sshd\n")})
    assert reader.list_dir("/proc/7/fd") is Refusal.UNREADABLE


def test_a_command_that_timed_out_is_unreadable() -> None:
    reader = ScriptReader({"c lscpu": Answer("status 124", b"half")})
    assert reader.run(("lscpu",)) is Refusal.UNREADABLE
