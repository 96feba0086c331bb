"""等保 levels that projects declare by their tags, and where several of them meet."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from collectors.openstack.row import View

_LEVEL = re.compile(
    r"(?:djbh|dengbao|等保|等级保护|mlps)[-_:= ]*(?:level|级别|等级)?[-_:= ]*([1-5])", re.IGNORECASE
)


def level_of(tags: Collection[str]) -> int | None:
    """The level that a tag such as ``djbh-level-3`` declares, the highest of several; None = no such tag."""
    levels = [int(found[1]) for tag in tags if (found := _LEVEL.search(tag))]
    return max(levels) if levels else None


def declared(view: View) -> dict[str, int] | None:
    """Project → level, of the projects that declare one; None unless all projects were seen."""
    return view.known.levels if view.whole("project", "project", "projects") else None


def on_network(levels: Mapping[str, int], owner: str | None, shared: Collection[str]) -> list[int]:
    """Levels of the projects that may use a network: its owner's, and those it is shared with ("*" = all)."""
    users = levels if "*" in shared else {owner or "", *shared}
    return sorted({levels[project] for project in users if project in levels})


def on_nodes(view: View) -> dict[str, list[int]] | None:
    """Compute node, by host name → levels of the projects whose servers it runs; None unless all projects
    and all servers were seen."""
    levels = declared(view)
    if levels is None or not view.whole("server", "server", "servers"):
        return None
    return {
        node: sorted({levels[project] for project in projects if project in levels})
        for node, projects in view.known.projects_on.items()
    }
