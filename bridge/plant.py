"""The plant folder: everything that the plant edits, read and checked as a whole.

bridge.yaml      `bridge.settings`
assets.yaml      `ruleset.assets`
codes.yaml       `ruleset.codes`
workflows.yaml   the synchronisation matrix, optional
people.yaml      `bridge.lifecycle.people`, optional
rules/*.yaml     `ruleset.rules`; rules/*_test.yaml are their tests and are not read here
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from bridge.errors import ConfigError
from bridge.settings import EdgeNodeSettings, Settings, read_settings
from ruleset.assets import expand, read_assets
from ruleset.codes import read_codes
from ruleset.document import Node, read_document
from ruleset.equipment import Assets
from ruleset.problem import Problem, Problems, suggest
from ruleset.rules import Rules, compile_rules
from ruleset.transaction import Short
from state.audit import Head

BRIDGE_FILE: Final = "bridge.yaml"
ASSETS_FILE: Final = "assets.yaml"
CODES_FILE: Final = "codes.yaml"
WORKFLOWS_FILE: Final = "workflows.yaml"
RULES_FOLDER: Final = "rules"
CONTENT_FILES: Final = (ASSETS_FILE, CODES_FILE, WORKFLOWS_FILE)
PEOPLE_FILE: Final = "people.yaml"
FILES: Final = (BRIDGE_FILE, *CONTENT_FILES, PEOPLE_FILE)

_MISSING: Final = "the file is missing; docs/plant.md shows what must be in it"
TESTS_END: Final = "_test.yaml"
"""How the names of rule tests end."""
COMPLETE: Final = "production.complete"
ACTIONS: Final = frozenset(
    {
        "workorder.start",
        "workorder.pause",
        "workorder.finish",
        "production.progress",
        "production.scrap",
        COMPLETE,
        "production.correct",
        "material.consume",
        "lot.create",
        "downtime.open",
        "downtime.close",
        "downtime.record",
        "capacity.block",
        "capacity.unblock",
        "quality.request",
        "quality.result",
        "quality.hold",
        "quality.hold_stock",
        "quality.release",
        "maintenance.request",
        "maintenance.close",
        "order.publish",
        "quality.publish",
    }
)
"""What can be in the outbox: the transactions for Odoo, and the publications of order releases and of inspections."""


class SystemOfRecord(StrEnum):
    """Whose word counts where two systems differ."""

    ODOO = "odoo"
    MES = "mes"
    FLOOR = "floor"


class Mode(StrEnum):
    """How soon a workflow must reach the other side."""

    REAL_TIME = "real_time"
    NEAR_REAL_TIME = "near_real_time"
    BATCH = "batch"


class OnFailure(StrEnum):
    """What a dead letter does to the later entries of its lane."""

    WAIT = "wait"
    GO_ON = "go_on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """One row of the synchronisation matrix. Lanes with a lower `priority` go first."""

    name: str
    actions: tuple[str, ...]
    system_of_record: SystemOfRecord
    mode: Mode
    latency_ms: int
    priority: int
    on_failure: OnFailure
    alert: str | None
    alert_after_ms: int | None
    short: Short = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Which version of the folder's content this is, who approved it, and whose work it is.

    `since` is the line of the versions' log that made it live; None for one that is not.
    """

    version: str
    author: str
    approved_by: str
    since: Head | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a version of the rules is made of: everything in the folder that decides what is posted.

    `texts` are the files that it was read from. `release` None: they are as they stand in the folder, unreleased.
    """

    assets: Assets
    rules: Rules
    workflows: tuple[Workflow, ...]
    texts: Mapping[str, str]
    release: Release | None = None

    def workflow_of(self, action: str) -> Workflow | None:
        """The row of the matrix that an action belongs to."""
        return next((workflow for workflow in self.workflows if action in workflow.actions), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A plant folder in which nothing is wrong."""

    folder: Path
    settings: Settings
    content: Content

    @property
    def assets(self) -> Assets:
        """The equipment, its signals, and the code tables."""
        return self.content.assets

    @property
    def rules(self) -> Rules:
        """All rules."""
        return self.content.rules

    @property
    def workflows(self) -> tuple[Workflow, ...]:
        """The synchronisation matrix."""
        return self.content.workflows

    @property
    def release(self) -> Release | None:
        """Which version it is, where its rules are released."""
        return self.content.release

    @property
    def rule_files(self) -> Mapping[str, str]:
        """The texts of the rules, by their names below the folder."""
        return {name: text for name, text in self.content.texts.items() if is_rule_file(name)}


def load_plant(folder: Path, content: Path | None = None) -> Plant:
    """Read the folder; all but `bridge.yaml` from `content`, where that is another one.

    Raises `ConfigError` with every problem of every file.
    """
    problems = Problems()
    if not folder.is_dir():
        text = "there is no such folder; name the plant folder, which holds bridge.yaml, assets.yaml and codes.yaml"
        raise ConfigError((Problem(file=str(folder), text=text),))
    content = content or folder
    for each in {folder, content}:
        _find_strangers(each, problems)
    names = [BRIDGE_FILE, *CONTENT_FILES, *_rule_files(content)]
    texts = {name: _read(folder if name == BRIDGE_FILE else content, name, problems) for name in names}
    return _compiled(folder, {name: text for name, text in texts.items() if text is not None}, problems)


def content_of(texts: Mapping[str, str], release: Release | None = None) -> Content:
    """What these texts say, by their names below a plant folder. Raises `ConfigError` with every problem of all."""
    problems = Problems()
    for name in (ASSETS_FILE, CODES_FILE):
        if name not in texts:
            problems.add(Problem(file=name, text=_MISSING))
    _, content = _read_content(texts, problems)
    if content is None:
        raise ConfigError(problems.all)
    return replace(content, release=release)


def _compiled(folder: Path, texts: Mapping[str, str], problems: Problems) -> Plant:
    bridge_text = texts.get(BRIDGE_FILE)
    settings = read_settings(BRIDGE_FILE, bridge_text, folder, problems) if bridge_text is not None else None
    assets, content = _read_content({name: text for name, text in texts.items() if name != BRIDGE_FILE}, problems)
    if settings is not None and settings.edge_node is not None and assets is not None:
        _find_own_sources(settings.edge_node, assets, texts, problems)
    if len(problems) or settings is None or content is None:
        raise ConfigError(problems.all)
    return Plant(folder=folder, settings=settings, content=content)


def _read_content(texts: Mapping[str, str], problems: Problems) -> tuple[Assets | None, Content | None]:
    """The assets as far as they can be read, and the whole where nothing is wrong."""
    codes_text, assets_text = texts.get(CODES_FILE), texts.get(ASSETS_FILE)
    codes = read_codes(CODES_FILE, codes_text, problems) if codes_text is not None else None
    assets = read_assets(ASSETS_FILE, assets_text, codes, problems) if assets_text is not None else None
    workflows_text = texts.get(WORKFLOWS_FILE)
    workflows = () if workflows_text is None else _read_workflows(WORKFLOWS_FILE, workflows_text, problems)
    rule_files = {name: text for name, text in texts.items() if is_rule_file(name)}
    if not rule_files:
        problems.add(Problem(file=RULES_FOLDER, text="there is no rule file; add one, such as rules/production.yaml"))
    rules = _compile(rule_files, assets, problems)
    if len(problems) or assets is None or rules is None:
        return assets, None
    return assets, Content(assets=assets, rules=rules, workflows=workflows, texts=texts)


def is_rule_file(name: str) -> bool:
    """Whether a file of this name, as below the plant folder, holds rules; `_test.yaml` hold their tests."""
    return name.startswith(f"{RULES_FOLDER}/") and not name.endswith(TESTS_END)


def _read(folder: Path, name: str, problems: Problems) -> str | None:
    try:
        return (folder / name).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        if name != WORKFLOWS_FILE:
            problems.add(Problem(file=name, text=_MISSING))
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        column = error.start - error.object.rfind(b"\n", 0, error.start)
        problems.add(Problem(file=name, line=line, column=column, text="not UTF-8; save the file as UTF-8"))
    except OSError as error:
        problems.add(Problem(file=name, text=f"cannot be read: {error.strerror}"))
    return None


def _find_strangers(folder: Path, problems: Problems) -> None:
    """A file that nobody reads is most often a misspelt one."""
    for path in sorted(folder.iterdir()):
        if path.suffix in (".yaml", ".yml") and path.name not in FILES:
            problems.add(Problem(file=path.name, text=f"this file is not read{suggest(path.name, FILES)}"))
    for path in sorted((folder / RULES_FOLDER).glob("*.yml")):
        problems.add(Problem(file=_name(path), text=f'this file is not read; rename it to "{path.stem}.yaml"'))


def _find_own_sources(own: EdgeNodeSettings, assets: Assets, texts: Mapping[str, str], problems: Problems) -> None:
    """The bridge's own edge node has no readings, and a real one of its name would be a second one."""
    if not any((each.group, each.node) == (own.group, own.node) for each in assets.equipment.values()):
        return
    # What was read has forgotten its places, so the two files are read again for them.
    bridge_root = read_document(BRIDGE_FILE, texts[BRIDGE_FILE], problems)
    assets_root = read_document(ASSETS_FILE, texts[ASSETS_FILE], problems)
    if bridge_root is None or assets_root is None:
        return
    place = bridge_root.mapping()["edge_node"].place
    for source in _sources_on(own, assets_root.mapping()["equipment"]):
        source.problem(
            f"{own.group}/{own.node} is the bridge's own edge node ({place}), which only shows the orders; "
            "name the node that this equipment is on, or give edge_node a name of its own"
        )


def _sources_on(own: EdgeNodeSettings, equipment: Node) -> Iterator[Node]:
    for pattern, key, entry in equipment.entries():
        if (source := entry.mapping().get("source")) is None:
            continue
        for _, placeholders in expand(pattern, key):
            ids = {name: node.text() for name, node in source.with_placeholders(placeholders).mapping().items()}
            if (ids["group"], ids["node"]) == (own.group, own.node):
                yield source


def _rule_files(folder: Path) -> list[str]:
    return [name for path in sorted((folder / RULES_FOLDER).glob("*.yaml")) if is_rule_file(name := _name(path))]


def _name(path: Path) -> str:
    return f"{RULES_FOLDER}/{path.name}"


def _compile(files: Mapping[str, str], assets: Assets | None, problems: Problems) -> Rules | None:
    """Without assets nothing can be said about signals; what is no YAML is found all the same."""
    if assets is None:
        for name, text in files.items():
            read_document(name, text, problems)
        return None
    rules, found = compile_rules(files, assets)
    problems.extend(found)
    return rules


def _read_workflows(file: str, text: str, problems: Problems) -> tuple[Workflow, ...]:
    root = read_document(file, text, problems)
    if root is None:
        return ()
    owners: dict[str, str] = {}
    return tuple(_each_workflow(root, owners))


def _each_workflow(root: Node, owners: dict[str, str]) -> Iterator[Workflow]:
    needed = {"actions", "system_of_record", "mode", "latency", "priority", "on_failure"}
    for name, key, node in root.entries():
        if not name.strip():
            key.problem("a workflow needs a name")
        keys = node.mapping(allowed=needed | {"alert", "alert_after", "short"}, required=needed)
        alert = keys["alert"].text() if "alert" in keys else None
        alert_after_ms = keys["alert_after"].duration(at_least_ms=1000) if "alert_after" in keys else None
        if ("alert" in keys) != ("alert_after" in keys):
            node.problem("alert (who) and alert_after (how long) are needed together")
        if not needed <= keys.keys():
            continue
        actions = tuple(_each_action(keys["actions"], name, owners))
        system = keys["system_of_record"].choice(tuple(SystemOfRecord))
        mode = keys["mode"].choice(tuple(Mode))
        latency_ms = keys["latency"].duration(at_least_ms=1)
        priority = keys["priority"].integer(at_least=1, at_most=99)
        on_failure = keys["on_failure"].choice(tuple(OnFailure))
        short = _short(keys["short"], actions) if "short" in keys else "close"
        if not (system and mode and latency_ms and priority and on_failure):
            continue
        yield Workflow(
            name=name,
            actions=actions,
            system_of_record=SystemOfRecord(system),
            mode=Mode(mode),
            latency_ms=latency_ms,
            priority=priority,
            on_failure=OnFailure(on_failure),
            alert=alert,
            alert_after_ms=alert_after_ms,
            short=short,
        )


def _short(node: Node, actions: tuple[str, ...]) -> Short:
    if COMPLETE not in actions:
        node.problem(f"short belongs to the workflow of {COMPLETE}")
    return "backorder" if node.choice(("close", "backorder")) == "backorder" else "close"


def _each_action(node: Node, workflow: str, owners: dict[str, str]) -> Iterator[str]:
    members = node.items()
    if node.is_sequence and not members:
        node.problem("a workflow needs at least one action")
    for member in members:
        action = member.choice(ACTIONS)
        if action is None:
            continue
        if action in owners:
            member.problem(f'the action "{action}" belongs to the workflow "{owners[action]}" already')
        owners.setdefault(action, workflow)
        yield action
