"""What the bridge publishes of an Odoo's master data is what the contract promises, for each version of Odoo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from bridge.master.source import OdooMaster
from bridge.wiring import odoo_connection
from odoo_adapter.client.api import OdooApi
from tests.bridge.beside_odoo import simulated, write_plant
from tests.bridge.master.reader import Namespace, read_once

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/contract/master-data.schema.json").read_text())


@pytest.mark.parametrize("version", ["17.0", "18.0", "19.0"])
async def test_all_kinds_are_published_as_promised(tmp_path: Path, version: str) -> None:
    namespace = Namespace()
    async with simulated(version=version) as url:
        plant = write_plant(tmp_path / "plant", url)
        api = OdooApi(odoo_connection(plant))
        source = OdooMaster(plant, api, lambda: plant.content)
        await read_once(source, namespace)
        await api.close()

    documents: list[dict[str, Any]] = [msgspec.json.decode(payload) for payload in namespace.retained.values()]
    validator = Draft202012Validator(SCHEMA, format_checker=FormatChecker())
    assert [error.message for document in documents for error in validator.iter_errors(document)] == []
    kinds = {"product", "unit", "work-center", "equipment", "loss-reason", "bom"}
    assert {document["kind"] for document in documents} - {"scrap-reason"} == kinds
    topics = [f"uns/v1/acme/berlin/master/{one['kind']}/{one['id']}" for one in documents]
    assert topics == list(namespace.retained)
