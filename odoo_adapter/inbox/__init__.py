"""The inbox: one manual model and two server actions in Odoo that make each posting exactly once.

A request is the context key `uns` of `ir.actions.server.run`:

    {"op": "hello"}               -> {"inbox": 7, "kinds": [...], "uid", "login", "su", "company", "db_time", "sha"}
    {"op": "find", "keys": [...]} -> {"inbox": 7, "results": [{"key", "status": "done", "result"}]}
    {"mode": "each", "tx": [{"key", "kind", "hash", "lane", "by", "p"}]}
                                  -> {"inbox": 7, "results": [...]}, one per tx, in order

`sha` is the SHA-256 of the actions' texts as they stand in Odoo; `db_time` is the database's, naive UTC. A simulator
adds `"simulator": true`. `by` says who caused the transaction (rule, version, topic); it is kept with the record and
is not part of `hash`, so that the same fact under a new rule version is still the same fact.

`lane` is the order reference, or the equipment where there is no order: after a refusal or a conflict the lane's
later transactions of the batch are not tried (those applied before still answer `dup`). A result is one of

    {"key", "status": "done",     "result": {"model", "id", ...}}      applied now
    {"key", "status": "dup",      "result": {...}}                     applied before, with the first result
    {"key", "status": "conflict", "result": {...}}                     applied before with another `hash`
    {"key", "status": "refused",  "code", "message"}                   nothing was changed
    {"key", "status": "held",     "code", "message"}                   nothing was changed; it needs a `consent`
    {"key", "status": "passed"}                                        an earlier one of its lane was refused

Names, not ids, go in (product default code, lot name, work center code, equipment serial number, unit name),
except orders and work orders, whose ids stand in their references (`mo-42`, `wo-57`). Times are Odoo's naive
UTC strings in whole seconds. Quantities are decimal strings. Keys do not begin with `@`: such rows are the inbox's
own (`@inbox`, `@upto:<stream>`, `@lot:...`). Payloads `p` by kind:

    start        wo, at
    pause        wo, at
    finish       wo, at, [start]
    progress     order, stream, upto, uom, [bases], [corrected], [over | consent]
    correct      order, corrects, qty, less, uom, [lot], reason, [bases], [corrected], [over | consent]
    complete     order, qty, uom, [lot], consume: [{product, qty, uom, [lot]}], at, [hold: true], [serials],
                 [byproducts: [{product, qty, uom, [lot]}]], [short: "backorder"], [recorded], [over | consent]
    consume      order, product, qty, uom, [lot], at, [consent]
    lot          product, lot, [expires]
    scrap        [order], [product], qty, uom, [lot], reason
    downtime     wc, [order], start, end, loss, text, mark, [reason], [parts: [[start, end, shift]]]
    downtime_open wc, [order], start, loss, text, mark, [reason]
    block        wc, [order], start, until, loss, text, mark, [reason]
    unblock      wc, start, end, mark
    note         order, text
    maintenance  serial, name, text, priority, at, [team], [schedule], cause
    maintenance_close  serial, cause, at, [hours], text
    hold, release  product, [lot], [qty, uom], [text]
    inspection   order | product, lot | serial, [lot], name, text, due, [user]
    result       order | product, lot | serial, [lot], [name], text

`over` is the share above the order's quantity that is allowed, `consent` who allowed any; `bases` are the totals of the
order's streams (`{stream: [total, uom]}`) and `corrected` is what corrections added to them (in the order's unit), as
far as the sender knows what was applied, perhaps not by the inbox. `short` makes what was not made an order of its own.
None of them is part of `hash`. `serials` are serial numbers, one for each piece; `less` is the sign of a correction.
`hold` sends the goods to the hold location. `recorded` are the components of which consumption was recorded as far as
the sender knows, no part of `hash` either.
`loss` is a loss category: material_availability, breakdown, setup, reduced_speed, defect, productive, unclassified.

What a kind does beyond its name: `start` and `finish` leave the order's quantity alone and keep the machine's times;
`finish` writes productive time from start to end less the stops recorded in between. Both are applied where the work
order is that far already (`already` in the result): then a start changes nothing, and a finish only the time that
nobody but the bridge's own completion of the order wrote. `progress` adds max(0, upto - max(stored, base)) per stream;
on a done order it adds nothing (`added` 0, `covered` true) where what is produced now is no less than the totals of all
its streams, this one included, and is refused with `order_state` otherwise, whatever `over` or `consent` say.
`complete` consumes components that `consume` does not name, and makes by-products that `byproducts` does not name, at
the bill of materials' ratio, refuses where such a one is tracked, and reads everything back; `orders` in the result are
those that were closed (before Odoo 19 several serial numbers need one order each), `backorder` is what is left.
`correct` moves the order's quantity, and the totals go on from there; of a done order it takes pieces apart again with
an unbuild order. `scrap` of an order's own product before the order is done never touches stock: the pieces go from
production to scrap, in the lot given or one named like the order.

`consume` adds to what the component's move shows as used, in the unit given, and marks it as consumed by hand;
`complete` leaves such a component as it is, unless it names it. It is held where the order has no such component, where
the lot had expired at `at`, and where the lot lies on hold. `lot` leaves a lot that is there as it is.

`pause` ends the bridge's own time of the work order at the machine's moment, and a start after it begins another;
people's times stay. `mark` names a stop of an equipment, `reason` the plant's own loss reason, `parts` the shifts;
none of them is part of `hash`. Times of stops never overlap: a new one takes what neither another stop nor a person's
time on a work order has (`covered` in the result where that is nothing), and the bridge's own run times give way to
it. `downtime_open` makes a row without end that `downtime` of the same `mark` ends; one that a person ended stays
(`already`), and so does a reason that a person gave. `block` opens the stop, keeps the work center out of planning
until `until` (said again: longer), and has Odoo plan up to 50 orders anew that were planned in that time (`moved`,
`left`); `unblock` ends both, and brings back those that stand where they were moved to.

Codes of refusals: held, precision, untracked, expiry, missing, ambiguous, bad_request, order_state, wo_state,
quantity, too_much, unit, stream, strict, no_lot, lot_missing, lot_ambiguous, serials, no_component, consume_missing,
no_byproduct, byproduct_missing, no_stock, not_held, reserved, loss, bad_interval, verify_state, verify_consume,
verify_byproduct, verify_lot, verify_backorder, verify_genealogy, verify_hold, verify_wo; and Odoo's own error classes
(UserError, AccessError, ...).
"""
