"""Where the poller reads master data from: the plant's Odoo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bridge.master.reading import Reading
from bridge.online.check import compare_with, texts_of
from bridge.plant import Content, Plant, is_rule_file
from odoo_adapter.client.api import OdooApi
from odoo_adapter.rights import read_account
from odoo_adapter.survey.document import read_documents


class OdooMaster:
    """The master data of a plant's Odoo, over a connection that others use too: its pace holds for all of them. It is
    compared with what is `live` when it is read."""

    def __init__(self, plant: Plant, odoo: OdooApi, live: Callable[[], Content]) -> None:
        self._plant = plant
        self._texts = {name: text for name, text in texts_of(plant).items() if not is_rule_file(name)}
        self._odoo = odoo
        self._live = live

    async def read(self) -> Reading:
        plant = replace(self._plant, content=self._live())
        texts = {name: plant.content.texts.get(name, text) for name, text in self._texts.items()}
        compared = await compare_with(self._odoo, plant, {**texts, **plant.rule_files})
        documents = await read_documents(self._odoo, await read_account(self._odoo))
        return Reading(documents=documents, differences=tuple(str(problem) for problem in compared.problems))
