"""The operator's console: pages that say what is wrong, since when, what it means and what to do about it.

`server.Console` serves them from inside the bridge's process. Pages read the core between its steps and never change
it; what people do about entries enters the core as every other input does.
"""
