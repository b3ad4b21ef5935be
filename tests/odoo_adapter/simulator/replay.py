"""Asks a server what a recording asked another, and compares the answers, whatever ids and times either has."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from odoo_adapter.simulator.model import MODELS

RECORDED: Final = Path(__file__).with_name("recorded")

ELAPSED: Final = frozenset({"duration"})
"""Fields that hold how long the recording took."""

_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?")
_NUMBER: Final = re.compile(r"\d+")


def recording(name: str) -> list[dict[str, Any]]:
    exchanges: list[dict[str, Any]] = json.loads((RECORDED / f"{name}.json").read_text("utf-8"))
    return exchanges


@dataclass(slots=True)
class Replay:
    """One recording's replay. `ids` maps a recorded record to the one that stands for it here."""

    url: str
    headers: Mapping[str, str]
    ids: dict[tuple[str, int], int] = field(default_factory=dict)

    async def differences(self, exchanges: list[dict[str, Any]]) -> list[str]:
        """Ask everything in order; one sentence per part of an answer that is another one."""
        found = []
        async with aiohttp.ClientSession(headers=self.headers) as session:
            for number, exchange in enumerate(exchanges):
                model, method = exchange["model"], exchange["method"]
                body = self._translated(model, exchange["body"])
                async with session.post(f"{self.url}/json/2/{model}/{method}", json=body) as response:
                    status, answer = response.status, await response.json()
                self._learn(model, exchange["answer"], answer)
                recorded = [exchange["status"], self._normal(model, exchange["answer"], mapped=True)]
                given = [status, self._normal(model, answer, mapped=False)]
                found += [f"{number} {model}.{method}: {part}" for part in _different("", recorded, given)]
        return found

    def _here(self, model: str | None, id: Any) -> Any:
        return self.ids.get((model or "", id), id) if isinstance(id, int) and not isinstance(id, bool) else id

    def _translated(self, model: str, body: dict[str, Any]) -> dict[str, Any]:
        translated = dict(body)
        if "ids" in body:
            translated["ids"] = [self._here(model, id) for id in body["ids"]]
        if "domain" in body:
            translated["domain"] = [self._condition(model, item) for item in body["domain"]]
        if "vals" in body:
            translated["vals"] = self._values(model, body["vals"])
        if "vals_list" in body:
            translated["vals_list"] = [self._values(model, values) for values in body["vals_list"]]
        return translated

    def _condition(self, model: str, item: Any) -> Any:
        if not isinstance(item, list):
            return item
        target: str | None = model
        for name in item[0].split("."):
            target = target if name == "id" else MODELS[target or ""].fields[name].relation
        wanted = item[2]
        ids = [self._here(target, id) for id in wanted] if isinstance(wanted, list) else self._here(target, wanted)
        return [item[0], item[1], ids if target else wanted]

    def _values(self, model: str, values: dict[str, Any]) -> dict[str, Any]:
        translated = dict(values)
        for name, value in values.items():
            relation = MODELS[model].fields[name].relation
            if relation is not None:
                commands = isinstance(value, list)
                translated[name] = self._commands(relation, value) if commands else self._here(relation, value)
        return translated

    def _commands(self, model: str, commands: list[Any]) -> list[Any]:
        translated = []
        for command in commands:
            match command:
                case [6, _, list(ids)]:
                    translated.append([6, 0, [self._here(model, id) for id in ids]])
                case [0, _, dict(values)]:
                    translated.append([0, 0, self._values(model, values)])
                case [kind, id, rest]:
                    translated.append([kind, self._here(model, id), rest])
        return translated

    def _learn(self, model: str, recorded: Any, answer: Any) -> None:
        if not (isinstance(recorded, list) and isinstance(answer, list)):
            return
        if all(isinstance(one, int) for one in recorded):
            self.ids.update(zip([(model, id) for id in recorded], answer, strict=False))
            return
        known = {row["id"]: row for row in answer}
        rows = [(before, known.pop(self._here(model, before["id"]), None)) for before in recorded]
        left = iter(known.values())
        for before, now in rows:
            row = now or next(left, None)
            if row is not None:
                self._learn_row(model, before, row)

    def _learn_row(self, model: str, before: dict[str, Any], now: dict[str, Any]) -> None:
        self.ids[model, before["id"]] = now["id"]
        for name, value in before.items():
            kept = MODELS[model].fields.get(name)
            if kept is None or kept.relation is None or not value or not now.get(name):
                continue
            if kept.type == "many2one":
                self.ids[kept.relation, value[0]] = now[name][0]
            elif len(value) == len(now[name]):
                self.ids.update(zip([(kept.relation, id) for id in value], now[name], strict=True))

    def _normal(self, model: str, answer: Any, *, mapped: bool) -> Any:
        """Without what two servers cannot share: moments, elapsed times, numbers in names; ids `mapped` to ours."""
        if isinstance(answer, dict) and "res_model" in answer:
            return {"wizard": answer["res_model"]}
        if isinstance(answer, dict) and "arguments" in answer:
            return {"fault": answer["name"], "message": _NUMBER.sub("#", answer["message"])}
        if isinstance(answer, list):
            rows = [self._normal(model, one, mapped=mapped) for one in answer]
            return sorted(rows, key=lambda row: row["id"]) if rows and isinstance(rows[0], dict) else rows
        if isinstance(answer, dict) and "id" in answer and not isinstance(answer["id"], dict):
            return {name: self._normal_field(model, name, value, mapped) for name, value in answer.items()}
        return self._here(model, answer) if mapped else answer

    def _normal_field(self, model: str, name: str, value: Any, mapped: bool) -> Any:
        kept = MODELS[model].fields[name]
        if name in ELAPSED:
            return "elapsed"
        if name == "id":
            return self._here(model, value) if mapped else value
        if kept.type == "many2one" and value:
            return [self._here(kept.relation, value[0]) if mapped else value[0], _NUMBER.sub("#", value[1])]
        if isinstance(value, list):
            return [self._here(kept.relation, id) if mapped else id for id in value]
        if isinstance(value, str):
            return "moment" if _MOMENT.fullmatch(value) else _NUMBER.sub("#", value)
        return value


def _different(at: str, recorded: Any, given: Any) -> list[str]:
    if isinstance(recorded, list) and isinstance(given, list) and len(recorded) == len(given):
        pairs = enumerate(zip(recorded, given, strict=True))
        return [part for place, (left, right) in pairs for part in _different(f"{at}/{place}", left, right)]
    if isinstance(recorded, dict) and isinstance(given, dict) and recorded.keys() == given.keys():
        return [part for name in recorded for part in _different(f"{at}/{name}", recorded[name], given[name])]
    return [] if recorded == given else [f"{at} was {recorded!r}, is {given!r}"]
