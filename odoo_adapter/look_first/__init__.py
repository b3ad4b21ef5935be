"""Posting without the inbox: each kind of transaction looks at what stands in Odoo before each step.

`odoo.py` is the way in; `attempt.py` and `steps.py` are what every kind works with; one module per family of kinds.
A kind has two functions: `apply` carries a transaction out, whatever of it stands already, and `find` tells whether all
of it stands. What tells one transaction from another is its key, which every record that it makes carries.
"""
