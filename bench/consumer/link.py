"""The bridge's two links and nothing behind them: what receiving alone costs."""

from __future__ import annotations

import asyncio

from bench.consumer.arguments import DOCUMENT_FILTER, SPARKPLUG_FILTER, counter, read_arguments, say
from bridge.broker.link import BrokerLink, LinkSettings, LinkUp, Message, Subscription
from bridge.broker.paho import PahoLink


async def main() -> None:
    """Follow until killed."""
    given = read_arguments()
    one_more = counter(given)
    up: list[LinkUp] = []

    async def follow(link: BrokerLink) -> None:
        while True:
            match await link.next_event():
                case Message(token=token):
                    if token:
                        await link.acknowledge(token)
                    one_more()
                case LinkUp() as event:
                    up.append(event)
                    if len(up) == 2:
                        say("ready")

    async with asyncio.TaskGroup() as tasks:
        for filter, qos in ((SPARKPLUG_FILTER, 0), (DOCUMENT_FILTER, 1)):
            settings = LinkSettings(host="127.0.0.1", port=given.port, client_id=f"bench-{qos}")
            link = PahoLink(settings, [Subscription(filter=filter, qos=qos)])
            tasks.create_task(link.run())
            tasks.create_task(follow(link))


if __name__ == "__main__":
    asyncio.run(main())
