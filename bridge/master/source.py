"""Where the poller reads master data from: the plant's Odoo."""

from __future__ import annotations

from bridge.master.reading import Reading
from bridge.online.check import compare_with, texts_of
from bridge.plant import Plant
from odoo_adapter.client.api import OdooApi
from odoo_adapter.rights import read_account
from odoo_adapter.survey.document import read_documents


class OdooMaster:
    """The master data of a plant's Odoo, over a connection that others use too: its pace holds for all of them."""

    def __init__(self, plant: Plant, odoo: OdooApi) -> None:
        self._plant = plant
        self._texts = texts_of(plant)
        self._odoo = odoo

    async def read(self) -> Reading:
        compared = await compare_with(self._odoo, self._plant, self._texts)
        documents = await read_documents(self._odoo, await read_account(self._odoo))
        return Reading(documents=documents, differences=tuple(str(problem) for problem in compared.problems))
