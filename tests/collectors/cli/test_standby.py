"""Who takes over from a device, and lines that go together, as devices display them. The displays of HRP are those
of Huawei's public command reference, of IRF those of H3C's, of HSRP and of a Junos cluster those that the tests
of ntc-templates recorded; addresses changed."""

from __future__ import annotations

import pytest

from collectors.cli.platforms import PLATFORMS, Purpose
from collectors.cli.reading import Answer, Reading, config_facts
from collectors.cli.standby import link_groups, standbys
from inventory.coverage import Status
from inventory.kinds.network import LinkGroup, StandbyPeer
from inventory.unknown import UNKNOWN, known

HRP = " Role: active, peer: {peer}\n Running priority: 45000, peer: 45000\n Backup channel usage: 0.00%\n"
IRF_HEAD = "MemberID    Slot  Role    Priority  CPU-Mac         Description\n"
IRF_MASTER = " *+1        1     Master  32        00e0-fc0f-8c02  ---\n"
IRF_OTHER = "   2        1     {role} 1         00e0-fc0f-8c14  ---\n"
IRF_TAIL = (
    "--------\n * indicates the device is the master.\n\n The bridge MAC of the IRF is: 00e0-fc0f-8c00\n"
)
HSRP_HEAD = (
    "                     P indicates configured to preempt.\n                     |\n"
    "Interface   Grp  Pri P State   Active          Standby         Virtual IP\n"
)
CLUSTER = """Monitor Failure codes:
CS  Cold Sync monitoring        FL  Fabric Connection monitoring

Cluster ID: 1
Node   Priority Status         Preempt Manual   Monitor-failures

Redundancy group: 0 , Failover count: 1
node0  100      primary        no      no       None
node1  {priority}        {status}      no      no       None
"""
PORT = "{name} current state : {state}\nLine protocol current state : {state}\n"


def reading(platform: str, configuration: str, **texts: str) -> Reading:
    found = Reading(target="a", platform=platform)
    shown = Answer(purpose="configuration", command="c", text=configuration)
    found.config = config_facts(PLATFORMS[platform], shown, configuration, found)
    found.answers.append(shown)
    purposes: dict[str, Purpose] = {"standby": "standby", "interfaces": "interfaces"}
    found.answers += [Answer(purpose=purposes[p], command="c", text=text) for p, text in texts.items()]
    return found


@pytest.mark.parametrize(
    ("platform", "text", "expected"),
    [
        ("huawei_vrp", HRP.format(peer="standby"), [("hrp", True, "standby")]),
        ("huawei_vrp", HRP.format(peer="active"), [("hrp", True, "active")]),  # both carry a part
        ("huawei_vrp", HRP.format(peer="unknown"), [("hrp", False, None)]),
        (
            "hp_comware",
            IRF_HEAD + IRF_MASTER + IRF_OTHER.format(role="Standby") + IRF_TAIL,
            [("irf", True, "2")],
        ),
        (
            "hp_comware",
            IRF_HEAD + IRF_MASTER + IRF_OTHER.format(role="Loading") + IRF_TAIL,
            [("irf", False, None)],
        ),
        ("hp_comware", IRF_HEAD + IRF_MASTER + IRF_TAIL, [("irf", False, None)]),
        (
            "hp_comware",  # a member with two main boards is one member
            IRF_HEAD
            + IRF_MASTER
            + IRF_MASTER.replace("*+1        1     Master ", "  1        2     Standby"),
            [("irf", False, None)],
        ),
        (
            "cisco_ios",
            f"{HSRP_HEAD}Vl1         1    120 P Active  local           10.1.1.3      10.1.1.1\n"
            "Vl51        1    120 P Init    unknown         unknown         10.1.51.1\n"
            "Vl60        1    120 P Active  local           unknown         10.1.60.1\n"
            "Vl70        1    120   Standby 10.1.70.2       local           10.1.70.1\n",
            [
                ("hsrp", True, "10.1.1.3"),
                ("hsrp", False, None),
                ("hsrp", False, None),
                ("hsrp", True, "10.1.70.2"),
            ],
        ),
        (
            "juniper_junos",
            CLUSTER.format(priority=1, status="secondary"),
            [("chassis_cluster", True, "secondary")],
        ),
        ("juniper_junos", CLUSTER.format(priority=0, status="lost"), [("chassis_cluster", False, "lost")]),
        (
            "juniper_junos",
            CLUSTER.format(priority=0, status="secondary"),
            [("chassis_cluster", False, "secondary")],
        ),
    ],
)
def test_who_takes_over(platform: str, text: str, expected: list[tuple[str, bool, str | None]]) -> None:
    found = standbys(PLATFORMS[platform], reading(platform, "sysname a\nreturn\n", standby=text), str)
    assert known(found)
    assert [(one.kind, one.working, one.peer) for one in found] == expected


@pytest.mark.parametrize("platform", ["huawei_vrp", "hp_comware", "cisco_ios", "juniper_junos"])
def test_words_that_nobody_knows_tell_nothing(platform: str) -> None:
    found = standbys(
        PLATFORMS[platform], reading(platform, "sysname a\nreturn\n", standby="主备状态：正常"), str
    )
    assert found is UNKNOWN


ALONE = "sysname a\n#\ninterface GigabitEthernet0/0/1\n#\ninterface XGigabitEthernet0/0/2\n#\nreturn\n"


@pytest.mark.parametrize(
    ("more", "none"),
    [
        ("", True),
        ("interface Vlanif1\n vrrp vrid 1 virtual-ip 10.0.0.1\n#\n", False),
        ("hrp enable\n#\n", False),
        ("stack\n#\n", False),
        ("ospf 1\n area 0.0.0.0\n#\n", False),
        ("interface GigabitEthernet1/0/1\n#\n", False),
    ],
)
def test_nobody_takes_over_only_where_no_word_speaks_of_it(more: str, none: bool) -> None:
    text = ALONE.replace("return\n", f"{more}return\n")
    found = standbys(PLATFORMS["huawei_vrp"], reading("huawei_vrp", text), str)
    assert (found == []) if none else (found is UNKNOWN)


def test_a_configuration_that_broke_off_shows_no_absence() -> None:
    text = ALONE.replace("return\n", "")
    assert standbys(PLATFORMS["huawei_vrp"], reading("huawei_vrp", text), str) is UNKNOWN


def test_a_refused_command_shows_no_absence() -> None:
    found = reading("huawei_vrp", ALONE)
    found.answers.append(Answer(purpose="standby", command="c", status=Status.DENIED))
    assert standbys(PLATFORMS["huawei_vrp"], found, str) is UNKNOWN


@pytest.mark.parametrize(
    ("platform", "join", "end"),
    [
        ("huawei_vrp", " eth-trunk 1", "return"),
        ("hp_comware", " port link-aggregation group 1", "return"),
        ("cisco_ios", " channel-group 1 mode active", "end"),
        ("ruijie_os", " port-group 1", "end"),
    ],
)
def test_lines_that_go_together(platform: str, join: str, end: str) -> None:
    ports = [f"GigabitEthernet0/0/{n}" for n in (1, 2, 3)]
    text = "sysname a\n" + "".join(f"interface {p}\n{join}\n" for p in ports) + f"{end}\n"
    shown = "".join(PORT.format(name=p, state=s) for p, s in zip(ports, ("UP", "DOWN", "UP"), strict=True))
    found = reading(platform, text, interfaces=shown)
    assert link_groups(PLATFORMS[platform], found, str) == [LinkGroup(name="1", lines=3, working=2)]
    unseen = reading(platform, text, interfaces=PORT.format(name=ports[0], state="UP"))
    (group,) = link_groups(PLATFORMS[platform], unseen, str)
    assert group.working is UNKNOWN
    assert link_groups(PLATFORMS[platform], reading(platform, text), str) is UNKNOWN


def test_a_name_is_plain_text() -> None:
    (one,) = standbys(
        PLATFORMS["cisco_ios"],
        reading(
            "cisco_ios", "end\n", standby=f"{HSRP_HEAD}Vl1  1  120 P Active  local  10.1.1.3  10.1.1.1\n"
        ),
        lambda text: f"<{text}>",
    )
    assert one == StandbyPeer(kind="hsrp", name="<Vl1 1>", working=True, peer="<10.1.1.3>")
