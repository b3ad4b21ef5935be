"""The models that the simulator has, with the fields of Odoo 19 that something here reads or writes."""

from typing import Final

from odoo_adapter.simulator.model import maintenance, manufacturing, product, quality, settings, stock
from odoo_adapter.simulator.records.schema import Model, parse_models

MODELS: Final[dict[str, Model]] = parse_models(
    "\n".join([product.TABLE, stock.TABLE, manufacturing.TABLE, maintenance.TABLE, settings.TABLE])
)

QUALITY: Final[dict[str, dict[str, Model]]] = {
    "": {},
    "oca": parse_models(quality.OCA),
    "enterprise": parse_models(quality.ENTERPRISE),
}
"""What else there is where this keeps inspections; "": nothing does."""
