"""Junos: braces and ``set`` lines are the same tree."""

from __future__ import annotations

from collectors.cli.config_words import MAX_DEPTH, Document, Words

BRACES = """## Last commit: 2026-01-05
system {
    host-name mx;
    /* telnet { } */
    services {
        ssh {
            protocol-version [ v2 v1 ];
        }
        inactive: telnet;
    }
    inactive: syslog {
        host 10.0.0.1 {
            any info;
        }
    }
    login {
        message "no; { entry";
        user a {
            authentication {
                encrypted-password "$6$x"; ## SECRET-DATA
            }
        }
    }
}
"""
SETS = """set system host-name mx
set system services ssh protocol-version v2
set system services ssh protocol-version v1
set system services telnet
deactivate system services telnet
set system syslog host 10.0.0.1 any info
deactivate system syslog
set system login message "no; { entry"
set system login user a authentication encrypted-password "$6$x"
"""


def flat(words: Words) -> dict[str, object]:
    return {name: flat(below) for name, below in words.below.items()}


def test_both_forms_are_one_tree() -> None:
    braces, sets = Document(BRACES), Document(SETS)
    assert braces.closed
    assert flat(braces.root) == flat(sets.root)
    assert not braces.root.has("system", "services", "telnet")
    assert not braces.root.has("system", "syslog")
    assert braces.root.names("system", "services", "ssh", "protocol-version") == ["v2", "v1"]
    assert braces.root.value("system", "login", "message") == "no; { entry"


def test_lines_are_the_first_on_which_a_word_stands() -> None:
    root = Document(BRACES).root
    found = {
        path: root.at(*path.split()) for path in ("system", "system services ssh", "system login user a")
    }
    assert {path: word.line for path, word in found.items() if word} == {
        "system": 2,
        "system services ssh": 6,
        "system login user a": 18,
    }


def test_a_text_whose_braces_stay_open_is_not_whole() -> None:
    assert not Document("system {\n    services {\n        ssh;\n").closed
    deep = Document("\n".join(f"a{n} {{" for n in range(5_000)))
    assert not deep.closed
    here, depth = deep.root, 0
    while here.below:
        here, depth = next(iter(here.below.values())), depth + 1
    assert depth <= MAX_DEPTH
