"""The inbox: one manual model and one server action in Odoo that make each posting exactly once.

A request is the context key `uns` of `ir.actions.server.run`:

    {"op": "hello"}                                     -> {"inbox": 4, "kinds": [...], "uid", "su", "company", "db_time"}
    {"op": "find", "keys": [...]}                       -> {"inbox": 4, "results": [{"key", "status": "done", "result"}]}
    {"mode": "each", "tx": [{"key", "kind", "hash", "lane", "p"}]}
                                                        -> {"inbox": 4, "results": [...]}, one per tx, in order

`lane` is the order reference, or the equipment where there is no order: after a refusal the lane's later
transactions of the batch are not tried. A result is one of

    {"key", "status": "done",     "result": {"model", "id", ...}}      applied now
    {"key", "status": "dup",      "result": {...}}                     applied before, with the first result
    {"key", "status": "conflict", "result": {...}}                     applied before with another `hash`
    {"key", "status": "refused",  "code", "message"}                   nothing was changed
    {"key", "status": "passed"}                                        an earlier one of its lane was refused

Names, not ids, go in (product default code, lot name, work center code, equipment serial number, unit name),
except orders and work orders, whose ids stand in their references (`mo-42`, `wo-57`). Times are Odoo's naive
UTC strings in whole seconds. Quantities are decimal strings. Payloads `p` by kind:

    start        wo, at
    finish       wo, at, [start]
    progress     order, stream, upto, uom, [over]
    complete     order, qty, uom, [lot], consume: [{product, qty, uom, [lot]}], at, [hold: true], [over]
    scrap        [order], [product], qty, uom, [lot], reason
    downtime     wc, [order], start, end, loss, text
    note         order, text
    maintenance  serial, name, text, priority, at

`over` is the share above the order's quantity that is allowed; `hold` sends the goods to the hold location.
`loss` is a loss category: material_availability, breakdown, setup, reduced_speed, defect, productive, unclassified.
"""
