"""What a broker link raises.

LinkLost                  the publication cannot be known to have arrived
  PublicationRefused      the broker said that it will not take it (MQTT 5 tells, 3.1.1 does not)
"""


class LinkLost(Exception):
    """The session is down, or ended before the broker acknowledged. Publishing the same again is safe."""


class PublicationRefused(LinkLost):
    """The broker took the bytes and refused the publication: no right to the topic, or its quota is used up.

    Publishing the same again is safe, and useless until somebody changes the broker.
    """
