"""What a broker link raises.

LinkLost                  the session could not be made, or the publication cannot be known to have arrived
  SessionRefused          the broker answered, and declined the session: log-in, version, client id
  SubscriptionRefused     the broker took the session, and declined a subscription
  PublicationRefused      the broker said that it will not take it (MQTT 5 tells, 3.1.1 does not)
  Unheard                 nobody reads what was to be `heard` (MQTT 5 tells, 3.1.1 does not)
"""


class LinkLost(Exception):
    """The session is down, or ended before the broker acknowledged. Publishing the same again is safe."""


class SessionRefused(LinkLost):
    """The broker is there and does not want this session."""


class SubscriptionRefused(LinkLost):
    """The broker does not let us read this."""


class PublicationRefused(LinkLost):
    """The broker took the bytes and refused the publication: no right to the topic, or its quota is used up.

    Publishing the same again is safe, and useless until somebody changes the broker.
    """


class Unheard(LinkLost):
    """The broker took the publication, and says that nobody has subscribed to it. The session stands."""
