"""What a broker link raises: `LinkLost`, when a publication cannot be known to have arrived."""


class LinkLost(Exception):
    """The session is down, or ended before the broker acknowledged. Publishing the same again is safe."""
