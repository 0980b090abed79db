"""The guard of every write: whether this server may write, and what a failure means."""

from types import TracebackType

from pymongo.errors import PyMongoError

from chat.repositories.border import is_outage, may_be_the_request, raise_outage
from chat.repositories.free_space import FreeSpace
from chat.repositories.lease import Lease


class Guard:
    """Guards a write: `async with guard:`.

    Raises DiskFullError or StoreUnavailableError when nothing was sent, OutcomeUnknownError when
    the write may have landed. An error about the request itself is raised as it is.
    """

    def __init__(self, lease: Lease, space: FreeSpace) -> None:
        self._lease = lease
        self._space = space

    async def __aenter__(self) -> None:
        self._space.check()
        await self._lease.ensure()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, PyMongoError) and is_outage(error):
            await self._judge(error)

    async def _judge(self, error: PyMongoError) -> None:
        """Raise the error as an outage, unless the store takes other writes.

        If it does, the fault is in this request, and the caller gets the error as it is. The
        journal repeats a request after an outage: this one for ever, while all others wait.
        """
        self._space.look()
        if may_be_the_request(error) and not self._space.low and await self._lease.works():
            return
        self._lease.suspect()
        raise_outage(error)
