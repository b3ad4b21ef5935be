"""A simulator of the part of Odoo 19 that the bridge asks, for demonstrations and tests on machines without Odoo.

It is not Odoo and says so in every answer. It keeps to what was seen on real Odoo 19 servers, its traps included;
what it does not know it declines as Odoo declines an unknown model, method or field. A reader begins at `http.py`.

Known departures: one company, and another where a test asks for it; one lot per finished order, serial numbers handled
like lots; no pickings, prices or mail; no working hours, so that every minute of a stop counts; no server actions but
the inbox. A fresh database holds the company, its units, places and reasons, two users and the installed inbox.
"""
