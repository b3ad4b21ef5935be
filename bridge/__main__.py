"""`uns-bridge`: the commands. Each is a module of `bridge.commands`, or one beside what it is made of; this file only
names them."""

from __future__ import annotations

import typer

from bridge.commands import audit, check, console, decode, demo, nodes, odoo, orders, outbox, rules, run, send, simulate
from bridge.doctor import command as doctor

app = typer.Typer(
    name="uns-bridge",
    help="A Unified Namespace bridge: from Sparkplug and MQTT to Odoo, exactly once, and orders back.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.command)
app.command("run")(run.command)
app.command("check")(check.command)
app.command("doctor")(doctor.command)
app.add_typer(rules.app, name="rules")
app.command("simulate")(simulate.command)
app.command("decode")(decode.command)
app.add_typer(outbox.app, name="outbox")
app.add_typer(orders.app, name="orders")
app.command("nodes")(nodes.command)
app.add_typer(send.app, name="send")
app.add_typer(odoo.app, name="odoo")
app.add_typer(console.app, name="console")
app.add_typer(audit.app, name="audit")


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
