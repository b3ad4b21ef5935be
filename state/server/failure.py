"""What a failure of the client means, in words."""

from __future__ import annotations

from typing import Final

from redis import exceptions

_MEANINGS: Final = {
    "OOM": "is full (maxmemory): nothing was written; raise maxmemory, or move away what else it keeps",
    "READONLY": "only reads, because it is a replica: nothing was written; give the url of the primary",
    "NOREPLICAS": "has fewer replicas than min-replicas-to-write asks for: nothing was written; start the replicas",
    "MISCONF": "cannot write to its disk: nothing was written; see its log and make room",
    "CLUSTERDOWN": "is not whole: nothing was written; it goes on when its nodes agree on a primary for every slot",
    "ASK": "is moving the keys of this site to another node: nothing was written",
    "MOVED": "is a node of a cluster, and another one has the keys of this site; name further nodes in redis.nodes",
    "LOADING": "is still loading its data",
    "NOAUTH": "asks for a password; give one",
    "Protocol error: unauthenticated": "asks for a password; give one",
    "WRONGPASS": "does not take the user or the password",
    "NOPERM": "does not let this user run what the bridge needs: scripts, and all keys that begin with uns:",
}
"""By how the server's answer begins."""


def meaning_of(error: Exception) -> str:
    """What a failure of the client means; `Redis at host:port` goes before it."""
    text = str(error)
    match error:
        case exceptions.OutOfMemoryError():
            return _MEANINGS["OOM"]
        case exceptions.ReadOnlyError():
            return _MEANINGS["READONLY"]
        case exceptions.BusyLoadingError():
            return _MEANINGS["LOADING"]
        case exceptions.NoPermissionError():
            return _MEANINGS["NOPERM"]
        case exceptions.MovedError():
            return _MEANINGS["MOVED"]
        case exceptions.AskError() | exceptions.TryAgainError():
            return _MEANINGS["ASK"]
        case exceptions.ClusterDownError():
            return _MEANINGS["CLUSTERDOWN"]
        case exceptions.AuthenticationError():
            return _MEANINGS["WRONGPASS"]
        case exceptions.ResponseError():
            told = (meaning for begins, meaning in _MEANINGS.items() if text.startswith(begins))
            return next(told, f"refused: {text}")
        case _:
            return f"cannot be reached: {text or type(error).__name__}"
