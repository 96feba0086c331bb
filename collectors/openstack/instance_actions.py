"""Compute API v2.1 answers → what was done to servers, by whom and when.

Nova keeps an action for every command that a server was given, and keeps it after the server is gone (shown
from 2.21 on). There is no list of all: asked are the servers that changed of late, the last changed first, no
more than the source's options allow. From 2.58 on an answer starts at ``changes-since``; an older nova
answers with all that the server ever was told. What changes nothing in a server's own row (a volume attached)
does not make nova list it, and is seen only where something else did.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from collectors.openstack.client import ServiceError
from collectors.openstack.hosts import ask
from collectors.openstack.known import Known, Touched
from collectors.openstack.listing import PAGE, Mapped, Place, mapped, moment, rows, seen
from collectors.openstack.row import Row, View
from inventory.coverage import Status
from inventory.kinds.compute import ActionTrail, InstanceAction
from inventory.unknown import UNKNOWN, Maybe

_UNREAD = ServiceError("没有读到")
_SINCE = "{since}"
_DELETED = ("DELETED", "SOFT_DELETED")


class _Server(msgspec.Struct):
    id: str
    updated: datetime
    created: datetime
    name: str = ""
    tenant_id: str | None = None
    status: str = ""


class _Action(msgspec.Struct):
    action: str
    start_time: datetime | UnsetType | None = UNSET
    user_id: str | UnsetType | None = UNSET
    project_id: str | UnsetType | None = UNSET
    request_id: str | UnsetType | None = UNSET
    message: str | UnsetType | None = UNSET


def since(now: datetime, days: int) -> datetime:
    """Midnight (UTC) at which the time asked for begins, so that runs of one day ask alike."""
    return (now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)


def within(table: Sequence[Row], since: datetime, most: int) -> tuple[Row, ...]:
    """The table, asking for actions from ``since`` on, of ``most`` servers."""
    text = since.strftime("%Y-%m-%dT%H:%M:%SZ")

    def dated(row: Row) -> Row:
        params = {name: text if value == _SINCE else value for name, value in row.ask.params.items()}
        narrow = row.instead and {n: text if v == _SINCE else v for n, v in row.instead.params.items()}
        return msgspec.structs.replace(
            row,
            ask=msgspec.structs.replace(row.ask, params=params),
            instead=row.instead and msgspec.structs.replace(row.instead, params=narrow or {}),
            most=most if row.name == InstanceAction.KIND else row.most,
        )

    return tuple(dated(row) if _SINCE in row.ask.params.values() else row for row in table)


def actions(pages: list[bytes], server: str, touched: Touched, view: View) -> Mapped:
    """What one server was told."""
    place = view.place

    def make(row: _Action) -> InstanceAction:
        user = seen(row.user_id)
        request = None if isinstance(row.request_id, UnsetType) else row.request_id
        return place.make(
            InstanceAction,
            row,
            native_id=f"{server}/{request or '-'}/{row.action}",
            name=f"{touched.name} {row.action}",
            relations=_relations(place, server, touched.project),
            server=server,
            server_name=touched.name,
            started_at=UNKNOWN if isinstance(row.start_time, UnsetType) else moment(row.start_time),
            user_id=user,
            user_name=_name(user, view),
            failed=UNKNOWN if isinstance(row.message, UnsetType) else row.message is not None,
            standing=_standing(user, touched.project, view),
        )

    return mapped(pages, "instanceActions", _Action, make, place.clean)


def _relations(place: Place, server: str, project: str | None) -> Any:
    return place.relations(("in_project", "project", project), ("attached_to", "server", server))


def _name(user: Maybe[str | None], view: View) -> Maybe[str | None]:
    if not isinstance(user, str):
        return user
    if user in view.known.users:
        return view.known.users[user][0]
    return None if view.whole("user", "user", "users") else UNKNOWN


def _standing(user: Maybe[str | None], project: str | None, view: View) -> Any:
    """What the one who gave a command is today; UNKNOWN unless all users, or all roles, were seen."""
    known: Known = view.known
    if not isinstance(user, str):
        return user
    if user not in known.users:
        unseen = user in known.ids.get("user", ()) or not view.whole("user", "user", "users")
        return UNKNOWN if unseen else "gone"
    if not known.users[user][1]:
        return "disabled"
    if project is not None and project in known.roles.projects.get(user, ()):
        return "member"
    if not known.roles.names.get(user, set()).isdisjoint(view.admin_roles):
        return "administrator"
    told = view.came("effective_role", "implied_role") and view.whole(
        "role_assignment", "role_assignment", "users"
    )
    return "outsider" if told and project is not None else UNKNOWN


def trails(pages: list[bytes], view: View) -> Mapped:
    """What is recorded of each server that changed of late."""
    place = view.place
    ended = view.ended.get(InstanceAction.KIND, _UNREAD)
    broken_off = ended is not None and ended.status is not Status.PARTIAL  # within the actions of some server

    def make(row: _Server) -> ActionTrail:
        told = None if broken_off else view.known.actions_of.get(row.id)
        return place.make(
            ActionTrail,
            row,
            relations=_relations(place, row.id, row.tenant_id),
            created=UNKNOWN if view.since is None else _utc(row.created) >= view.since,
            deleted=row.status in _DELETED,
            actions=UNKNOWN if told is None else sorted(told),
        )

    return mapped(pages, "servers", _Server, make, place.clean)


def _utc(value: datetime) -> datetime:
    return moment(value) or value


def _touched(page: bytes, _: str, view: View) -> Mapped:
    found, problems = rows([page], "servers", _Server)
    for row in found:
        name = str(view.place.clean(row.name))
        changed_at = _utc(row.updated)
        view.known.touched[row.id] = Touched(name=name, project=row.tenant_id, changed_at=changed_at)
    if view.odd.get("server"):  # nova leaves a cell that is down out of this list, and does not say so
        problems.append("有的云主机所在的 cell 没有应答")
    return Mapped(problems=problems)


def _newest_first(view: View) -> list[str]:
    touched = view.known.touched
    ended = view.ended.get("touched_server", _UNREAD)
    if ended is not None and not touched:  # what there is to ask for is not known
        raise ServiceError(ended.reason, ended.remedy, ended.status)
    return sorted(touched, key=lambda server: (touched[server].changed_at, server), reverse=True)


def _actions(page: bytes, server: str, view: View) -> Mapped:
    found = actions([page], server, view.known.touched[server], view)
    if not found.problems:
        words = view.known.actions_of.setdefault(server, set())
        words.update(str(one.action) for one in found.resources if isinstance(one, InstanceAction))
    return found


_CHANGED = {"all_tenants": "1", "changes-since": _SINCE, "limit": PAGE}
_OWN = {"changes-since": _SINCE, "limit": PAGE}
ROWS: tuple[Row, ...] = (
    Row(
        name="touched_server",
        ask=ask("/servers/detail", "servers", **_CHANGED),
        instead=ask("/servers/detail", "servers", **_OWN),
        map=_touched,
        helps=dict.fromkeys(("instance_action", "action_trail"), "近期有变动的云主机没有列全"),
    ),
    Row(
        name="instance_action",
        kind="instance_action",
        ask=ask("/servers/{}/os-instance-actions", "instanceActions", **{"changes-since": _SINCE}),
        each=_newest_first,
        sight="servers",
        after=("role_assignment", "user"),
        map=_actions,
        beyond="调大来源的 action_servers，或调小 action_days",
    ),
    # once more, to set beside each of them what was recorded
    Row(
        name="action_trail",
        kind="action_trail",
        ask=ask("/servers/detail", "servers", **_CHANGED),
        instead=ask("/servers/detail", "servers", **_OWN),
        along="instance_action",
        sight="servers",
        map=lambda page, _, view: trails([page], view),
    ),
)
