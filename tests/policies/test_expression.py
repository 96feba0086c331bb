"""The restricted expression: what it takes, what it refuses and where, and what it means."""

from datetime import UTC, datetime

import pytest

from inventory.kinds import KINDS
from inventory.kinds.address import Address
from inventory.kinds.cloud import Quota
from inventory.kinds.compute import Server
from inventory.kinds.host import Host, PasswordPolicy
from inventory.kinds.identity import User
from inventory.kinds.virtual_network import SecurityGroup, SecurityGroupRule
from inventory.resource import Relation
from inventory.unknown import UNKNOWN
from policies.expression import ExpressionError, parse
from policies.kleene import answer

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def truth(text: str, resource: object) -> bool | None:
    return answer(parse(text, type(resource)), resource, NOW).truth


def user(**values: object) -> User:
    return User(source="s", native_id="1", **values)


REFUSED = [
    # (kind, text, place in it, words of the message)
    ("user", "__import__('os').system('id')", 0, "不能调用方法"),
    ("user", "__import__('os')", 0, "没有函数"),
    ("user", "it.__class__", 3, "下划线"),
    ("user", "it.name.__len__() > 1", 0, "不能调用方法"),
    ("user", "it.name.__len__ == 1", 8, "下划线"),
    ("user", "it.name.upper() == 'X'", 0, "不能调用方法"),
    ("user", "(lambda: True)()", 0, "不能调用方法"),
    ("user", "lambda: True", 0, "不能定义函数"),
    ("user", "[r for r in it.roles] == []", 0, "推导式"),
    ("user", "{r for r in it.roles} == []", 0, "推导式"),
    ("user", "len({r: r for r in it.roles}) > 1", 4, "推导式"),
    ("user", "any(r for r in it.roles for s in it.roles)", 0, "只能有一个 for"),
    ("user", "any(r == 'a' for r in it.roles if r)", 0, "只能有一个 for"),
    ("user", "any([True])", 0, "条件和 for"),
    ("user", "any(it == 'a' for it in it.roles)", 18, "循环变量不能叫 it"),
    ("user", "any(_r == 'a' for _r in it.roles)", 18, "循环变量不能叫 _r"),
    ("user", "f'{it.name}' == 'a'", 0, "f 字符串"),
    ("user", "it.name[0] == 'a'", 0, "下标"),
    ("user", "it.enabled if True else False", 0, "if"),
    ("user", "(x := it.enabled)", 1, "赋值"),
    ("user", "it.enabled is True", 0, "不能用 is"),
    ("user", "it.name is not None", 0, "不能用 is"),
    ("user", "2 ** 64 > 1", 0, "不能用 BinOp"),
    ("user", "len(it.roles) * 9 > 1", 0, "不能用 BinOp"),
    ("user", "it.name + 'x' == 'ax'", 0, "加减只能用于数字"),
    ("user", "b'a' == it.name", 0, "bytes 常量"),
    ("user", "len(it.roles) > 99999999999999999999", 16, "数字太大"),
    ("user", "it.nmae == 'a'", 3, "是不是 name？"),
    ("user", "it.enabled and mfa", 15, "没有名字 mfa"),
    ("user", "lenn(it.roles) > 1", 0, "是不是 len？"),
    ("user", "it.name", 0, "要一个条件"),
    ("user", "it.enabled == 1", 14, "不能和整数比较"),
    ("user", "it.roles == 'admin'", 12, "不能和文字比较"),
    ("user", "it.enabled == None", 14, "不会是空值"),
    ("user", "it.name in ()", 11, "空列表"),
    ("user", "it.name in it.enabled", 14, "in 的右边要列表"),
    ("user", "it.name in (it.domain, 'a')", 15, "只能写常量"),
    ("user", "it.name > 3", 0, "不能比大小"),
    ("user", "days_until(it.password_expires_at) < 0", 14, "!= None and"),
    ("user", "days_until(it.name) < 0", 14, "时间"),
    ("user", "matches(it.name, it.name)", 20, "只能写常量"),
    ("user", "matches(it.name, '*********')", 17, "通配符太多"),
    ("user", "len() > 1", 0, "参数个数"),
    ("user", "len(it.roles, x=1) > 1", 0, "参数不写名字"),
    ("user", "any(any(any(x == 'a' for x in b) for b in a) for a in it.mfa_rules)", 8, "嵌套"),
    ("user", "", 0, "空的"),
    ("user", "it.enabled and", 14, "语法错误"),
    ("user", "it.enabled) or (True", 0, "括号不配对"),
    ("user", "it.enabled, it.mfa_enabled", 0, "逗号"),
    ("user", "it.enabled # and more", 11, "注释"),
    ("user", "(" * 250 + "True" + ")" * 250, 0, "语法错误"),
    ("user", "not " * 60 + "it.enabled", 0, "嵌套太深"),
    ("user", "it.enabled or " * 400 + "it.enabled", 0, "太长"),
    ("user", "it.name in (" + "'a'," * 900 + ")", 0, "太大"),
    ("host", "it.password_policy.max_days > 90", 19, "!= None and"),
    ("host", "it.password_policy.maxdays == 90", 19, "是不是 max_days？"),
    ("host", "it.os_origin == 'domestik'", 16, "是不是 domestic？"),
    ("host", "it.os_origin in ('domestic', 'foriegn')", 29, "是不是 foreign？"),
    ("host", "it.os_name.x == 1", 11, "没有字段 x"),
    ("host", "any(x == 1 for x in it.os_name)", 23, "只能走列表字段"),
    ("security_group", "any(r.remot == None for r in it.rules)", 6, "是不是 remote？"),
    ("security_group", "any(covers(r.port_min, r.port_max, r.port_min) for r in it.rules)", 37, "整数或列表"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "offset", "words"), REFUSED, ids=[r[1][:40] for r in REFUSED])
def test_refused_with_place_and_reason(kind: str, text: str, offset: int, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text, KINDS[kind])
    assert words in str(caught.value)
    if offset:
        assert caught.value.offset == offset


def test_none_is_excluded_by_what_stands_before() -> None:
    for text in (
        "it.password_policy.max_days != None and it.password_policy.max_days > 90",
        "it.password_policy.max_days == None or it.password_policy.max_days > 90",
        "not (it.password_policy.max_days == None) and it.password_policy.max_days > 90",
        "it.password_policy.max_days in (90, 99999) and it.password_policy.max_days > 90",
        "it.password_policy.max_days not in (None, 0) and it.password_policy.max_days > 90",
    ):
        parse(text, Host)
    for text in (
        "it.password_policy.max_days == None and it.password_policy.max_days > 90",
        "it.password_policy.max_days != None or it.password_policy.max_days > 90",
        "it.password_policy.max_days != 5 and it.password_policy.max_days > 90",
        "it.password_policy.max_days in (None, 5) and it.password_policy.max_days > 90",
    ):
        with pytest.raises(ExpressionError, match="可能是空值"):
            parse(text, Host)


def test_reads_names_fields_down_to_the_row() -> None:
    text = "it.default and any(r.remote == None and r.port_min == 1 for r in it.rules)"
    assert parse(text, SecurityGroup).reads == ("default", "rules", "rules[].remote", "rules[].port_min")
    assert parse("it.password_policy.max_days == 1", Host).reads == ("password_policy.max_days",)


def test_and_or_not_follow_kleene_in_either_order() -> None:
    half = user(enabled=False)
    assert truth("it.mfa_enabled and it.enabled", half) is False
    assert truth("it.enabled and it.mfa_enabled", half) is False
    assert truth("it.mfa_enabled or not it.enabled", half) is True
    assert truth("it.mfa_enabled or it.enabled", half) is None
    assert truth("not it.mfa_enabled", half) is None
    assert truth("it.mfa_enabled == it.enabled", half) is None


def row(**values: object) -> SecurityGroupRule:
    return SecurityGroupRule(**values)


def test_any_and_all_and_count_over_rows_of_which_some_were_not_seen() -> None:
    def group(*rows: SecurityGroupRule) -> SecurityGroup:
        return SecurityGroup(source="s", native_id="1", rules=list(rows))

    yes, no, open_ = row(direction="ingress"), row(direction="egress"), row()
    any_, all_ = (f'{word}(r.direction == "ingress" for r in it.rules)' for word in ("any", "all"))
    count = 'count(r.direction == "ingress" for r in it.rules) > 0'
    assert [truth(any_, g) for g in (group(open_, yes), group(open_, no), group(no), group())] == [
        True, None, False, False,
    ]  # fmt: skip
    assert [truth(all_, g) for g in (group(open_, no), group(open_, yes), group(yes), group())] == [
        False, None, True, True,
    ]  # fmt: skip
    assert [truth(count, g) for g in (group(yes, no), group(no), group(yes, open_))] == [True, False, None]
    assert truth(any_, SecurityGroup(source="s", native_id="1")) is None


def test_missing_names_what_was_asked_for_and_not_seen() -> None:
    group = SecurityGroup(source="s", native_id="1", rules=[row(direction="ingress"), row()])
    text = 'any(r.direction == "ingress" and r.remote == None for r in it.rules)'
    assert answer(parse(text, SecurityGroup), group, NOW).missing == ("rules[].remote", "rules[].direction")
    host = Host(source="s", native_id="1")
    assert answer(parse("it.ssh.running", Host), host, NOW).missing == ("ssh",)


def test_hostile_value_is_an_error_and_no_answer() -> None:
    group = SecurityGroup(source="s", native_id="1", rules=[row(remote="not a prefix")])
    result = answer(parse("any(is_any_address(r.remote) for r in it.rules)", SecurityGroup), group, NOW)
    assert result.truth is None
    assert "not a prefix" in result.errors[0]


def test_functions() -> None:
    server = Server(
        source="s",
        native_id="1",
        name="web-01",
        labels={"zone": "互联网区"},
        addresses=[Address(address="203.0.114.9", family="ipv4"), Address(address="10.0.0.1", family="ipv4")],
        created_at=datetime(2025, 12, 22, tzinfo=UTC),
        relations=[Relation("in_project", "s/project/p")],
    )
    assert truth('matches(it.name, "db-*", "web-*")', server) is True
    assert truth('matches(it.name, "WEB-*")', server) is False
    assert truth('lower("WEB") == "web" and get(it.labels, "zone") == "互联网区"', server) is True
    assert truth('get(it.labels, "level") == None', server) is True
    assert truth("count(is_global(a.address) for a in it.addresses) == 1", server) is True
    assert truth("days_since(it.created_at) == 10 and days_until(it.created_at) == -10", server) is True
    assert truth("days_since(it.created_at) + 1 - 1 == 10", server) is True
    assert truth('any(r.type == "in_project" for r in it.relations)', server) is True
    assert truth('"10.0.0.1" in it.security_groups', server) is None
    assert truth("it.created_at < now", server) is True
    quota = Quota(source="s", native_id="1", limits={"cores": -1})
    assert truth("any(v == -1 for v in values(it.limits))", quota) is True
    assert truth('"cores" in it.limits and get(it.limits, "ram") == None', quota) is True
    assert truth("it.security_groups == []", Server(source="s", native_id="1", security_groups=[])) is True


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (22, 22, True),
        (1, 1024, True),
        (None, None, True),
        (None, 21, False),
        (23, None, False),
        (22, None, True),
    ],
)
def test_covers(low: int | None, high: int | None, expected: bool) -> None:
    group = SecurityGroup(source="s", native_id="1", rules=[row(port_min=low, port_max=high)])
    assert truth("any(covers(r.port_min, r.port_max, 22) for r in it.rules)", group) is expected
    assert truth("any(covers(r.port_min, r.port_max, (7, 22)) for r in it.rules)", group) is (
        expected or (low or 0) <= 7 <= (high or 65535)
    )


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        (None, True), ("0.0.0.0/0", True), ("::/0", True), ("128.0.0.0/1", True), ("2000::/3", True),
        ("0.0.0.0/2", False), ("10.0.0.0/8", False), ("2000::/4", False), ("fd00::/8", False),
    ],
)  # fmt: skip
def test_is_any_address(prefix: str | None, expected: bool) -> None:
    group = SecurityGroup(source="s", native_id="1", rules=[row(remote=prefix)])
    assert truth("any(is_any_address(r.remote) for r in it.rules)", group) is expected


def test_unknown_reaches_every_function_as_unknown() -> None:
    host = Host(source="s", native_id="1", password_policy=PasswordPolicy())
    assert host.password_policy is not UNKNOWN
    for text in (
        'lower(it.os_name) == "a"', 'matches(it.os_name, "a*")', "len(it.malware_protection) == 0",
        "it.cpus + 1 > 0", "it.cpus - 1 > 0", '"x" in it.malware_protection', 'it.os_name in ("a", "b")',
        'it.os_name not in ("a",)', "1 < it.cpus < 4", "it.password_policy.max_days == None",
    ):  # fmt: skip
        assert truth(text, host) is None, text
