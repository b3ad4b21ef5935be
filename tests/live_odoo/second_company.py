"""A second company in a real Odoo, with a bridge user of its own, made by the administrator the first time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from odoo_adapter.client.api import OdooApi
from odoo_adapter.inbox.administrator import Administrator
from odoo_adapter.inbox.install import install

NAME: Final = "Second Company"
LOGIN: Final = "uns-bridge-2"

_KEY: Final = """
keys = env['res.users.apikeys'].with_user(env.context['uns_user']).sudo()
until = datetime.datetime.now() + datetime.timedelta(days=1)
name = 'a day of scenarios'
key = keys._generate('rpc', name, until) if env.context['uns_expires'] else keys._generate('rpc', name)
action = {'key': key}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """Its id, and its bridge's user with a fresh key."""

    company: int
    user: str
    key: str


async def second_company(admin: OdooApi, like: str) -> Second:
    """The company with a warehouse, and with the inbox for its bridge's user, who has the rights of the user `like`."""
    can = await admin.capabilities()
    company = await _ensure(admin, "res.company", "name", NAME, {})
    there = OdooApi(replace(admin.connection, company=company))
    await _ensure(there, "stock.warehouse", "company_id", company, {"name": NAME, "code": "WH2"})  # 17 has made one
    (model,) = await admin.call(
        "res.users", "search_read", writes=False, domain=[["login", "=", like]], fields=[can.groups_field]
    )
    own = {"name": LOGIN, "email": f"{LOGIN}@example.com", "company_id": company, "company_ids": [[6, 0, [company]]]}
    user = await _ensure(
        there, "res.users", "login", LOGIN, {**own, can.groups_field: [[6, 0, model[can.groups_field]]]}
    )
    await install(there, [LOGIN])
    await there.close()
    made = await Administrator(admin, can).run_once(_KEY, uns_user=user, uns_expires=can.keys_expire)
    return Second(company=company, user=LOGIN, key=str(made["key"]))


async def _ensure(odoo: OdooApi, model: str, by: str, value: object, values: Mapping[str, object]) -> int:
    domain: Sequence[object] = [[by, "=", value]]
    found: list[int] = await odoo.call(model, "search", writes=False, domain=domain, limit=1)
    if found:
        await odoo.call(model, "write", writes=True, ids=found, vals=dict(values))
    else:
        found = await odoo.call(model, "create", writes=True, vals_list=[{by: value, **values}])
    return found[0]
