"""Inspections that are asked for, where this Odoo keeps them, and the results that end them."""

from __future__ import annotations

from typing import Protocol

from odoo_adapter.look_first.attempt import Attempt, receipt
from odoo_adapter.look_first.note import leave_note, said, say, stands
from odoo_adapter.look_first.quality import activity, enterprise, oca
from odoo_adapter.look_first.quality.document import Document, asked, document_of
from odoo_adapter.odoo import Outcome, Receipt


class _Keeper(Protocol):
    """A list of inspections in Odoo: one of the modules beside this one. Each does what is lacking, and no more."""

    @property
    def MODEL(self) -> str: ...  # noqa: N802 (a constant of the module)

    async def ask(self, one: Attempt, document: Document) -> None: ...

    async def made(self, one: Attempt, document: Document) -> int: ...

    async def end(self, one: Attempt, document: Document) -> int: ...


async def apply_inspection(one: Attempt) -> Outcome:
    """The inspection, then the note by which it is known when somebody has done it."""
    document = await document_of(one)
    if found := await _standing(one, document):
        return one.applied(found)
    keepers = await _keepers(one)
    before = await _receipt(one, document, keepers, repeated=True)
    keeper = next(each for each in keepers if each is not enterprise or document.product)
    if before.model in (document.model, keeper.MODEL):
        await keeper.ask(one, document)
    await say(one, document.id, _begin(one), "", document.model)
    return one.applied(await _receipt(one, document, keepers, repeated=before.model != document.model))


async def find_inspection(one: Attempt) -> Receipt | None:
    return await _standing(one, await document_of(one))


async def apply_result(one: Attempt) -> Outcome:
    """What it answers ends first: without that the note is the last thing that can be lacking."""
    document = await document_of(one)
    if found := await stands(one, document.id, document.model):
        return one.applied(found)
    keepers = await _keepers(one) if one.text("name") else []
    closed = sum([await keeper.end(one, document) for keeper in keepers])
    id = await leave_note(one.steps, document.id, f"{one.text('text')} [{one.key}]", document.model)
    return one.applied(receipt("mail.message", id, closed=closed))


async def find_result(one: Attempt) -> Receipt | None:
    document = await document_of(one)
    return await stands(one, document.id, document.model)


async def _keepers(one: Attempt) -> list[_Keeper]:
    """The lists that this Odoo has; in the first of them inspections are asked for."""
    lists: tuple[_Keeper, ...] = (oca, enterprise)
    return [*[each for each in lists if await one.steps.has_model(each.MODEL)], activity]


def _begin(one: Attempt) -> str:
    return f"UNS bridge: asked for {asked(one)}"


async def _standing(one: Attempt, document: Document) -> Receipt | None:
    if not await said(one.steps, document.id, one.key, _begin(one), document.model):
        return None
    return await _receipt(one, document, await _keepers(one), repeated=True)


async def _receipt(one: Attempt, document: Document, keepers: list[_Keeper], *, repeated: bool) -> Receipt:
    """The inspection of this key, or the document where it is in no list any more."""
    on = f"{document.model},{document.id}"
    for keeper in keepers:
        if id := await keeper.made(one, document):
            return receipt(keeper.MODEL, id, repeated=repeated, on=on)
    return receipt(document.model, document.id, repeated=repeated, on=on)
